import type { Certificate } from '../core/certificate.ts';

/**
 * The certificates of a file that may be the server's own, each once: those that have issued none of the others; among several such, those
 * that are no CA, where there are any. More than one: the file does not tell which is meant.
 */
export function leavesOf(certificates: readonly Certificate[]): Certificate[] {
  // By name alone: a bundle may hold thousands, and nothing is trusted for its place in the list.
  const issued = new Set<string>();
  const distinct = new Map<string, Certificate>();
  for (const certificate of certificates) {
    const { subject, issuer } = certificate.x509;
    if (subject !== issuer) issued.add(issuer);
    if (!distinct.has(certificate.certificateSha256)) distinct.set(certificate.certificateSha256, certificate);
  }
  const ends = [...distinct.values()].filter(({ x509 }) => !issued.has(x509.subject));
  const servers = ends.length > 1 ? ends.filter(({ x509 }) => !x509.ca) : ends;
  return servers.length > 0 ? servers : ends;
}

/**
 * The certificates of a file with the leaf first, where it can be told: the only one of {@link leavesOf}. Otherwise they stay as they are.
 * Throws where one of them is not a certificate.
 */
export function leafFirst(certificates: readonly Certificate[]): Certificate[] {
  const [leaf, ...others] = leavesOf(certificates);
  return leaf === undefined || others.length > 0
    ? [...certificates]
    : [leaf, ...certificates.filter((other) => other !== leaf)];
}
