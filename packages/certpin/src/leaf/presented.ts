import type { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** What was read of a connection, and to which handshake it belongs. */
const taken = new WeakMap<TLSSocket, { readonly finished: Buffer; readonly leaf: X509Certificate }>();

/**
 * The certificate that the server has presented in the handshake that has just ended, as OpenSSL has read it. undefined: none.
 *
 * Up to Node 24, each call of `getPeerX509Certificate()` takes a certificate out of OpenSSL's list: the second call gives the next
 * certificate. So both getters of the socket answer with what was taken here: drivers hash the certificate (SCRAM channel binding).
 *
 * Node also reports the end of a handshake if a server asked for another one and was declined.
 */
export function takeLeaf(socket: TLSSocket): X509Certificate | undefined {
  const [before, finished] = [taken.get(socket), socket.getFinished()];
  if (before !== undefined && finished?.equals(before.finished)) return before.leaf;
  // Another handshake shows other certificates. The Finished message tells handshakes apart (RFC 5246 §7.4.9).
  delete (socket as Partial<TLSSocket>).getPeerX509Certificate;
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return undefined;
  if (finished !== undefined) taken.set(socket, { finished, leaf });
  showCertificates(socket, leaf);
  return leaf;
}

/** Both getters of the socket answer with `leaf` and the certificates that were sent after it. */
export function showCertificates(socket: TLSSocket, leaf: X509Certificate): void {
  socket.getPeerX509Certificate = () => leaf;
  socket.getPeerCertificate = ((detailed) => toLegacy(leaf, detailed)) as TLSSocket['getPeerCertificate'];
}

/** As Node does it: each certificate points to its issuer, and a self-issued one to itself. */
function toLegacy(certificate: X509Certificate, detailed: boolean | undefined): DetailedPeerCertificate {
  const legacy = certificate.toLegacyObject() as unknown as DetailedPeerCertificate;
  const { issuerCertificate: issuer } = certificate;
  if (detailed && issuer !== undefined) legacy.issuerCertificate = toLegacy(issuer, true);
  else if (detailed && certificate.checkIssued(certificate)) legacy.issuerCertificate = legacy;
  return legacy;
}
