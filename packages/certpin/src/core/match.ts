import { timingSafeEqual } from 'node:crypto';
import type { CertificateEvidence } from './evidence.ts';
import type { Pin } from './pin.ts';

/**
 * The first of `pins` that `certificate` matches. Digests are compared in constant time and every pin is compared, so that the
 * time taken tells nothing about which pin was nearly met.
 */
export function matchPin(certificate: CertificateEvidence, pins: readonly Pin[]): Pin | undefined {
  const [matched] = pins.filter(({ kind, sha256 }) => {
    const presented = kind === 'certificate' ? certificate.certificateSha256 : certificate.publicKeySha256;
    return presented !== null && timingSafeEqual(Buffer.from(presented), Buffer.from(sha256));
  });
  return matched;
}
