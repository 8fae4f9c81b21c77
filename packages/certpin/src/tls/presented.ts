import type { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { INLINE } from '../core/form.ts';
import type { Policy } from '../core/policy.ts';
import type { Peer } from '../core/verify.ts';
import type { ServerIdentity } from './server-name.ts';

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

/** What was taken of a connection, and the handshake that it belongs to. */
const taken = new WeakMap<TLSSocket, { readonly finished: Buffer; readonly leaf: X509Certificate }>();

/**
 * The certificate that the server has presented in the handshake that has just ended, as OpenSSL has read it; undefined where it has
 * presented none.
 *
 * Up to Node 24 `getPeerX509Certificate()` takes the certificates out of OpenSSL's hands: asked again, it gives the one that was sent
 * behind. So both of the socket's getters answer from what was taken: drivers hash the certificate (SCRAM channel binding).
 */
export function takeLeaf(socket: TLSSocket): X509Certificate | undefined {
  // Node says that a handshake has ended where a server asked for another one and was declined, too. The Finished message, which
  // follows from all that was said in a handshake (RFC 5246 §7.4.9), tells whether there was another one.
  const [before, finished] = [taken.get(socket), socket.getFinished()];
  if (before !== undefined && finished?.equals(before.finished)) return before.leaf;
  // Another handshake shows other certificates than the first.
  delete (socket as Partial<TLSSocket>).getPeerX509Certificate;
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return undefined;
  if (finished !== undefined) taken.set(socket, { finished, leaf });
  showCertificates(socket, leaf);
  return leaf;
}

/** Both getters of the socket answer with `leaf`, and what was sent behind it. */
export function showCertificates(socket: TLSSocket, leaf: X509Certificate): void {
  socket.getPeerX509Certificate = () => leaf;
  socket.getPeerCertificate = ((detailed) => toLegacy(leaf, detailed)) as TLSSocket['getPeerCertificate'];
}

/** As Node's own: each certificate with its issuer, and one that has issued itself with itself. */
function toLegacy(certificate: X509Certificate, detailed: boolean | undefined): DetailedPeerCertificate {
  const legacy = certificate.toLegacyObject() as unknown as DetailedPeerCertificate;
  const { issuerCertificate: issuer } = certificate;
  if (detailed && issuer !== undefined) legacy.issuerCertificate = toLegacy(issuer, true);
  else if (detailed && certificate.checkIssued(certificate)) legacy.issuerCertificate = legacy;
  return legacy;
}

/**
 * The first `most` certificates that the server presented, in its order: also what belongs to no chain. Node links each to the one that
 * was sent after it (src/crypto/crypto_x509.cc), which need not be its issuer.
 */
export function chainOf(leaf: X509Certificate | undefined, most: number): X509Certificate[] {
  const presented: X509Certificate[] = [];
  for (let next = leaf; next !== undefined && presented.length < most; next = next.issuerCertificate)
    presented.push(next);
  return presented;
}

/** An explanation needs no more than these, and each costs time: a server may send hundreds. */
const MAX_EXPLAINED = 16;

/** What may count, or may explain a refusal: all that was presented where an issuer is pinned, and else the first certificates. */
export function relevantChain(leaf: X509Certificate | undefined, policies: readonly Policy[]): X509Certificate[] {
  const mayCount = policies.some(({ issuerPins }) => issuerPins.length > 0);
  return chainOf(leaf, mayCount ? Number.POSITIVE_INFINITY : MAX_EXPLAINED);
}
