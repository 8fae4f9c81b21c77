import type { AddressInfo } from 'node:net';
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls';
import { LateStream } from './late-stream.ts';

/**
 * What a database driver gets in place of its TCP socket. The driver calls `connect` and waits for `'connect'`; in between the
 * protocol's upgrade and the TLS handshake take place, of which the driver sees nothing. The driver never holds an unverified
 * stream: whatever it writes before the verdict waits here, and goes with the stream where the verdict is a refusal.
 */
export class PinnedStream extends LateStream<TLSSocket> {
  /** As on a `tls.TLSSocket`: drivers ask this before they send a password. */
  readonly encrypted = true;

  /** As on a `tls.TLSSocket`: true after a matching verdict. */
  get authorized(): boolean {
    return this.socket?.authorized ?? false;
  }

  /** As on a `net.Socket`. */
  get connecting(): boolean {
    return this.attempt !== undefined && this.socket === undefined && !this.destroyed;
  }

  /** The local end, as `net.Socket.address()`; empty before the verdict. */
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
