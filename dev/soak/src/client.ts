import type { LivePins } from 'certpin';
import { isSupported } from 'certpin/driver-tls';
import type { ServerKind, Target } from './stage.ts';

/** A pool under test. */
export interface SoakPool {
  /** Sends something, and rejects if the answer is wrong. */
  readonly exchange: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface SoakClient {
  readonly name: string;
  readonly server: ServerKind;
  /** Why this Node cannot run it. */
  readonly notOnThisNode?: string;
  /**
   * The errors of Node, the driver and the server that may end a connection: their codes, or the first lines of messages without a code.
   */
  readonly connectionErrors: readonly string[];
  /** Set if its pool cannot be as large as the others. */
  readonly mostConnections?: number;
  readonly open: (target: Target, pins: LivePins, connections: number) => SoakPool;
}

/** Node's errors at the end of a connection. */
export const nodeErrors = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'];

/** For clients whose connections certpin sees when they are made. */
export const seen: Pick<SoakClient, 'notOnThisNode'> = isSupported()
  ? {}
  : { notOnThisNode: `Node ${process.version} does not announce TLS sockets; Node 22.17, 24.2 and newer do` };

export function expectCanary(answer: unknown): void {
  if (answer !== 'canary') throw new Error('the server gave another answer');
}
