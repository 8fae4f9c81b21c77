import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { Certificate } from '../core/certificate.ts';
import { INLINE } from '../core/form.ts';
import type { Peer } from '../core/verify.ts';
import type { ServerIdentity } from './server-name.ts';
import { readLeaf } from './session-certificate.ts';

export function describePeer(socket: TLSSocket, certificates: Peer['certificates'], server: ServerIdentity): Peer {
  const [tlsVersion, sessionReused] = [socket.getProtocol(), socket.isSessionReused()];
  if (INLINE) return { ...server, certificates, tlsVersion, sessionReused };
  return { ...server, certificates, tlsVersion, sessionReused, ...ordinaryResult(socket) };
}

/** Of the ordinary verification, for a policy that requires it too. */
function ordinaryResult({
  authorized,
  authorizationError,
}: TLSSocket): Pick<Peer, 'authorized' | 'authorizationError'> {
  return { authorized, ...(authorizationError ? { authorizationError: String(authorizationError) } : {}) };
}

/** None is an empty object. */
export function leafOf(socket: TLSSocket): Uint8Array[] {
  const raw = socket.getPeerCertificate()?.raw;
  return raw === undefined ? [] : [raw];
}

/** After a full handshake only: what a resumed session holds was presented in another one. */
export function readOnlyLeaf(socket: TLSSocket): Certificate[] {
  const leaf = readLeaf(socket);
  return leaf === undefined ? readChain(socket, false) : [leaf];
}

/**
 * What Node shows: each certificate linked to its issuer, and the last one to itself; none at all is an empty object.
 *
 * getPeerX509Certificate() would take the certificate out of OpenSSL's chain, and a driver that reads it afterwards (SCRAM channel
 * binding) would find none. getPeerCertificate() can be called by everybody, again and again.
 */
export function readChain(socket: TLSSocket, withChain: boolean): Certificate[] {
  const leaf = socket.getPeerCertificate(withChain as true) as DetailedPeerCertificate | undefined;
  const chain: Certificate[] = [];
  const seen = new Set<object>();
  for (let next = leaf; next?.raw !== undefined && !seen.has(next); next = next.issuerCertificate) {
    seen.add(next);
    chain.push(new Certificate(next.raw, true));
  }
  return chain;
}

/**
 * All that the server presented, in its order: also what belongs to no chain. Takes the certificates away from whoever asks later, so it
 * is for connections that nobody else sees.
 *
 * Node links each to the one that was sent after it (src/crypto/crypto_x509.cc), which need not be its issuer.
 */
export function takePresented(socket: TLSSocket): Certificate[] {
  const presented: Certificate[] = [];
  for (let next = socket.getPeerX509Certificate(); next !== undefined; next = next.issuerCertificate) {
    presented.push(new Certificate(next.raw, next));
  }
  return presented;
}
