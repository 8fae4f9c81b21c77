import { X509Certificate } from 'node:crypto';
import { handshakeProblem, matchPin, NONE_PRESENTED, type Problem, tried, validityProblem } from '../leaf/checks.ts';
import { Certificate, isBytes } from './certificate.ts';
import { matchIssuer } from './issuers.ts';
import { nameProblem } from './names.ts';
import { createPolicy, type GivenPolicyOptions, snapshot } from './policy.ts';
import type { Policy } from './policy-type.ts';
import type { Evidence, Peer, Refused, Verdict } from './verdict.ts';
import { withJson } from './verdict-json.ts';

/**
 * Decides whether a server is the pinned one. Pure and synchronous: no I/O, no clock but `now`, no exception for anything that a
 * server can present.
 *
 * Only the leaf counts, unless the policy pins an issuer; then a chain of verified signatures must lead from the leaf to it.
 *
 * @param now default: the current time
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID` where `policy` is not one
 */
export function verify(peer: Peer, policy: GivenPolicyOptions | Policy, now: Date = new Date()): Verdict {
  const { host, port, fromFile } = peer;
  const evidence = { host, port, policy: snapshot(createPolicy(policy)), ...(fromFile ? { fromFile } : {}) };
  return tried<Verdict>(
    () => withJson(decide(peer, { ...evidence, presented: firstOf(peer.certificates).map(toCertificate) }, now)),
    (problem) => withJson<Refused>({ ok: false, ...inWords(problem, peer), ...evidence, presented: [] }),
  );
}

/** The checks of the leaf (leaf/verify-leaf.ts), and those that only the package has. */
function decide(peer: Peer, evidence: Evidence, now: Date): Verdict {
  const { presented, policy } = evidence;
  const refused = (problem: Problem): Refused => ({ ok: false, ...inWords(problem, peer), ...evidence });
  const handshake = handshakeProblem(peer);
  if (handshake !== undefined) return refused(handshake);
  const [leaf, ...others] = presented;
  if (leaf === undefined) return refused(NONE_PRESENTED);

  const pin = matchPin(leaf, policy.pins);
  const match =
    pin === undefined ? matchIssuer(leaf, others, policy, now) : ({ pin, matched: 'leaf', certificate: leaf } as const);
  if ('code' in match) return refused(match);
  // A leaf that is pinned itself is identified by the pin; an issuer vouches for others too, so the name decides which one this is.
  const nameRule = policy.hostnameVerification ?? (match.matched === 'issuer' ? 'require' : 'ignore');
  const problem =
    validityProblem(leaf, now, policy.expired) ??
    (nameRule === 'require' ? nameProblem(leaf, peer.host) : undefined) ??
    (policy.caVerification === 'require' ? caProblem(peer) : undefined);
  return problem === undefined ? { ok: true, ...match, ...evidence } : refused(problem);
}

/** Nobody has presented what stands in a file. */
function inWords({ code, reason }: Problem, { fromFile }: Peer): Problem {
  if (!fromFile) return { code, reason };
  const words = reason.replace('the presented certificate', 'the certificate in the file');
  return { code, reason: words.replace('the server presented no', 'the file holds no') };
}

function caProblem({ authorized, authorizationError = 'no result' }: Peer): Problem | undefined {
  if (authorized === true) return undefined;
  return { code: 'ERR_CA_UNTRUSTED', reason: `the ordinary CA verification failed (${authorizationError})` };
}

/** What cannot be read fails here, and not in an explanation. */
function toCertificate(source: Uint8Array | X509Certificate | Certificate): Certificate {
  const certificate = isBytes(source) || source instanceof X509Certificate ? new Certificate(source) : source;
  if (certificate.x509 === undefined) throw new TypeError('it is none');
  return certificate;
}

/** OpenSSL takes 100 kB from a server. Whoever presents more wants to keep us busy; what stands behind that vouches for nobody. */
const MAX_PRESENTED = 256;
const MAX_BYTES = 256 * 1024;

function firstOf(certificates: Peer['certificates']): Peer['certificates'] {
  let bytes = 0;
  const end = certificates.findIndex((certificate, index) => {
    bytes += bytesOf(certificate).length;
    return index === MAX_PRESENTED || bytes > MAX_BYTES;
  });
  return end === -1 ? certificates : certificates.slice(0, end);
}

function bytesOf(certificate: Peer['certificates'][number]): Uint8Array {
  if (isBytes(certificate)) return certificate;
  return 'der' in certificate ? certificate.der : certificate.raw;
}
