import { once } from 'node:events';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { CertpinError } from '../errors.ts';
import { ownOptions } from '../leaf/options.ts';
import type { Address } from '../leaf/pinner.ts';
import { breakOff, type Caller, carry, failCaller, type OpenUpstream } from './carry.ts';
import { findOwn, LOOPBACK, unwatchPort, watchPort } from './own-sockets.ts';

/** What every end has. */
export interface EndControl {
  /** The error with which the end turned its last caller away, or lost its server. Clients that lose the error lose no more than this. */
  readonly lastError: Error | undefined;
  /** Ends all connections, and gives the address up. Close the client before: somebody else may listen there next. */
  close(): Promise<void>;
}

/** A server for callers of this process, in plaintext. It holds no process. */
export class End implements EndControl {
  lastError: Error | undefined;
  readonly #callers = new Set<Socket>();
  readonly #server: Server;

  /** @param welcome is given each caller, paused */
  constructor(welcome: (socket: Socket, end: End) => void) {
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#callers.add(socket);
      socket.on('error', () => undefined).once('close', () => this.#callers.delete(socket));
      welcome(socket.unref(), this);
    });
  }

  /** @returns the port; 0 for a unix socket */
  async listen(where: ListenOptions): Promise<number> {
    // Exclusive: the processes of a cluster would share one port, and get one another's callers.
    this.#server.listen(ownOptions({ ...where, exclusive: true }));
    await once(this.#server, 'listening');
    // One caller that cannot be accepted, where there are too many open files, must not end the process.
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

/** An end at a port of the loopback interface. Nobody but the sockets of this process is let in. */
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

/** Listens at a free port, whose callers are looked for from now on. */
export async function atPort(end: End): Promise<{ readonly port: number; close(): Promise<void> }> {
  const port = await end.listen({ host: LOOPBACK, port: 0 });
  watchPort(port);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    // Once, and before the port is free: the next end may get the same.
    if (closing === undefined) unwatchPort(port);
    closing ??= end.close();
    return closing;
  };
  return { port, close };
}

/**
 * What the user of an end is given. Frozen, so that nobody leads it elsewhere; and nothing but the address is enumerable, so that it can be
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
    'forward: a caller that is no known socket of this process was turned away: another process, a worker thread, a client that makes TLS itself (a URL with `s`, `tls: true`): switch its TLS off, because the end makes it; or a client that makes its socket with `new net.Socket()` on a Node before 22.17 or 24.2, which does not tell of it: use `pinnedForwardPath` or `pinnedForwardSocks`';
  return new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'forward' });
}
