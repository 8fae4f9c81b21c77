import type { LivePins } from 'certpin';
import { isSupported } from 'certpin/driver-tls';
import type { ServerKind, Target } from './stage.ts';

/** A pool under test. */
export interface SoakPool {
  /** Sends something, and rejects where the answer is another one. */
  readonly exchange: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface SoakClient {
  readonly name: string;
  readonly server: ServerKind;
  /** Why this Node cannot run it. */
  readonly notOnThisNode?: string;
  /** Codes (the first lines of messages, where there is none) of the errors of Node, the driver and the server with which a connection ends. */
  readonly connectionErrors: readonly string[];
  /** Where its pool cannot be as large as those of the others. */
  readonly mostConnections?: number;
  readonly open: (target: Target, pins: LivePins, connections: number) => SoakPool;
}

/** What Node says of a connection that ends. */
export const nodeErrors = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'];

/** For clients whose connections certpin sees when they are made. */
export const seen: Pick<SoakClient, 'notOnThisNode'> = isSupported()
  ? {}
  : { notOnThisNode: `Node ${process.version} does not announce TLS sockets; Node 22.17, 24.2 and newer do` };

export function expectCanary(answer: unknown): void {
  if (answer !== 'canary') throw new Error('the server gave another answer');
}
