export { decodeText, encodingOf, type TextEncoding } from '../core/text.ts';
export { addressesOf } from './addresses.ts';
export { leafFirst, leavesOf } from './leaf-first.ts';
export { type MapTargetsOptions, mapTargets, type TargetOutcome, type Targets } from './map-targets.ts';
export { type ProbeOptions, type ProbeTlsOptions, protocols, type ResolveSrv } from './options.ts';
export { findPem, type PemText } from './pem.ts';
export {
  type Inspected,
  inspect,
  type ProbeFailure,
  type ProbeReport,
  type ProbeSuccess,
  probe,
  toProbeFailure,
  toProbeSuccess,
} from './probe.ts';
export { type ScanOptions, scan } from './scan.ts';
export type { Protocol } from './schemes.ts';
export { targetsOf } from './srv.ts';
export {
  type FileTarget,
  parseTarget,
  type ServerTarget,
  type SocketTarget,
  type SrvTarget,
  type Target,
} from './target.ts';
