import type { AddressInfo } from 'node:net';
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls';
import { CertpinError } from '../core/errors.ts';
import { LateStream, type Mediator } from './late-stream.ts';
import { startTimeout } from './timeout.ts';

/** Where a driver asks to be connected. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Opens the verified connection behind a {@link PinnedStream}; calls `done` once. What it returns is destroyed with the stream.
 */
export type Opener = (address: Address, done: Done, show: Show) => Attempt;

/** Called once: with the verified socket, or with the error. */
type Done = (error: Error | undefined, socket?: TLSSocket) => void;

/** Lets the driver read what came in plaintext. `last`: the server has turned the client away, and nothing follows. */
export type Show = (bytes: Uint8Array, last: boolean) => void;

/** A connection that is being made. */
export interface Attempt {
  destroy(): unknown;
}

/**
 * What a database driver gets in place of its TCP socket. The driver calls `connect` and waits for `'connect'`; in between the
 * protocol's upgrade and the TLS handshake take place, of which the driver sees nothing. The driver never holds an unverified
 * stream: whatever it writes before the verdict waits here, and goes with the stream where the verdict is a refusal.
 */
export class PinnedStream extends LateStream<TLSSocket> {
  /** As on a `tls.TLSSocket`: drivers ask this before they send a password. */
  readonly encrypted = true;
  connecting = false;
  readonly #open: Opener;
  readonly #timeoutMs: number;
  #turnedAway = false;
  #opening: Attempt | undefined;

  constructor(open: Opener, connectTimeoutMs: number, mediator?: Mediator) {
    super(mediator);
    this.#open = open;
    this.#timeoutMs = connectTimeoutMs;
  }

  /** As on a `tls.TLSSocket`: true after a matching verdict. */
  get authorized(): boolean {
    return this.socket?.authorized ?? false;
  }

  /** As `net.Socket.connect(port, host)`; a path of a unix socket is refused, for there is no TLS on one. */
  connect(port: number | string, host = 'localhost'): this {
    const number = Number(port);
    if (!Number.isInteger(number) || host.startsWith('/')) {
      const message =
        'a unix socket has no TLS, so there is nothing to pin: connect to a host, or use the client without certpin';
      return this.destroy(new CertpinError('ERR_OPTION_INVALID', message, { option: 'host' }));
    }
    this.connecting = true;
    const stop = startTimeout(this.#timeoutMs, (error) => this.destroy(error));
    this.once('close', stop);
    const done: Done = (error, socket) => {
      stop();
      this.connecting = false;
      if (this.destroyed || this.#turnedAway) socket?.destroy();
      else if (socket === undefined) this.destroy(error);
      else this.adopt(socket);
    };
    const show: Show = (bytes, last) => {
      this.#turnedAway = last;
      this.push(bytes);
      if (!last) return;
      // The driver reads the server's own words, and then the end of the stream.
      this.push(null);
      this.#opening?.destroy();
    };
    this.#opening = this.#open({ host, port: number }, done, show);
    return this;
  }

  /** The local end, as `net.Socket.address()`; empty before the verdict. */
  address(): AddressInfo | Record<string, never> {
    return (this.socket?.address() ?? {}) as AddressInfo | Record<string, never>;
  }

  /** SCRAM channel binding hashes the server's certificate (RFC 5929 §4). */
  getPeerCertificate(detailed: true): DetailedPeerCertificate;
  getPeerCertificate(detailed?: boolean): PeerCertificate;
  getPeerCertificate(detailed?: boolean): PeerCertificate | DetailedPeerCertificate {
    return this.socket === undefined ? ({} as PeerCertificate) : this.socket.getPeerCertificate(detailed);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#opening?.destroy();
    super._destroy(error, callback);
  }
}
