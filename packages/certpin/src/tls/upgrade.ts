import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { INLINE } from '../core/form.ts';
import { hostRefusal, type ServerPolicies } from '../core/host-policies.ts';
import { guard } from './guard.ts';
import type { Address, Opener } from './late-stream.ts';
import { namesOf } from './server-name.ts';
import { startTimeout } from './timeout.ts';

/** TLS that begins where a plaintext conversation ends. */
export interface UpgradedConnection {
  /**
   * Opens the plain connection and calls `ready` once: with an error, or when the next byte belongs to TLS. Handed in, because the
   * protocols know nothing of TLS, nor TLS of them.
   */
  readonly dial: (address: Address, ready: (error?: Error) => void) => Duplex;
  readonly tls: ConnectionOptions;
  readonly policy: ServerPolicies;
  /** From the call to the verdict; 0: no limit. */
  readonly connectTimeoutMs: number;
}

/** The {@link Opener} of a driver whose server is asked for TLS first. */
export function openUpgraded({ dial, tls, policy, connectTimeoutMs }: UpgradedConnection): Opener {
  return (address, stream) => {
    const unpinned = INLINE ? undefined : hostRefusal(policy, namesOf({ options: tls, host: address.host }));
    if (unpinned !== undefined) {
      // Before anybody is called; and later, as for any other attempt: when the caller has it in hand.
      queueMicrotask(() => stream.destroy(unpinned));
      return { destroy: () => undefined };
    }
    const fail = (error: Error): unknown => stream.destroy(error);
    const raw = dial(address, (error) => {
      try {
        if (error !== undefined) throw error;
        const socket = guard({ options: { ...tls, ...address, socket: raw }, policy });
        socket.on('error', fail).once('secureConnect', stop);
        socket.once('secureConnect', () => stream.adopt(socket));
      } catch (problem) {
        /** A TLS option that cannot be used, too: nobody else could catch it here. */
        fail(problem as Error);
      }
    });
    const stop = startTimeout(connectTimeoutMs, fail);
    return raw.once('close', stop);
  };
}
