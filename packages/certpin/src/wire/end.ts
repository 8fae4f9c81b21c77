import { once } from 'node:events';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { CertpinError } from '../errors.ts';
import { ownOptions } from '../leaf/options.ts';
import type { Address } from '../leaf/pinner.ts';
import { breakOff, type Caller, carry, failCaller, type OpenUpstream } from './carry.ts';
import { findOwn, LOOPBACK, unwatchPort, watchPort } from './own-sockets.ts';

/** What every end has. */
export interface EndControl {
  /** The last error with which the end turned a caller away, or lost its server. Some clients lose this error. */
  readonly lastError: Error | undefined;
  /** Ends all connections and frees the address. Close the client first: another program may listen there next. */
  close(): Promise<void>;
}

/** A server for callers of this process, in plaintext. It does not keep the process alive. */
export class End implements EndControl {
  lastError: Error | undefined;
  readonly #callers = new Set<Socket>();
  readonly #server: Server;

  /** @param welcome gets each caller, paused */
  constructor(welcome: (socket: Socket, end: End) => void) {
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#callers.add(socket);
      socket.on('error', () => undefined).once('close', () => this.#callers.delete(socket));
      welcome(socket.unref(), this);
    });
  }

  /** @returns the port. 0 for a unix socket */
  async listen(where: ListenOptions): Promise<number> {
    // Exclusive: otherwise the processes of a cluster would share one port, and get each other's callers.
    this.#server.listen(ownOptions({ ...where, exclusive: true }));
    await once(this.#server, 'listening');
    // If one caller cannot be accepted, for example because too many files are open, the process must not end.
    this.#server.unref().on('error', () => undefined);
    const address = this.#server.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  }

  /** The caller gets nothing, or nothing more. */
  fail(caller: Caller, error: Error): void {
    this.lastError = error;
    failCaller(caller, error);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    for (const socket of this.#callers) breakOff(socket);
    await once(this.#server, 'close');
  }
}

/** An end at a port of the loopback interface. Only sockets of this process are let in. */
export async function startLoopbackEnd(open: OpenUpstream): Promise<EndControl & Address> {
  const end = new End((socket) =>
    findOwn(socket, (own) => {
      const caller = { socket, own };
      const fail = (error: Error): void => end.fail(caller, error);
      if (socket.destroyed) return;
      if (own === undefined) fail(stranger());
      else carry(caller, open, () => undefined, fail);
    }),
  );
  const { port, close } = await atPort(end);
  return controlled(end, { host: LOOPBACK, port }, close);
}

/** Listens at a free port. From now on, the callers of this port are looked for. */
export async function atPort(end: End): Promise<{ readonly port: number; close(): Promise<void> }> {
  const port = await end.listen({ host: LOOPBACK, port: 0 });
  watchPort(port);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    // Once, and before the port is free: the next end may get the same port.
    if (closing === undefined) unwatchPort(port);
    closing ??= end.close();
    return closing;
  };
  return { port, close };
}

/**
 * What the user of an end gets. It is frozen, so that nobody can change the address. Only the address is enumerable, so that it can be
 * spread into the options of a client.
 */
export function controlled<Where extends object>(
  end: End,
  where: Where,
  close: () => Promise<void>,
): EndControl & Where {
  const own = { close: { value: close }, lastError: { get: () => end.lastError } };
  return Object.freeze(Object.defineProperties(where, own)) as EndControl & Where;
}

function stranger(): Error {
  const message =
    'forward: a caller was turned away, because it is not a known socket of this process. It may be another process or a worker thread. If the client makes TLS itself (a URL with `s`, `tls: true`), switch its TLS off, because the end makes it. If it uses `new net.Socket()` on a Node before 22.17 or 24.2, use `pinnedForwardPath` or `pinnedForwardSocks`';
  return new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'forward' });
}
