export * from './inline/index.ts';
export * from './new/index.ts';
export * from './prove/index.ts';
export * from './run/index.ts';
