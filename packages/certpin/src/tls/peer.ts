import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Peer } from '../core/verdict.ts';
import type { ServerIdentity } from '../leaf/server-name.ts';

/** What is known of the server on a connection whose handshake has just ended. */
export function describePeer(
  socket: TLSSocket,
  certificates: Peer['certificates'],
  { host, port }: ServerIdentity,
): Peer {
  const [tlsVersion, sessionReused] = [socket.getProtocol(), socket.isSessionReused()];
  const { authorized, authorizationError } = socket;
  // The result of the ordinary verification, for a policy that also requires it.
  const ordinary = { authorized, ...(authorizationError ? { authorizationError: String(authorizationError) } : {}) };
  return { host, port, certificates, tlsVersion, sessionReused, ...ordinary };
}

/**
 * All certificates that the server presented, in its order, also those that belong to no chain. Node links each certificate to the one that
 * was sent after it (src/crypto/crypto_x509.cc), which need not be its issuer.
 *
 * @param limit the most certificates to return
 */
export function chainOf(
  leaf: X509Certificate | undefined,
  limit: number = Number.POSITIVE_INFINITY,
): X509Certificate[] {
  const presented: X509Certificate[] = [];
  for (let next = leaf; next !== undefined && presented.length < limit; next = next.issuerCertificate)
    presented.push(next);
  return presented;
}
