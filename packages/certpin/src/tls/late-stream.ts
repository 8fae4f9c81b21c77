import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

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

const transparent: Mediator = {
  fromDriver: (bytes) => bytes,
  release: () => new Uint8Array(0),
  fromServer: (bytes) => bytes,
};

/** A stream whose socket comes later: what is written before waits here, and goes with the stream where no socket comes. */
export class LateStream<Inner extends Socket = Socket> extends Duplex {
  readonly #mediator: Mediator;
  #socket: Inner | undefined;
  /** Socket options that were set before there was a socket. */
  readonly #deferred: ((socket: Inner) => void)[] = [];
  #whenOpen: (() => void) | undefined;

  constructor(mediator: Mediator = transparent) {
    super({ allowHalfOpen: false });
    this.#mediator = mediator;
  }

  /** undefined until {@link adopt}. */
  protected get socket(): Inner | undefined {
    return this.#socket;
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

  /** The socket has come: what waited is written, and `connect` is emitted. Called once. */
  adopt(socket: Inner): void {
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
    const kept = this.#mediator.release();
    if (kept.length > 0) socket.write(kept);
    this.#whenOpen?.();
    socket.resume(); // it may have been paused at the end of a plaintext conversation
  }

  #receive(socket: Inner, chunk: Buffer): void {
    try {
      const bytes = this.#mediator.fromServer(chunk);
      // What Node's own `push` comes to where nothing waits, at half of its cost: all that is read passes two streams.
      const isFlowing = this.readableFlowing === true && this.readableLength === 0 && this.readableEncoding === null;
      if (isFlowing && !this.destroyed && Buffer.isBuffer(bytes) && bytes.length > 0) this.emit('data', bytes);
      else if (!this.push(bytes)) socket.pause();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#send(chunk, callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback);
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
    callback(error);
  }

  #send(chunk: Buffer, callback: (error?: Error | null) => void): void {
    let bytes: Uint8Array;
    try {
      bytes = this.#mediator.fromDriver(chunk);
    } catch (error) {
      callback(error as Error);
      return;
    }
    if (bytes.length === 0) callback();
    else this.#withSocket((socket) => socket.write(bytes, callback));
  }

  #whenSocket(apply: (socket: Inner) => void): this {
    if (this.#socket === undefined) this.#deferred.push(apply);
    else apply(this.#socket);
    return this;
  }

  /** Node's Writable hands over one write at a time, so there is never more than one waiting. */
  #withSocket(use: (socket: Inner) => void): void {
    if (this.#socket !== undefined) {
      use(this.#socket);
    } else {
      this.#whenOpen = () => {
        this.#whenOpen = undefined;
        use(this.#socket as Inner);
      };
    }
  }
}
