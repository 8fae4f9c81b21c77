import { mismatch, type Problem } from '../leaf/checks.ts';
import type { Certificate } from './certificate.ts';
import { verifyChain } from './chain.ts';
import type { Policy } from './policy-type.ts';
import type { Matched } from './verdict.ts';

/** Looks for a pinned issuer of a leaf that is not pinned itself. */
export function matchIssuer(
  leaf: Certificate,
  others: readonly Certificate[],
  policy: Policy,
  now: Date,
): Pick<Matched, 'pin' | 'matched' | 'certificate'> | Problem {
  const problem = mismatch(leaf, policy.pins);
  if (problem.code !== 'ERR_PIN_MISMATCH' || policy.issuerPins.length === 0) return problem;
  // If the pin was given as the CA's certificate, the CA is found even if the server does not send it.
  const candidates = [...others, ...policy.knownCertificates];
  const chain = verifyChain(leaf, candidates, policy.issuerPins, { now, expired: policy.expired });
  if (chain.ok) return { pin: chain.pin, matched: 'issuer', certificate: chain.issuer };
  // A forgery claims the pinned issuer: it is sent with the issuer's public certificate, or names the issuer. Anything else is another
  // server.
  const claimed =
    chain.pinned !== undefined && (others.includes(chain.pinned) || leaf.x509.issuer === chain.pinned.x509.subject);
  if (claimed) return { code: 'ERR_CHAIN_INVALID', reason: chain.problem };
  return { code: 'ERR_PIN_MISMATCH', reason: 'neither the presented certificate nor an issuer of it is a pinned one' };
}
