import { X509Certificate } from 'node:crypto';
import { Certificate, isoDate } from './certificate.ts';
import { verifyChain } from './chain.ts';
import type { RefusalCode } from './errors.ts';
import { readEvidence } from './evidence.ts';
import { INLINE } from './form.ts';
import { matchPin } from './match.ts';
import type { Pin } from './pin.ts';
import { createPolicy, type Policy, type PolicyOptions, snapshot } from './policy.ts';
import { validityProblem } from './validity.ts';
import { withJson } from './verdict-json.ts';

/** What is known of the server after a TLS handshake. */
export interface Peer {
  /** The presented certificates, DER or parsed; the leaf first, the others in any order. Empty: none was presented. */
  readonly certificates: readonly (Uint8Array | X509Certificate | Certificate)[];
  /** The host that was asked for: a name or an IP address. Needed where the policy requires a host name. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** As `tls.TLSSocket.getProtocol()` gives it: `'TLSv1.2'`, `'TLSv1.3'`. Anything older is refused; undefined: not checked. */
  readonly tlsVersion?: string | null | undefined;
  /** A resumed session shows no certificate, and whatever is shown was not proven in this handshake: refused. */
  readonly sessionReused?: boolean | undefined;
  /** Whether Node's own CA verification passed. Needed where the policy requires it. */
  readonly authorized?: boolean | undefined;
  /** Node's code where it did not, for example `DEPTH_ZERO_SELF_SIGNED_CERT`. */
  readonly authorizationError?: string | undefined;
}

interface Evidence {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly presented: readonly Certificate[];
  readonly policy: Policy;
}

/** The connection may be used. */
export interface Matched extends Evidence {
  readonly ok: true;
  readonly pin: Pin;
  /** Whose pin it was. */
  readonly matched: 'leaf' | 'issuer';
  /** The presented certificate that matched. */
  readonly certificate: Certificate;
}

/** The connection must not be used. */
export interface Refused extends Evidence {
  readonly ok: false;
  readonly code: RefusalCode;
  /** One line: the fact that decided. */
  readonly reason: string;
  /** The IP address that was called, where the connection is certpin's own: several may stand behind one name. */
  readonly address?: string;
}

export type Verdict = Matched | Refused;

/**
 * Decides whether a server is the pinned one. Pure and synchronous: no I/O, no clock but `now`, no exception for anything that a
 * server can present.
 *
 * Only the leaf counts, unless the policy pins an issuer; then a chain of verified signatures must lead from the leaf to it.
 *
 * @param now default: the current time
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID` where `policy` is not one
 */
export function verify(peer: Peer, policy: PolicyOptions | Policy, now: Date = new Date()): Verdict {
  const { host, port } = peer;
  const evidence = { host, port, policy: INLINE ? (policy as Policy) : snapshot(createPolicy(policy)) };
  try {
    if (INLINE) return decide(peer, { ...evidence, presented: peer.certificates.map(readEvidence as never) }, now);
    return withJson(decide(peer, { ...evidence, presented: firstOf(peer.certificates).map(toCertificate) }, now));
  } catch (error) {
    // Whatever goes wrong in a check is a refusal: the peer chooses the bytes that are checked.
    const reason = `the presented certificate cannot be read (${(error as Error).message})`;
    const refusal: Refused = { ok: false, code: 'ERR_PIN_UNCHECKABLE', reason, ...evidence, presented: [] };
    return INLINE ? refusal : withJson(refusal);
  }
}

/** What cannot be read fails here, and not in an explanation. */
function toCertificate(source: Uint8Array | X509Certificate | Certificate): Certificate {
  const certificate =
    source instanceof Uint8Array || source instanceof X509Certificate ? new Certificate(source) : source;
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
  if (certificate instanceof Uint8Array) return certificate;
  return 'der' in certificate ? certificate.der : certificate.raw;
}

function decide(peer: Peer, evidence: Evidence, now: Date): Verdict {
  const { presented, policy } = evidence;
  const [leaf] = presented;
  const refused = (code: RefusalCode, reason: string): Refused => ({ ok: false, code, reason, ...evidence });

  // RFC 8446 §2.2: a server that resumes with a PSK sends no certificate to compare.
  if (peer.sessionReused)
    return refused('ERR_PIN_UNCHECKABLE', 'the TLS session was resumed, so no certificate was proven');
  if (leaf === undefined) return refused('ERR_PIN_UNCHECKABLE', 'the server presented no certificate');
  const { tlsVersion } = peer;
  if (![undefined, 'TLSv1.2', 'TLSv1.3'].includes(tlsVersion as string | undefined))
    return refused('ERR_TLS_VERSION', `the connection was made with ${tlsVersion ?? 'an unknown version of TLS'}`);

  const pin = matchPin(leaf, policy.pins);
  if (!pin && leaf.publicKeySha256 === null && policy.pins.some(({ kind }) => kind === 'public-key')) {
    const reason =
      'the certificate holds its key in other bytes than OpenSSL writes, so public-key pins say nothing of it';
    return refused('ERR_PIN_UNCHECKABLE', reason);
  }
  if (INLINE && pin === undefined)
    return refused('ERR_PIN_MISMATCH', 'the presented certificate is none of the pinned ones');
  const issuer = INLINE || pin ? undefined : matchIssuer(presented, policy, now);
  if (issuer !== undefined && 'code' in issuer) return refused(issuer.code, issuer.reason);

  const validity = validityProblem(leaf, now, policy.expired);
  if (validity !== undefined) {
    const [word, date] = validity === 'ERR_CERTIFICATE_EXPIRED' ? ['ended', leaf.validTo] : ['begins', leaf.validFrom];
    return refused(validity, `the validity of the certificate ${word} ${INLINE ? date : isoDate(date as Date)}`);
  }
  if (INLINE) return { ok: true, ...evidence } as Matched;
  const match = issuer ?? { pin: pin as Pin, matched: 'leaf', certificate: leaf };

  // A leaf that is pinned itself is identified by the pin; an issuer vouches for others too, so the name decides which one this is.
  const nameRequired = policy.hostnameVerification ?? (match.matched === 'issuer' ? 'require' : 'ignore');
  if (nameRequired === 'require' && !namesHost(leaf, peer.host)) {
    const reason = `the certificate does not name ${peer.host ?? 'the host, which is unknown'}`;
    return refused('ERR_HOSTNAME_MISMATCH', reason);
  }
  if (policy.caVerification === 'require' && peer.authorized !== true) {
    const reason = `the ordinary CA verification failed (${peer.authorizationError ?? 'no result'})`;
    return refused('ERR_CA_UNTRUSTED', reason);
  }
  return { ok: true, ...match, ...evidence };
}

type Match = Pick<Matched, 'pin' | 'matched' | 'certificate'> | Pick<Refused, 'code' | 'reason'>;

function matchIssuer([leaf, ...others]: readonly Certificate[], policy: Policy, now: Date): Match {
  if (leaf === undefined || policy.issuerPins.length === 0)
    return { code: 'ERR_PIN_MISMATCH', reason: 'the presented certificate is none of the pinned ones' };
  // A CA is found even where the server does not send it, if the pin was given as its certificate.
  const candidates = [...others, ...policy.knownCertificates];
  const chain = verifyChain(leaf, candidates, policy.issuerPins, { now, expired: policy.expired });
  if (chain.ok) return { pin: chain.pin, matched: 'issuer', certificate: chain.issuer };
  // A forgery claims the pinned issuer: it ships the issuer's public certificate, or names it. Anything else is another server.
  const claimed =
    chain.pinned !== undefined && (others.includes(chain.pinned) || leaf.x509.issuer === chain.pinned.x509.subject);
  if (claimed) return { code: 'ERR_CHAIN_INVALID', reason: chain.problem };
  return { code: 'ERR_PIN_MISMATCH', reason: 'neither the presented certificate nor an issuer of it is a pinned one' };
}

/** RFC 9525 §6.3, with Node's rule for the subject's common name: it counts only where there is no alternative DNS name. */
export function namesHost(certificate: Certificate, host: string | undefined): boolean {
  if (host === undefined || host === '') return false;
  const { x509 } = certificate;
  const address = host.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  const name = host.replace(/\.$/, '');
  // To OpenSSL (X509_check_host) a leading dot means 'any subdomain', and a NUL at the end means nothing.
  if (name.startsWith('.') || name.includes('\0')) return false;
  try {
    if (/^[\d.]+$/.test(address) || address.includes(':')) return x509.checkIP(address) !== undefined;
    return x509.checkHost(name, { subject: 'default', partialWildcards: false }) !== undefined;
  } catch {
    return false; // Node throws on what is no address and no name: `127.1`, for one, which a resolver takes
  }
}
