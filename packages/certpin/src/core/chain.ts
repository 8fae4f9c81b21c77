import type { Certificate } from './certificate.ts';
import { type CertificateParts, readCertificateParts, readPathLength } from './der.ts';
import { matchPin } from './match.ts';
import type { Pin } from './pin.ts';
import { validityProblem } from './validity.ts';

export interface ChainOptions {
  readonly now: Date;
  readonly expired: 'refuse' | 'accept';
}

/**
 * The outcome of {@link verifyChain}. `pinned` on refusal: the pinned issuer that is among the certificates, if one is; then
 * `problem` says why the chain does not lead to it.
 */
export type ChainResult =
  | { readonly ok: true; readonly pin: Pin; readonly issuer: Certificate }
  | { readonly ok: false; readonly pinned: Certificate | undefined; readonly problem: string };

const BASIC_CONSTRAINTS = '2.5.29.19';
const NAME_CONSTRAINTS = '2.5.29.30';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const ANY_PURPOSE = '2.5.29.37.0';

/** RFC 5280 §4.2: a critical extension that is not processed is a refusal. Checked here or by OpenSSL's `X509_check_issued`. */
const PROCESSED = new Set([
  BASIC_CONSTRAINTS,
  '2.5.29.15', // keyUsage
  '2.5.29.17', // subjectAltName
  '2.5.29.32', // certificatePolicies: they limit nobody who asks for no policy (RFC 5280 §6.1.1 (c): any-policy)
  '2.5.29.37', // extKeyUsage
]);

/** Signatures made with MD2, MD4, MD5 or SHA-1: a collision in one of them is a forged certificate. */
const BROKEN_SIGNATURES = new Set([
  '1.2.840.113549.1.1.2',
  '1.2.840.113549.1.1.3',
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.3.14.3.2.29',
  '1.2.840.10040.4.3',
  '1.2.840.10045.4.1',
  // RSASSA-PSS with these hashes
  '1.2.840.113549.2.5',
  '1.3.14.3.2.26',
]);

/** A chain deeper than this, or a search for it longer than that, is somebody's attempt to keep us busy. */
const MAX_DEPTH = 8;
const MAX_LINKS = 64;

/**
 * Looks for a chain from `leaf` to an issuer that one of `pins` pins, among `others` in any order.
 *
 * Node links a certificate to its issuer by name alone (`X509_check_issued`), so a forged leaf that names the genuine CA and ships
 * the CA's public certificate looks like its child. Here every link is a verified signature, and every issuer is a CA within its
 * validity and its path length. Name constraints cannot be evaluated, so a CA that sets them is refused. The validity of the leaf
 * and its name are the caller's to check.
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

  let problem = certificateProblem(leaf);
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

/** Each certificate once, and never the leaf: it does not vouch for itself, however it came to be among `others`. */
function distinctIssuers(leaf: Certificate, others: readonly Certificate[]): Certificate[] {
  const seen = new Set([leaf.certificateSha256]);
  return others.filter(({ certificateSha256 }) => !seen.has(certificateSha256) && seen.add(certificateSha256));
}

/** Why `issuer` cannot have issued the last certificate of `path`, which names it; undefined where it has. */
function issuerProblem(issuer: Certificate, path: readonly Certificate[], options: ChainOptions): string | undefined {
  const child = path[path.length - 1] as Certificate;
  if (!child.isIssuedBy(issuer)) {
    return `${nameOf(child)} names ${nameOf(issuer)} as its issuer, but ${nameOf(issuer)} has not signed it: a forgery, or another key`;
  }
  if (!issuer.x509.ca)
    return `${nameOf(issuer)} is not a CA (RFC 5280 basicConstraints), so it cannot vouch for ${nameOf(child)}`;
  const { extensions } = partsOf(issuer);
  const constraints = extensions.find(({ id }) => id === BASIC_CONSTRAINTS);
  const limit = constraints && readPathLength(constraints.value);
  // RFC 5280 §4.2.1.9: how many intermediates may follow below, self-issued ones not counted; the leaf is none of them.
  const below = path.slice(1).filter((certificate) => certificate.x509.subject !== certificate.x509.issuer).length;
  if (limit !== undefined && below > limit)
    return `${nameOf(issuer)} allows a path of ${limit} intermediates; there are ${below}`;
  if (extensions.some(({ id }) => id === NAME_CONSTRAINTS)) {
    return `${nameOf(issuer)} sets name constraints, which cannot be checked here: pin the leaf instead`;
  }
  const validity = validityProblem(issuer, options.now, options.expired);
  if (validity === undefined) return certificateProblem(issuer);
  return `${nameOf(issuer)} is ${validity === 'ERR_CERTIFICATE_EXPIRED' ? 'expired' : 'not yet valid'}`;
}

/** What every certificate of a chain must be, the leaf too: meant for TLS servers, soundly signed, fully understood. */
function certificateProblem(certificate: Certificate): string | undefined {
  // Node calls the extended key usage `keyUsage`. A client's certificate of the same CA must not pass for a server's.
  const purposes = certificate.x509.keyUsage as readonly string[] | undefined;
  if (purposes !== undefined && !purposes.includes(SERVER_AUTH) && !purposes.includes(ANY_PURPOSE)) {
    return `${nameOf(certificate)} is not meant for TLS servers (extended key usage)`;
  }
  const { signatureAlgorithm, extensions } = partsOf(certificate);
  if (BROKEN_SIGNATURES.has(signatureAlgorithm)) return `${nameOf(certificate)} is signed with SHA-1 or MD5`;
  const unknown = extensions.find(({ id, critical }) => critical && !PROCESSED.has(id) && id !== NAME_CONSTRAINTS);
  if (unknown !== undefined)
    return `${nameOf(certificate)} has a critical extension that is not understood (${unknown.id})`;
  return undefined;
}

/** OpenSSL parses first: the reader of DER only ever sees what OpenSSL has accepted. */
function partsOf(certificate: Certificate): CertificateParts {
  return readCertificateParts(certificate.x509.raw);
}

function nameOf(certificate: Certificate): string {
  return `'${certificate.toJSON().subject}'`;
}
