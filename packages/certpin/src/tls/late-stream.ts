import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { ASKS, INLINE } from '../core/form.ts';

/**
 * Stands between the driver and the wire, for a protocol in which the driver takes part in the conversation before TLS. What it
 * throws ends the stream.
 */
export interface Mediator {
  /** What is sent to the verified server in place of what the driver wrote; nothing, where more of it has to come first. */
  fromDriver(bytes: Buffer): Uint8Array;
  /** What the driver reads in place of what the verified server sent. */
  fromServer(bytes: Buffer): Uint8Array;
}

/** The methods of a socket that can be called before there is one. */
type Method = 'setNoDelay' | 'setKeepAlive' | 'setTimeout' | 'ref' | 'unref' | 'write';

/** A stream whose socket comes later: what is written before waits here, and goes with the stream where no socket comes. */
export class LateStream<Inner extends Socket = Socket> extends Duplex {
  /** undefined until {@link adopt}. */
  declare protected socket: Inner | undefined;
  /** What makes the connection; it is destroyed with the stream. */
  declare protected attempt: { destroy(): unknown } | undefined;
  declare protected readonly mediator: Mediator | undefined;

  declare readonly setNoDelay: (noDelay?: boolean) => this;
  declare readonly setKeepAlive: (enable?: boolean, initialDelay?: number) => this;
  declare readonly ref: () => this;
  declare readonly unref: () => this;

  static {
    for (const method of ['setNoDelay', 'setKeepAlive', 'ref', 'unref'] as const)
      Object.assign(LateStream.prototype, {
        [method](this: LateStream, ...args: unknown[]) {
          return this.#call(method, ...args);
        },
      });
  }

  /** @param own what a subclass needs too */
  constructor(own?: { readonly mediator?: Mediator | undefined }) {
    super({ allowHalfOpen: false });
    Object.assign(this, own);
  }

  /** As `net.Socket.setTimeout`: `'timeout'` is emitted after so many milliseconds without traffic; 0: never. */
  setTimeout(timeoutMs: number, listener?: () => void): this {
    if (listener !== undefined) this[timeoutMs === 0 ? 'off' : 'once']('timeout', listener);
    return this.#call('setTimeout', timeoutMs);
  }

  /** The socket has come: what waited is written, and `connect` is emitted. Called once. */
  adopt(socket: Inner): void {
    if (this.destroyed) return void socket.destroy();
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(socket, chunk)).on('end', () => this.push(null));
    socket.on('timeout', () => this.emit('timeout')).on('error', (error) => this.destroy(error));
    /** After an orderly end the driver may still have to read what came before it; the stream closes by itself behind that. */
    socket.on('close', () => socket.readableEnded || this.destroy());
    this.emit('adopt');
    this.emit('connect');
    if (!INLINE) this.emit('ready');
    /** It may have been paused at the end of a plaintext conversation. */
    socket.resume();
  }

  #receive(socket: Inner, chunk: Buffer): void {
    try {
      const bytes = ASKS === 'certpin' ? chunk : (this.mediator?.fromServer(chunk) ?? chunk);
      if (!INLINE && isFlowing(this) && Buffer.isBuffer(bytes) && bytes.length > 0) this.emit('data', bytes);
      else if (!this.push(bytes)) socket.pause();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override _read(): void {
    this.socket?.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (ASKS === 'certpin') return void this.#call('write', chunk, callback);
    try {
      const bytes = this.mediator?.fromDriver(chunk) ?? chunk;
      if (bytes.length === 0) callback();
      else this.#call('write', bytes, callback);
    } catch (error) {
      callback(error as Error);
    }
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'utf8', callback);
  }

  /** A driver that gives up before it was connected has nothing to say goodbye to, nor has one whose server has gone. */
  override end(...last: unknown[]): this {
    return this.socket === undefined ? this.destroy() : super.end(...(last as []));
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.socket?.destroyed === false) this.socket.end(callback);
    else callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.attempt?.destroy();
    this.socket?.destroy();
    callback(error);
  }

  /** Calls a method of the socket: now, or when it has come. */
  #call(method: Method, ...args: unknown[]): this {
    if (this.socket === undefined) this.once('adopt', () => this.#call(method, ...args));
    else (this.socket as Record<Method, (...args: unknown[]) => unknown>)[method](...args);
    return this;
  }
}

/**
 * Whether `push` would come to nothing but the event: then it is emitted, at half of the cost, for all that is read passes two streams.
 */
function isFlowing(stream: Duplex): boolean {
  const { readableFlowing, readableLength, readableEncoding, destroyed } = stream;
  return readableFlowing === true && readableLength === 0 && readableEncoding === null && !destroyed;
}
