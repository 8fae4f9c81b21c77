import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { optionInvalid } from '../errors.ts';
import type { Attempt, Opener, Waiting } from '../leaf/pinner.ts';

/**
 * Stands between driver and wire, for a protocol in which the driver takes part in the conversation before TLS. An exception ends the
 * stream.
 */
export interface Mediator {
  /** What to send to the verified server in place of what the driver wrote. Nothing: more must come first. */
  fromDriver: (bytes: Buffer) => Uint8Array;
  /** What the driver reads in place of what the verified server sent. */
  fromServer: (bytes: Buffer) => Uint8Array;
}

export const NO_UNIX_SOCKET = 'a unix socket has no TLS, so there is nothing to pin: give a host';

/** The methods of a socket that can be called before there is one. */
type Method = 'setNoDelay' | 'setKeepAlive' | 'setTimeout' | 'ref' | 'unref' | 'write';

/** What a stream can be made with. */
export interface Sides {
  /** What `connect` does. */
  readonly open?: Opener | undefined;
  readonly mediator?: Mediator | undefined;
}

/** A stream whose socket comes later. What is written before waits here. If no socket comes, it is dropped with the stream. */
export class LateStream<Inner extends Socket = Socket> extends Duplex {
  /** undefined until {@link adopt}. */
  declare protected socket: Inner | undefined;
  /** What makes the connection. It is destroyed with the stream. */
  declare protected attempt: Attempt | undefined;
  declare protected readonly open: Sides['open'];
  declare protected readonly mediator: Sides['mediator'];
  /** What was set and written before there was a socket. */
  readonly #waiting: (() => void)[] = [];

  constructor(sides?: Sides) {
    super({ allowHalfOpen: false });
    Object.assign(this, sides);
  }

  /** As `net.Socket.connect(port, host)`. The path of a unix socket is refused, because it has no TLS. */
  connect(port: number | string, host = 'localhost'): this {
    const number = Number(port);
    if (!Number.isInteger(number) || host.startsWith('/')) return this.destroy(optionInvalid('host', NO_UNIX_SOCKET));
    this.attempt = this.open?.({ host, port: number }, this as unknown as Waiting);
    return this;
  }

  setNoDelay(noDelay?: boolean): this {
    return this.#call('setNoDelay', noDelay);
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    return this.#call('setKeepAlive', enable, initialDelay);
  }

  ref(): this {
    return this.#call('ref');
  }

  unref(): this {
    return this.#call('unref');
  }

  /** As `net.Socket.setTimeout`: `'timeout'` is emitted after this many milliseconds without traffic. 0: never. */
  setTimeout(timeoutMs: number, listener?: () => void): this {
    if (listener !== undefined) this[timeoutMs === 0 ? 'off' : 'once']('timeout', listener);
    return this.#call('setTimeout', timeoutMs);
  }

  /** The socket has come: what waited is written, and `connect` is emitted. Called once. */
  adopt(socket: Inner): void {
    if (this.destroyed) return void socket.destroy();
    this.socket = socket;
    const receive = (chunk: Buffer): void => {
      try {
        const bytes = this.mediator?.fromServer(chunk) ?? chunk;
        if (!this.give(bytes)) socket.pause();
      } catch (error) {
        this.destroy(error as Error);
      }
    };
    socket.on('data', receive).on('end', () => this.push(null));
    socket.on('timeout', () => this.emit('timeout')).on('error', (error) => this.destroy(error));
    // After an orderly end, the driver may still have to read what came before it.
    socket.on('close', () => socket.readableEnded || this.destroy());
    for (const call of this.#waiting.splice(0)) call();
    this.emit('connect');
    this.emit('ready');
    socket.resume();
  }

  /** @returns whether the reader wants more for now */
  protected give(bytes: Uint8Array): boolean {
    if (!isFlowing(this) || !Buffer.isBuffer(bytes) || bytes.length === 0) return this.push(bytes);
    this.emit('data', bytes);
    return true;
  }

  override _read(): void {
    this.socket?.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, callback: (error?: Error | null) => void): void {
    try {
      const bytes = this.mediator?.fromDriver(chunk) ?? chunk;
      if (bytes.length === 0) callback();
      else if (this.socket !== undefined) this.socket.write(bytes, callback);
      else this.#call('write', bytes, callback);
    } catch (error) {
      callback(error as Error);
    }
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'utf8', callback);
  }

  /** A driver that gives up before it was connected has nobody to say goodbye to. The same is true if its server has gone. */
  override end(...last: unknown[]): this {
    return this.socket === undefined ? this.destroy() : super.end(...(last as []));
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.socket?.destroyed === false) this.socket.end(callback);
    else callback();
  }

  /**
   * Destroys only the TLS socket, which then ends the socket below. The socket below must not end first: Node would free the connection
   * while OpenSSL still reads in it, and a reset after the handshake would crash the process. This happens if a write of the driver fails
   * in the tick in which the handshake ends.
   */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    (this.socket ?? this.attempt)?.destroy();
    callback(error);
  }

  /** Calls a method of the socket: now, or when the socket has come. */
  #call(method: Method, ...args: unknown[]): this {
    if (this.socket === undefined) this.#waiting.push(() => this.#call(method, ...args));
    else (this.socket as Record<Method, (...args: unknown[]) => unknown>)[method](...args);
    return this;
  }
}

/**
 * Whether `push` would only emit the event `data`. Then we emit it ourselves, which halves the cost: everything that is read passes two
 * streams.
 */
function isFlowing(stream: Duplex): boolean {
  const { readableFlowing, readableLength, readableEncoding, destroyed } = stream;
  return readableFlowing === true && readableLength === 0 && readableEncoding === null && !destroyed;
}
