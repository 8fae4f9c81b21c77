import type { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** What was taken of a connection, and the handshake that it belongs to. */
const taken = new WeakMap<TLSSocket, { readonly finished: Buffer; readonly leaf: X509Certificate }>();

/**
 * The certificate that the server has presented in the handshake that has just ended, as OpenSSL has read it; undefined where it has
 * presented none.
 *
 * Up to Node 24 `getPeerX509Certificate()` takes the certificates out of OpenSSL's hands: asked again, it gives the one that was sent
 * behind. So both of the socket's getters answer from what was taken: drivers hash the certificate (SCRAM channel binding).
 *
 * Node says that a handshake has ended also where a server asked for another one and was declined.
 */
export function takeLeaf(socket: TLSSocket): X509Certificate | undefined {
  const [before, finished] = [taken.get(socket), socket.getFinished()];
  if (before !== undefined && finished?.equals(before.finished)) return before.leaf;
  // Another handshake, which its Finished message tells (RFC 5246 §7.4.9), shows other certificates than the first.
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
