import { timingSafeEqual } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import type { Pin } from './pin.ts';

/**
 * The first of `pins` that `certificate` matches. Digests are compared in constant time and every pin is compared, so that the
 * time taken tells nothing about which pin was nearly met.
 */
export function matchPin(certificate: Certificate, pins: readonly Pin[]): Pin | undefined {
  let matched: Pin | undefined;
  for (const pin of pins) {
    const presented = pin.kind === 'certificate' ? certificate.certificateSha256 : certificate.publicKeySha256;
    if (timingSafeEqual(Buffer.from(presented), Buffer.from(pin.sha256))) matched ??= pin;
  }
  return matched;
}
