import type { Problem } from '../leaf/checks.ts';
import type { Certificate } from './certificate.ts';

/** The refusal of a certificate that must name the host, and does not. */
export function nameProblem(certificate: Certificate, host: string | undefined): Problem | undefined {
  if (namesHost(certificate, host)) return undefined;
  const reason = `the certificate does not name ${host ?? 'the host, which is unknown'}`;
  return { code: 'ERR_HOSTNAME_MISMATCH', reason };
}

/** RFC 9525 §6.3, and Node's rule for the subject's common name: it counts only if there is no alternative DNS name. */
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
    return false; // Node throws if the text is neither an address nor a name. A resolver accepts `127.1`, for example, but Node throws.
  }
}
