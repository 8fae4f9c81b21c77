import type { Socket } from 'node:net';
import { networkOf } from './network-of.ts';

/** The connections of all clients. */
export interface Connections {
  readonly add: (socket: Socket) => void;
  /** Also those that have not shown yet who they are. */
  readonly endAll: () => void;
}

/**
 * Accepts every connection, and keeps a limited number. If there are more, the client with the most connections loses its oldest one. So
 * nobody can keep others away by holding connections open.
 */
export function createConnections(most: number): Connections {
  // Both in the order in which they came.
  const byClient = new Map<string, Set<Socket>>();
  let count = 0;
  const forget = (client: string, socket: Socket): void => {
    const own = byClient.get(client);
    if (!own?.delete(socket)) return;
    count -= 1;
    if (own.size === 0) byClient.delete(client);
  };
  const makeRoom = (): void => {
    const [[client, [oldest]] = ['', []]] = [...byClient].sort(([, one], [, other]) => other.size - one.size);
    if (oldest === undefined) return;
    forget(client, oldest);
    oldest.destroy();
  };
  return {
    add: (socket) => {
      const client = networkOf(socket.remoteAddress ?? '');
      byClient.set(client, (byClient.get(client) ?? new Set()).add(socket));
      count += 1;
      socket.once('close', () => forget(client, socket));
      if (count > most) makeRoom();
    },
    endAll: () => {
      for (const [client, own] of [...byClient])
        for (const socket of [...own]) {
          forget(client, socket);
          socket.destroy();
        }
    },
  };
}
