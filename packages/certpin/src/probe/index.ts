export { leafFirst } from './leaf-first.ts';
export { inspect, type ProbeFailure, type ProbeOptions, type ProbeReport, type ProbeSuccess, probe } from './probe.ts';
export { type FileTarget, parseTarget, type ServerTarget, type Target } from './target.ts';
