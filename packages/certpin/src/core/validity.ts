import type { CertificateEvidence } from './evidence.ts';
import type { Policy } from './policy.ts';

/** The refusal of a certificate outside whose validity `now` lies; undefined where it is taken. Both ends belong to it (RFC 5280 §4.1.2.5). */
export function validityProblem(
  certificate: Pick<CertificateEvidence, 'validFrom' | 'validTo'>,
  now: Date,
  expired: Policy['expired'],
): 'ERR_CERTIFICATE_NOT_YET_VALID' | 'ERR_CERTIFICATE_EXPIRED' | undefined {
  /** Written so that a date that cannot be read (NaN) is outside. */
  if (!(certificate.validFrom <= now)) return 'ERR_CERTIFICATE_NOT_YET_VALID';
  if (!(now <= certificate.validTo) && expired === 'refuse') return 'ERR_CERTIFICATE_EXPIRED';
  return undefined;
}
