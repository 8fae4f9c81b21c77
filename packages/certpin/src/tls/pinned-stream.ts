import { Duplex } from 'node:stream';
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls';
import { CertpinError } from '../core/errors.ts';
import { startTimeout } from './timeout.ts';

/** Where a driver asks to be connected. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Opens the verified connection behind a {@link PinnedStream}; calls `done` once. What it returns is destroyed with the stream.
 */
export type Opener = (address: Address, done: (error: Error | undefined, socket?: TLSSocket) => void) => Attempt;

/** A connection that is being made. */
export interface Attempt {
  destroy(): unknown;
}

/**
 * What a database driver gets in place of its TCP socket. The driver calls `connect` and waits for `'connect'`; in between the
 * protocol's upgrade and the TLS handshake take place, of which the driver sees nothing. The driver never holds an unverified
 * stream: whatever it writes before the verdict waits here, and goes with the stream where the verdict is a refusal.
 */
export class PinnedStream extends Duplex {
  /** As on a `tls.TLSSocket`: drivers ask this before they send a password. */
  readonly encrypted = true;
  connecting = false;
  readonly #open: Opener;
  readonly #timeoutMs: number;
  #opening: Attempt | undefined;
  #socket: TLSSocket | undefined;
  /** Socket options that were set before there was a socket. */
  readonly #deferred: ((socket: TLSSocket) => void)[] = [];
  #whenOpen: (() => void) | undefined;

  constructor(open: Opener, connectTimeoutMs: number) {
    super({ allowHalfOpen: false });
    this.#open = open;
    this.#timeoutMs = connectTimeoutMs;
  }

  /** As on a `tls.TLSSocket`: true after a matching verdict. */
  get authorized(): boolean {
    return this.#socket?.authorized ?? false;
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
    this.#opening = this.#open({ host, port: number }, (error, socket) => {
      stop();
      this.connecting = false;
      if (this.destroyed) socket?.destroy();
      else if (socket === undefined) this.destroy(error);
      else this.#adopt(socket);
    });
    return this;
  }

  setNoDelay(noDelay?: boolean): this {
    return this.#whenSocket((socket) => socket.setNoDelay(noDelay));
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    return this.#whenSocket((socket) => socket.setKeepAlive(enable, initialDelay));
  }

  ref(): this {
    return this.#whenSocket((socket) => socket.ref());
  }

  unref(): this {
    return this.#whenSocket((socket) => socket.unref());
  }

  /** SCRAM channel binding hashes the server's certificate (RFC 5929 §4). */
  getPeerCertificate(detailed: true): DetailedPeerCertificate;
  getPeerCertificate(detailed?: boolean): PeerCertificate;
  getPeerCertificate(detailed?: boolean): PeerCertificate | DetailedPeerCertificate {
    return this.#socket === undefined ? ({} as PeerCertificate) : this.#socket.getPeerCertificate(detailed);
  }

  #whenSocket(apply: (socket: TLSSocket) => void): this {
    if (this.#socket === undefined) this.#deferred.push(apply);
    else apply(this.#socket);
    return this;
  }

  #adopt(socket: TLSSocket): void {
    this.#socket = socket;
    for (const apply of this.#deferred.splice(0)) apply(socket);
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    this.emit('connect');
    this.emit('ready');
    this.#whenOpen?.();
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#withSocket((socket) => socket.write(chunk, encoding, callback));
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.#withSocket((socket) => {
      const last = chunks.length - 1;
      socket.cork();
      chunks.forEach(({ chunk, encoding }, index) => {
        socket.write(chunk, encoding, index === last ? callback : undefined);
      });
      socket.uncork();
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    // A driver that gives up before it was connected has nothing to say goodbye to.
    if (this.#socket === undefined) callback();
    else this.#socket.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#socket?.destroy();
    this.#opening?.destroy();
    callback(error);
  }

  /** Node's Writable hands over one write at a time, so there is never more than one waiting. */
  #withSocket(use: (socket: TLSSocket) => void): void {
    if (this.#socket !== undefined) {
      use(this.#socket);
    } else {
      this.#whenOpen = () => {
        this.#whenOpen = undefined;
        use(this.#socket as TLSSocket);
      };
    }
  }
}
