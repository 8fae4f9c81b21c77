import type { AddressInfo } from 'node:net';
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls';
import { LateStream } from './late-stream.ts';

/**
 * What a database driver gets in place of its TCP socket. The driver calls `connect` and waits for `'connect'`. In between, the protocol's
 * upgrade and the TLS handshake take place, and the driver sees nothing of them. The driver never has an unverified stream. Whatever it
 * writes before the verdict waits here. If the verdict is a refusal, it is dropped with the stream.
 */
export class PinnedStream extends LateStream<TLSSocket> {
  /** As on a `tls.TLSSocket`: drivers check this before they send a password. */
  readonly encrypted = true;

  /** As on a `tls.TLSSocket`: true after a matching verdict. */
  get authorized(): boolean {
    return this.socket?.authorized ?? false;
  }

  /** As on a `net.Socket`. */
  get connecting(): boolean {
    return this.attempt !== undefined && this.socket === undefined && !this.destroyed;
  }

  /** The local address, as `net.Socket.address()`. Empty before the verdict. */
  address(): AddressInfo | Record<string, never> {
    return (this.socket?.address() ?? {}) as AddressInfo | Record<string, never>;
  }

  /** SCRAM channel binding hashes the server's certificate (RFC 5929 §4). */
  getPeerCertificate(detailed: true): DetailedPeerCertificate;
  getPeerCertificate(detailed?: boolean): PeerCertificate;
  getPeerCertificate(detailed?: boolean): PeerCertificate | DetailedPeerCertificate {
    return this.socket?.getPeerCertificate(detailed) ?? ({} as PeerCertificate);
  }
}
