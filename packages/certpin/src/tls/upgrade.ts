import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { policyFor, type ServerPolicies } from '../core/host-policies.ts';
import { type GuardedConnection, guard } from './guard.ts';
import type { Address, Attempt, Done, Opener } from './pinned-stream.ts';

/** TLS that begins where a plaintext conversation ends. */
export interface UpgradedConnection {
  /**
   * Opens the plain connection and calls `ready` once: with an error, or when the next byte belongs to TLS. Handed in, because the
   * protocols know nothing of TLS, nor TLS of them.
   */
  readonly dial: (address: Address, ready: (error?: Error) => void) => Duplex;
  readonly tls: ConnectionOptions;
  readonly policy: ServerPolicies;
}

/** The {@link Opener} of a driver whose server is asked for TLS first. The clock is the stream's, for it covers the dialling too. */
export function openUpgraded({ dial, tls, policy }: UpgradedConnection): Opener {
  return ({ host, port }, done) => {
    try {
      policyFor(policy, tls.servername || host);
    } catch (error) {
      return failed(error as Error, done);
    }
    const raw = dial({ host, port }, (error) => {
      if (error !== undefined) return done(error);
      const options: ConnectionOptions = { servername: host, ...tls, socket: raw };
      secure({ options, policy, host, port, connectTimeoutMs: 0 }, done);
    });
    return raw;
  };
}

/** An attempt that ends before anybody was called. The caller hears of it as of any other: after it has the attempt in hand. */
function failed(error: Error, done: Done): Attempt {
  queueMicrotask(() => done(error));
  return { destroy: () => undefined };
}

/** Makes the guarded TLS connection, and calls `done` once: with the verified socket, or with the error. */
export function secure(connection: GuardedConnection, done: Done): void {
  const socket = guard(connection);
  socket.once('error', done);
  socket.once('secureConnect', () => {
    socket.off('error', done);
    done(undefined, socket);
  });
}
