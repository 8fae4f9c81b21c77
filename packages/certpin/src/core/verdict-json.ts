import type { Certificate } from './certificate.ts';
import type { Policy } from './policy-type.ts';

/** A log has room for this many certificates of a server. */
const MAX_PRESENTED = 10;

interface Shown {
  readonly presented: readonly Certificate[];
  readonly policy: Policy;
}

/**
 * Gives a verdict a `toJSON` for `JSON.stringify`, which never throws. It has the first certificates in short form, and the policy without
 * functions.
 */
export function withJson<Verdict extends Shown>(verdict: Verdict): Verdict {
  return Object.defineProperty(verdict, 'toJSON', { value: () => toPlain(verdict) });
}

function toPlain<Verdict extends Shown>(verdict: Verdict): object {
  const { pins, issuerPins, expired, hostnameVerification, caVerification, resumption } = verdict.policy;
  return {
    ...verdict,
    ...('certificate' in verdict ? { certificate: summaryOf(verdict.certificate as Certificate) } : {}),
    presented: verdict.presented.slice(0, MAX_PRESENTED).map(summaryOf),
    policy: { pins, issuerPins, expired, hostnameVerification, caVerification, resumption },
  };
}

/** If OpenSSL can read a certificate but cannot print it, its hash still says which certificate it was. */
function summaryOf(certificate: Certificate): object {
  try {
    return certificate.toJSON();
  } catch {
    return { sha256: certificate.certificateSha256 };
  }
}
