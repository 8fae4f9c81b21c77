import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type { Address, Opener, Pinner } from '../leaf/pinner.ts';
import { startTimeout } from '../leaf/time-limit.ts';

/** Opens the plain connection and calls `ready` once: with an error, or when the next byte belongs to TLS. */
export type Dial = (address: Address, ready: (error?: Error) => void) => Duplex;

/** The {@link Opener} of a driver whose server is first asked for TLS. TLS begins where the plaintext conversation ends. */
export function openUpgraded(pinner: Pinner, tls: ConnectionOptions, dial: Dial): Opener {
  const open: Opener = (address, stream) => {
    const fail = (error: Error): unknown => stream.destroy(error);
    const raw = dial(address, (error) => {
      try {
        if (error !== undefined) throw error;
        const socket = pinner.open({ ...tls, ...address, socket: raw });
        socket.on('error', fail).once('secureConnect', stop);
        socket.once('secureConnect', () => stream.adopt(socket));
      } catch (problem) {
        // Also for a TLS option that cannot be used.
        fail(problem as Error);
      }
    });
    const stop = startTimeout(pinner.connectTimeoutMs, fail);
    return raw.once('close', stop);
  };
  return pinner.around?.(open, tls) ?? open;
}
