export { type InlineBlock, type InlineClient, inlineBlock } from './inline/index.ts';
