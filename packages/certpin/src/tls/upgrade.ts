import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { INLINE } from '../core/form.ts';
import { hostRefusal, type ServerPolicies } from '../core/host-policies.ts';
import { guard } from './guard.ts';
import type { Mediator } from './late-stream.ts';
import { type Address, type Opener, PinnedStream, type Show } from './pinned-stream.ts';

/** TLS that begins where a plaintext conversation ends. */
export interface UpgradedConnection {
  /**
   * Opens the plain connection and calls `ready` once: with an error, or when the next byte belongs to TLS. Handed in, because the
   * protocols know nothing of TLS, nor TLS of them.
   */
  readonly dial: (address: Address, ready: (error?: Error) => void, show: Show) => Duplex;
  readonly tls: ConnectionOptions;
  readonly policy: ServerPolicies;
}

/** TLS that begins in the middle of a conversation in which the driver takes part. */
export interface MediatedConnection<Mediation extends Mediator> extends Omit<UpgradedConnection, 'dial'> {
  /** Stands between the driver and the server; one for each connection. */
  readonly createMediation: () => Mediation;
  /** As in {@link UpgradedConnection}, with the mediation of this connection. */
  readonly dial: (address: Address, mediation: Mediation, ready: (error?: Error) => void, show: Show) => Duplex;
  /** Milliseconds from the driver's call to the verdict; 0: no limit. */
  readonly connectTimeoutMs: number;
}

/** The {@link Opener} of a driver whose server is asked for TLS first. The clock is the stream's, for it covers the dialling too. */
export function openUpgraded({ dial, tls, policy }: UpgradedConnection): Opener {
  return ({ host, port }, done, show) => {
    const unpinned = INLINE ? undefined : hostRefusal(policy, tls.servername || host);
    if (unpinned !== undefined) {
      // Before anybody is called; and later, as for any other attempt: when the caller has it in hand.
      queueMicrotask(() => done(unpinned));
      return { destroy: () => undefined };
    }
    const ready = (error?: Error): void => {
      if (error !== undefined) {
        done(error);
        return;
      }
      const options: ConnectionOptions = { servername: host, ...tls, socket: raw };
      const socket = guard({ options, policy, host, port, connectTimeoutMs: 0 });
      socket.once('error', done);
      socket.once('secureConnect', () => {
        socket.off('error', done);
        done(undefined, socket);
      });
    };
    const raw = dial({ host, port }, ready, show);
    return raw;
  };
}

/** The stream of a driver that reads the server's greeting itself, and answers it, before TLS begins. */
export function createMediatedStream<Mediation extends Mediator>(
  connection: MediatedConnection<Mediation>,
): PinnedStream {
  const { createMediation, dial, tls, policy, connectTimeoutMs } = connection;
  const mediation = createMediation();
  const open = openUpgraded({
    dial: (address, ready, show) => dial(address, mediation, ready, show),
    tls,
    policy,
  });
  return new PinnedStream(open, connectTimeoutMs, mediation);
}
