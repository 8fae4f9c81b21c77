import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

/**
 * Whether the client has shown a valid certificate of our CA. `authorized` alone is not enough: Node also sets it for a resumed session of
 * TLS 1.3 without any certificate. And a session is resumed without a check of the dates, as long as its client comes back.
 */
export function showsClientCertificate({ socket }: IncomingMessage, now: number): boolean {
  const { authorized, getPeerX509Certificate } = socket as Partial<TLSSocket>;
  if (authorized !== true) return false;
  const certificate = getPeerX509Certificate?.call(socket);
  if (certificate === undefined) return false;
  return Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo);
}
