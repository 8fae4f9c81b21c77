import type { AddressInfo } from 'node:net';
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
export type Opener = (address: Address, done: Done, show: Show) => Attempt;

/** Called once: with the verified socket, or with the error. */
export type Done = (error: Error | undefined, socket?: TLSSocket) => void;

/** Lets the driver read what came in plaintext. `last`: the server has turned the client away, and nothing follows. */
export type Show = (bytes: Uint8Array, last: boolean) => void;

/** A connection that is being made. */
export interface Attempt {
  destroy(): unknown;
}

/**
 * Stands between the driver and the wire, for a protocol in which the driver takes part in the conversation before TLS. What it
 * throws ends the stream.
 */
export interface Mediator {
  /** What is sent to the verified server in place of what the driver wrote; nothing, where it is kept until the verdict. */
  fromDriver(bytes: Uint8Array): Uint8Array;
  /** What was kept; called once, after a matching verdict. */
  release(): Uint8Array;
  /** What the driver reads in place of what the verified server sent. */
  fromServer(bytes: Uint8Array): Uint8Array;
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
  readonly #mediator: Mediator | undefined;
  #turnedAway = false;
  #opening: Attempt | undefined;
  #socket: TLSSocket | undefined;
  /** Socket options that were set before there was a socket. */
  readonly #deferred: ((socket: TLSSocket) => void)[] = [];
  #whenOpen: (() => void) | undefined;

  constructor(open: Opener, connectTimeoutMs: number, mediator?: Mediator) {
    super({ allowHalfOpen: false });
    this.#open = open;
    this.#timeoutMs = connectTimeoutMs;
    this.#mediator = mediator;
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
    const done: Done = (error, socket) => {
      stop();
      this.connecting = false;
      if (this.destroyed || this.#turnedAway) socket?.destroy();
      else if (socket === undefined) this.destroy(error);
      else this.#adopt(socket);
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

  setNoDelay(noDelay?: boolean): this {
    return this.#whenSocket((socket) => socket.setNoDelay(noDelay));
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    return this.#whenSocket((socket) => socket.setKeepAlive(enable, initialDelay));
  }

  /** As `net.Socket.setTimeout`: `'timeout'` is emitted after so many milliseconds without traffic; 0: never. */
  setTimeout(timeoutMs: number, listener?: () => void): this {
    if (listener !== undefined) {
      if (timeoutMs === 0) this.off('timeout', listener);
      else this.once('timeout', listener);
    }
    return this.#whenSocket((socket) => socket.setTimeout(timeoutMs));
  }

  ref(): this {
    return this.#whenSocket((socket) => socket.ref());
  }

  unref(): this {
    return this.#whenSocket((socket) => socket.unref());
  }

  /** The local end, as `net.Socket.address()`; empty before the verdict. */
  address(): AddressInfo | Record<string, never> {
    return (this.#socket?.address() ?? {}) as AddressInfo | Record<string, never>;
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
    socket.on('data', (chunk: Buffer) => this.#receive(socket, chunk));
    socket.on('end', () => this.push(null));
    socket.on('timeout', () => this.emit('timeout'));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => {
      // After an orderly end the driver may still have to read what came before it; the stream closes by itself behind that.
      if (!socket.readableEnded) this.destroy();
    });
    this.emit('connect');
    this.emit('ready');
    if (this.#mediator !== undefined) socket.write(this.#mediator.release());
    this.#whenOpen?.();
  }

  #receive(socket: TLSSocket, chunk: Buffer): void {
    try {
      if (!this.push(this.#mediator?.fromServer(chunk) ?? chunk)) socket.pause();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#mediator === undefined) this.#withSocket((socket) => socket.write(chunk, encoding, callback));
    else this.#mediate(this.#mediator, chunk, callback);
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    if (this.#mediator !== undefined) {
      this.#mediate(this.#mediator, Buffer.concat(chunks.map(({ chunk }) => chunk)), callback);
      return;
    }
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
    if (this.#socket === undefined) {
      // A driver that gives up before it was connected has nothing to say goodbye to.
      callback();
      this.destroy();
    } else if (this.#socket.destroyed) {
      callback(); // nor has one whose server has gone
    } else {
      this.#socket.end(callback);
    }
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#socket?.destroy();
    this.#opening?.destroy();
    callback(error);
  }

  #mediate(mediator: Mediator, chunk: Buffer, callback: (error?: Error | null) => void): void {
    let bytes: Uint8Array;
    try {
      bytes = mediator.fromDriver(chunk);
    } catch (error) {
      callback(error as Error);
      return;
    }
    if (bytes.length === 0) callback();
    else this.#withSocket((socket) => socket.write(bytes, callback));
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
