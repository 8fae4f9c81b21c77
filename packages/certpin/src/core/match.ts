import { timingSafeEqual } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import type { Pin } from './pin.ts';

/**
 * The first of `pins` that `certificate` matches. Digests are compared in constant time and every pin is compared, so that the
 * time taken tells nothing about which pin was nearly met.
 */
export function matchPin(certificate: Certificate, pins: readonly Pin[]): Pin | undefined {
  const [matched] = pins.filter(({ kind, sha256 }) => {
    const presented = kind === 'certificate' ? certificate.certificateSha256 : certificate.publicKeySha256;
    return timingSafeEqual(Buffer.from(presented), Buffer.from(sha256));
  });
  return matched;
}
