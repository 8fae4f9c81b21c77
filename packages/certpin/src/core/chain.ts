import { matchPin, validityProblem } from '../leaf/checks.ts';
import type { Pin } from '../leaf/pin.ts';
import { type Certificate, oneLine, shorten } from './certificate.ts';
import { type CertificateParts, KEY_USAGE, NETSCAPE_SERVER, partsOf } from './certificate-parts.ts';
import { keyProblem } from './keys.ts';

export interface ChainOptions {
  readonly now: Date;
  readonly expired: 'refuse' | 'accept';
}

/**
 * The outcome of {@link verifyChain}. On a refusal, `pinned` is the pinned issuer among the certificates, if there is one. Then `problem`
 * says why the chain does not lead to it.
 */
export type ChainResult =
  | { readonly ok: true; readonly pin: Pin; readonly issuer: Certificate }
  | { readonly ok: false; readonly pinned: Certificate | undefined; readonly problem: string };

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const ANY_PURPOSE = '2.5.29.37.0';

/** RFC 5280 §4.2: a critical extension that is not processed is a refusal. These are checked here or by OpenSSL's `X509_check_issued`. */
const PROCESSED = new Set([
  '2.5.29.19', // basicConstraints
  '2.5.29.15', // keyUsage
  '2.5.29.17', // subjectAltName
  '2.5.29.32', // certificatePolicies: without a required policy, they limit nothing (RFC 5280 §6.1.1 (c): any-policy)
  '2.5.29.37', // extKeyUsage
]);

/** They limit what a certificate may be used for, critical or not. This code cannot evaluate them. */
const LIMITS = new Map([
  ['2.5.29.30', 'name constraints'],
  ['1.3.6.1.5.5.7.1.7', 'limits of addresses'],
  ['1.3.6.1.5.5.7.1.8', 'limits of networks'],
  ['1.3.6.1.5.5.7.1.14', 'the limits of a proxy certificate'],
]);

/** Sound signature algorithms. With MD2, MD4, MD5 or SHA-1, an attacker can forge a certificate by a collision. */
const SOUND_SIGNATURES = new Set([
  // RSA with SHA-256, SHA-384, SHA-512, SHA-224
  ...['1.2.840.113549.1.1.11', '1.2.840.113549.1.1.12', '1.2.840.113549.1.1.13', '1.2.840.113549.1.1.14'],
  // RSASSA-PSS with these hashes
  ...['2.16.840.1.101.3.4.2.1', '2.16.840.1.101.3.4.2.2', '2.16.840.1.101.3.4.2.3', '2.16.840.1.101.3.4.2.4'],
  // ECDSA with SHA-224, SHA-256, SHA-384, SHA-512
  ...['1.2.840.10045.4.3.1', '1.2.840.10045.4.3.2', '1.2.840.10045.4.3.3', '1.2.840.10045.4.3.4'],
  // Ed25519, Ed448
  ...['1.3.101.112', '1.3.101.113'],
]);

/** Each link costs a signature. A longer chain, or a longer search for one, is an attempt to keep us busy. */
const MAX_DEPTH = 8;
const MAX_LINKS = 24;

/**
 * Looks for a chain from `leaf` to an issuer that one of `pins` pins, among `others` in any order.
 *
 * Node links a certificate to its issuer by name alone (`X509_check_issued`). So a forged leaf that names the genuine CA, and is sent with
 * the CA's public certificate, looks like its child. Here every link is a verified signature. Every issuer is a CA within its validity and
 * its path length, with a sound key. Name constraints cannot be evaluated, so a CA that sets them is refused. The caller checks the
 * validity of the leaf and its name.
 */
export function verifyChain(
  leaf: Certificate,
  others: readonly Certificate[],
  pins: readonly Pin[],
  options: ChainOptions,
): ChainResult {
  const issuers = distinctIssuers(leaf, others);
  const pinned = issuers.find((certificate) => matchPin(certificate, pins) !== undefined);
  if (pinned === undefined) return { ok: false, pinned, problem: 'no presented certificate is a pinned issuer' };

  let problem = leafProblem(leaf);
  if (problem !== undefined) return { ok: false, pinned, problem };

  let links = 0;
  const search = (path: readonly Certificate[]): ChainResult | undefined => {
    const child = path[path.length - 1] as Certificate;
    for (const issuer of issuers) {
      if (path.includes(issuer) || !child.x509.checkIssued(issuer.x509)) continue;
      if (++links > MAX_LINKS || path.length > MAX_DEPTH) {
        problem ??= 'the chain is too long';
        return undefined;
      }
      const linkProblem = issuerProblem(issuer, path, options);
      if (linkProblem !== undefined) {
        problem ??= linkProblem;
        continue;
      }
      const pin = matchPin(issuer, pins);
      const result = pin === undefined ? search([...path, issuer]) : ({ ok: true, pin, issuer } as const);
      if (result !== undefined) return result;
    }
    return undefined;
  };
  return (
    search([leaf]) ?? { ok: false, pinned, problem: problem ?? 'no certificate links the leaf to the pinned issuer' }
  );
}

/** Each certificate once, without the leaf. The leaf does not vouch for itself, even if it is among `others` too. */
function distinctIssuers(leaf: Certificate, others: readonly Certificate[]): Certificate[] {
  const seen = new Set([leaf.certificateSha256]);
  return others.filter(({ certificateSha256 }) => !seen.has(certificateSha256) && seen.add(certificateSha256));
}

/** Why `issuer` cannot have issued the last certificate of `path`, which names it. undefined: it has issued it. */
function issuerProblem(issuer: Certificate, path: readonly Certificate[], options: ChainOptions): string | undefined {
  const child = path[path.length - 1] as Certificate;
  if (!child.isIssuedBy(issuer)) {
    return `${nameOf(child)} names ${nameOf(issuer)} as its issuer, but ${nameOf(issuer)} has not signed it: a forgery, or another key`;
  }
  if (!issuer.x509.ca)
    return `${nameOf(issuer)} is not a CA (RFC 5280 basicConstraints), so it cannot vouch for ${nameOf(child)}`;
  const problem = certificateProblem(issuer);
  if (problem !== undefined) return problem;
  // RFC 5280 §4.2.1.9: how many intermediates may follow below. Self-issued ones do not count, and the leaf does not either.
  const { pathLength = Number.POSITIVE_INFINITY } = partsOf(issuer);
  const below = path.slice(1).filter((certificate) => !partsOf(certificate).selfIssued).length;
  if (below > pathLength) return `${nameOf(issuer)} allows a path of ${pathLength} intermediates; there are ${below}`;
  const validity = validityProblem(issuer, options.now, options.expired);
  if (validity === undefined) return undefined;
  return `${nameOf(issuer)} is ${validity.code === 'ERR_CERTIFICATE_EXPIRED' ? 'expired' : 'not yet valid'}`;
}

/** What the leaf must also be: usable for the handshake of a TLS server (RFC 5280 §4.2.1.3, as OpenSSL's check_purpose_ssl_server). */
function leafProblem(leaf: Certificate): string | undefined {
  const problem = certificateProblem(leaf);
  if (problem !== undefined) return problem;
  const { keyUsage, netscapeType } = partsOf(leaf);
  const { digitalSignature, keyEncipherment, keyAgreement } = KEY_USAGE;
  const isMeant = keyUsage === undefined || [digitalSignature, keyEncipherment, keyAgreement].some(keyUsage);
  if (!isMeant || netscapeType?.(NETSCAPE_SERVER) === false)
    return `${nameOf(leaf)} is not meant for TLS servers (key usage)`;
  return undefined;
}

/** What every certificate of a chain must be, also the leaf: meant for TLS servers, soundly signed, with a sound key, fully understood. */
function certificateProblem(certificate: Certificate): string | undefined {
  // Node calls the extended key usage `keyUsage`. A client's certificate of the same CA must not pass for a server's.
  const purposes = certificate.x509.keyUsage as readonly string[] | undefined;
  if (purposes !== undefined && !purposes.includes(SERVER_AUTH) && !purposes.includes(ANY_PURPOSE)) {
    return `${nameOf(certificate)} is not meant for TLS servers (extended key usage)`;
  }
  let parts: CertificateParts;
  try {
    parts = partsOf(certificate);
  } catch (error) {
    return `${nameOf(certificate)} cannot be read without doubt (${(error as Error).message})`;
  }
  const weakness = keyProblem(certificate.x509.publicKey);
  if (weakness !== undefined) return `${nameOf(certificate)} has ${weakness}`;
  const { signatureAlgorithm, extensions } = parts;
  if (!SOUND_SIGNATURES.has(signatureAlgorithm))
    return `${nameOf(certificate)} is signed with SHA-1 or MD5, or in another way that is not known to be sound (${signatureAlgorithm})`;
  for (const { id, critical } of extensions) {
    const limits = LIMITS.get(id);
    if (limits !== undefined)
      return `${nameOf(certificate)} sets ${limits}, which cannot be checked here: pin the leaf instead`;
    if (critical && !PROCESSED.has(id))
      return `${nameOf(certificate)} has a critical extension that is not understood (${id})`;
  }
  return undefined;
}

function nameOf(certificate: Certificate): string {
  return `'${shorten(oneLine(certificate.x509.subject))}'`;
}
