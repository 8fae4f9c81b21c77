export { Certificate, type CertificateSummary } from './core/certificate.ts';
export {
  type AnyCertpinError,
  CertpinError,
  type CertpinErrorCode,
  type CertpinErrorDetails,
  findCertpinError,
  type RefusalCode,
} from './core/errors.ts';
export { explain } from './core/explain.ts';
export { type LivePins, livePins } from './core/live-pins.ts';
export { type PinInput, type PinSource, parsePin, parsePins } from './core/parse-pin.ts';
export {
  type CertificateSpelling,
  formatPin,
  type Pin,
  type PinSpelling,
  type PublicKeySpelling,
  type Sha256,
} from './core/pin.ts';
export { createPolicy, type Policy, type PolicyOptions } from './core/policy.ts';
export { type Matched, type Peer, type Refused, type Verdict, verify } from './core/verify.ts';
