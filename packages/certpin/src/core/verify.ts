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
 * Decides whether a server is the pinned one. Pure and synchronous: no I/O, and no clock except `now`. Nothing that a server presents can
 * make it throw.
 *
 * Only the leaf counts, unless the policy pins an issuer; then a chain of verified signatures must lead from the leaf to it.
 *
 * @param now default: the current time
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID` if `policy` is not a policy
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
  // If the leaf itself is pinned, the pin identifies the server. A CA vouches for other servers too, so the name must decide which server
  // this is.
  const nameRule = policy.hostnameVerification ?? (match.matched === 'issuer' ? 'require' : 'ignore');
  const problem =
    validityProblem(leaf, now, policy.expired) ??
    (nameRule === 'require' ? nameProblem(leaf, peer.host) : undefined) ??
    (policy.caVerification === 'require' ? caProblem(peer) : undefined);
  return problem === undefined ? { ok: true, ...match, ...evidence } : refused(problem);
}

/** The certificates of a file were not presented by anybody. */
function inWords({ code, reason }: Problem, { fromFile }: Peer): Problem {
  if (!fromFile) return { code, reason };
  const words = reason.replace('the presented certificate', 'the certificate in the file');
  return { code, reason: words.replace('the server presented no', 'the file holds no') };
}

function caProblem({ authorized, authorizationError = 'no result' }: Peer): Problem | undefined {
  if (authorized === true) return undefined;
  return { code: 'ERR_CA_UNTRUSTED', reason: `the ordinary CA verification failed (${authorizationError})` };
}

/** A certificate that cannot be read must fail here, and not later in an explanation. */
function toCertificate(source: Uint8Array | X509Certificate | Certificate): Certificate {
  const certificate = isBytes(source) || source instanceof X509Certificate ? new Certificate(source) : source;
  if (certificate.x509 === undefined) throw new TypeError('it is none');
  return certificate;
}

/**
 * OpenSSL accepts 100 kB of certificates from a server. A server that presents more wants to keep us busy. Certificates beyond this limit
 * vouch for nobody.
 */
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
