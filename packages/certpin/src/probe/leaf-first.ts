import type { Certificate } from '../core/certificate.ts';

/**
 * The certificates of a file with the leaf first, where it can be told: the only one that has issued none of the others; among several
 * such, the only one that is no CA. Otherwise they stay as they are. Throws where one of them is not a certificate.
 */
export function leafFirst(certificates: readonly Certificate[]): Certificate[] {
  // By name alone: a bundle may hold thousands, and nothing is trusted for its place in the list.
  const issued = new Set<string>();
  for (const { x509 } of certificates) {
    if (x509.subject !== x509.issuer) issued.add(x509.issuer);
  }
  const ends = certificates.filter(({ x509 }) => !issued.has(x509.subject));
  const leafs = ends.length > 1 ? ends.filter(({ x509 }) => !x509.ca) : ends;
  const [leaf] = leafs;
  return leaf === undefined || leafs.length > 1
    ? [...certificates]
    : [leaf, ...certificates.filter((other) => other !== leaf)];
}
