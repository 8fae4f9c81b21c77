import type { Certificate } from './certificate.ts';

/** Where `now` lies outside the certificate's validity. Both ends belong to it (RFC 5280 §4.1.2.5). */
export function validityProblem(certificate: Certificate, now: Date): 'expired' | 'not-yet-valid' | undefined {
  /** Written so that a date that cannot be read (NaN) is outside. */
  if (!(certificate.validFrom <= now)) return 'not-yet-valid';
  if (!(now <= certificate.validTo)) return 'expired';
  return undefined;
}
