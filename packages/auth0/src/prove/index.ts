export type { Arrival } from './evidence.ts';
export type { ProveOptions } from './options.ts';
export { prove } from './prove.ts';
export {
  type ImpostorName,
  impostorWords,
  type Moment,
  type ProofReport,
  type RunSummary,
  type ServerProof,
  type Trial,
} from './report.ts';
