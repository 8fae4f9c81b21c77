import type { AddressInfo } from 'node:net';
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls';
import { optionInvalid } from '../core/errors.ts';
import { ASKS } from '../core/form.ts';
import { LateStream, type Mediator } from './late-stream.ts';

/** Where a driver asks to be connected. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Opens the verified connection for a {@link PinnedStream}. What it returns is destroyed with the stream. */
export type Opener = (address: Address, stream: Waiting) => Attempt;

/** What waits for a connection: it is given the verified socket, or destroyed with the error. */
export interface Waiting {
  adopt(socket: TLSSocket): void;
  destroy(error?: Error): unknown;
}

/** A connection that is being made. */
export interface Attempt {
  destroy(): unknown;
}

export const NO_UNIX_SOCKET = 'a unix socket has no TLS, so nothing to pin: give a host';

/**
 * What a database driver gets in place of its TCP socket. The driver calls `connect` and waits for `'connect'`; in between the
 * protocol's upgrade and the TLS handshake take place, of which the driver sees nothing. The driver never holds an unverified
 * stream: whatever it writes before the verdict waits here, and goes with the stream where the verdict is a refusal.
 */
class ConnectingStream extends LateStream<TLSSocket> {
  /** As on a `tls.TLSSocket`: drivers ask this before they send a password. */
  readonly encrypted = true;
  declare protected readonly open: Opener;

  /** As `net.Socket.connect(port, host)`; a path of a unix socket is refused, for there is no TLS on one. */
  connect(port: number | string, host = 'localhost'): this {
    const number = Number(port);
    if (!Number.isInteger(number) || host.startsWith('/')) return this.destroy(optionInvalid('host', NO_UNIX_SOCKET));
    this.attempt = this.open({ host, port: number }, this);
    return this;
  }
}

/** With what else may be asked of a `tls.TLSSocket`. */
class TlsLikeStream extends ConnectingStream {
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

export type PinnedStream = TlsLikeStream;

/** The drivers that take part in the upgrade ask for no more than the first one has, so it is what they get in the inline form. */
export const PinnedStream = (ASKS === 'driver' ? ConnectingStream : TlsLikeStream) as unknown as new (own: {
  readonly open: Opener;
  readonly mediator?: Mediator | undefined;
}) => TlsLikeStream;
