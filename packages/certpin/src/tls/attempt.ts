import { channel } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { findCertpinError } from '../core/find-error.ts';
import { ownOptions } from '../leaf/options.ts';
import type { Attempt, EndAttempt, Opener, Pinner } from '../leaf/pinner.ts';
import { serverOf } from './server.ts';

/**
 * The name of the `node:diagnostics_channel` for the end of every attempt to connect. Each end is published as a {@link ConnectionAttempt}.
 */
export const ATTEMPT_CHANNEL = 'certpin:attempt';

/** How an attempt to connect ended. It holds no secret: no login, no query, nothing that the server has written. */
export interface ConnectionAttempt {
  /** The subpath of the client: `pg`, `mysql2`, `https`, … */
  readonly client: string;
  /** The called server, by the name that a verdict would have. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** The address of the server that was called. undefined: none was called, or a proxy called it. */
  readonly address: string | undefined;
  /** Time from the client's call to this end, in milliseconds. */
  readonly durationMs: number;
  /**
   * - `opened`: after a matching verdict, the client has its connection. Hosts under `otherHosts: 'verify'` are opened without a pin
   * - `refused`: by the verdict, or before it (TLS refused, injected bytes, no answer of this protocol, a proxy that refuses)
   * - `unpinned`: `hosts` does not name the server, so no server was called
   * - `timed-out`: no verdict within `connectTimeoutMs`
   * - `aborted`: the client has given up
   * - `failed`: an error of Node or of the network
   */
  readonly outcome: 'opened' | 'refused' | 'unpinned' | 'timed-out' | 'aborted' | 'failed';
  /** The code of the error: certpin's own, or Node's. undefined: there was no error. */
  readonly code: string | undefined;
}

const attempts = /* @__PURE__ */ channel(ATTEMPT_CHANNEL);

/**
 * An attempt begins.
 *
 * @param options those of the connection
 * @returns a function for its end: call it with the error, or without one if the client has its connection. undefined: nobody listens
 */
export function beginAttempt(client: string, options: ConnectionOptions): EndAttempt | undefined {
  if (!attempts.hasSubscribers) return undefined;
  const { host, port } = serverOf(ownOptions(options));
  if (options.socket != null) noteAddress(options.socket as Socket);
  const start = performance.now();
  let isOver = false;
  return (error, socket) => {
    if (isOver) return;
    isOver = true;
    const durationMs = performance.now() - start;
    const attempt: ConnectionAttempt = {
      ...{ client, host, port: port === undefined ? undefined : Number(port) },
      ...{ address: addressOf(error, socket), durationMs, ...endOf(error) },
    };
    attempts.publish(Object.freeze(attempt));
  };
}

/** The client itself has given up this attempt. */
const GIVEN_UP: unknown = null;

function endOf(error: unknown): Pick<ConnectionAttempt, 'outcome' | 'code'> {
  if (error === undefined) return { outcome: 'opened', code: undefined };
  const ours = findCertpinError(error);
  const code = ours?.code ?? (Object(error) as { code?: string }).code;
  if (error === GIVEN_UP || code === 'ABORT_ERR') return { outcome: 'aborted', code };
  if (code === 'ERR_HOST_UNPINNED') return { outcome: 'unpinned', code };
  if (code === 'ERR_CONNECT_TIMEOUT') return { outcome: 'timed-out', code };
  return { outcome: ours === undefined ? 'failed' : 'refused', code };
}

function addressOf(error: unknown, socket: Parameters<EndAttempt>[1]): string | undefined {
  return socket?.remoteAddress ?? (Object(error) as { address?: string }).address;
}

/** Node knows the address while the socket is open, and later only if it was asked before. */
function noteAddress(socket: Socket): void {
  socket.once('connect', () => void socket.remoteAddress);
}

/** A pinner whose connections are attempts of `client`. */
export function watchOpen(pinner: Pinner, client: string): Pinner {
  return {
    ...pinner,
    open: (options, limitMs, name) => watchAttempt(client, options, () => pinner.open(options, limitMs, name)),
  };
}

/** Opens a TLS connection as an attempt of `client`. */
export function watchAttempt(client: string, options: ConnectionOptions, open: () => TLSSocket): TLSSocket {
  const end = beginAttempt(client, options);
  if (end === undefined) return open();
  try {
    const socket = open();
    noteAddress(socket);
    // Not with `error`: an error without a listener must be thrown.
    socket.once('secureConnect', () => end(undefined, socket));
    return socket.once('close', () => end(socket.errored ?? GIVEN_UP, socket));
  } catch (error) {
    end(error);
    throw error;
  }
}

/** An opener whose calls are attempts. `end` is called at the end of each. */
export function watchOpener(
  open: Opener,
  address: Parameters<Opener>[0],
  stream: Parameters<Opener>[1],
  end: EndAttempt,
): Attempt {
  const attempt = open(address, {
    adopt: (socket) => {
      end(undefined, socket);
      stream.adopt(socket);
    },
    destroy: (error) => {
      end(error ?? GIVEN_UP, attempt as Socket);
      return stream.destroy(error);
    },
  });
  noteAddress(attempt as Socket);
  const destroy = (): void => {
    end(GIVEN_UP, attempt as Socket);
    attempt.destroy();
  };
  return { destroy };
}
