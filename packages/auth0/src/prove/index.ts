export type { Arrival } from './evidence.ts';
export { prove } from './prove.ts';
export {
  type ImpostorName,
  impostorWords,
  type ProofReport,
  type RunSummary,
  type ServerProof,
  type Trial,
} from './report.ts';
