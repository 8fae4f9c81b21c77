export { Certificate, type CertificateSummary } from './core/certificate.ts';
export { explain } from './core/explain.ts';
export { findCertpinError } from './core/find-error.ts';
export { type CertificateSpelling, formatPin, type PinSpelling, type PublicKeySpelling } from './core/format-pin.ts';
export { type LivePins, livePins } from './core/live-pins.ts';
export { type PinInput, type PinSource, parsePin, parsePins } from './core/parse-pin.ts';
export { createPolicy, type GivenPolicyOptions as PolicyOptions } from './core/policy.ts';
export type { Policy } from './core/policy-type.ts';
export type { Matched, Peer, Refused, Verdict } from './core/verdict.ts';
export { verify } from './core/verify.ts';
export {
  type AnyCertpinError,
  CertpinError,
  type CertpinErrorCode,
  type CertpinErrorDetails,
  isCertpinError,
} from './errors.ts';
export type { RefusalCode } from './leaf/checks.ts';
export type { Pin, Sha256 } from './leaf/pin.ts';
