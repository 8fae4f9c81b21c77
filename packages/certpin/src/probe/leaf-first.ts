import type { Certificate } from '../core/certificate.ts';

/**
 * The certificates of a file that may be the server's own, each once: those that have issued none of the others. If there are several,
 * those that are not a CA. More than one result: the file does not tell which one is meant.
 */
export function leavesOf(certificates: readonly Certificate[]): Certificate[] {
  // By name alone: a bundle may hold thousands. The place in the list decides nothing about trust.
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
 * The certificates of a file with the leaf first, if {@link leavesOf} finds exactly one. Otherwise their order stays. Throws if one of them
 * is not a certificate.
 */
export function leafFirst(certificates: readonly Certificate[]): Certificate[] {
  const [leaf, ...others] = leavesOf(certificates);
  return leaf === undefined || others.length > 0
    ? [...certificates]
    : [leaf, ...certificates.filter((other) => other !== leaf)];
}
