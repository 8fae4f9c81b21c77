import type { EventEmitter } from 'node:events';
import { pinnedIoredis, pinnedRedis } from 'certpin/redis';
import { createRedisClient, Redis } from '../../../../packages/certpin/test/drivers.ts';
import { expectCanary, nodeErrors, type SoakClient, type SoakPool, seen } from '../client.ts';
import { lend } from '../pool.ts';

/** Milliseconds until a client that has lost its connection makes another one. */
const RECONNECT_AFTER_MS = 10;

/** Of ioredis, where a command has lost its connection. */
const TOO_OFTEN =
  'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.';

/** What is used of either client. It connects again by itself. */
interface Reconnecting {
  readonly events: EventEmitter;
  readonly isReady: () => boolean;
  readonly echo: (text: string) => Promise<unknown>;
  readonly end: () => unknown;
}

export const redisClients: readonly SoakClient[] = [
  {
    name: 'ioredis',
    server: 'redis',
    connectionErrors: [...nodeErrors, 'Connection is closed.', TOO_OFTEN],
    open: ({ host, port, login }, pins, connections) => {
      const { user: username, password } = login;
      const retryStrategy = (): number => RECONNECT_AFTER_MS;
      const config = pinnedIoredis(
        { host, port, username, password, maxRetriesPerRequest: 0, retryStrategy },
        { pins },
      );
      return poolOfReconnecting(connections, () => {
        const client = new Redis(config);
        return {
          events: client,
          isReady: () => client.status === 'ready',
          echo: (text) => client.echo(text),
          end: () => client.disconnect(),
        };
      });
    },
  },
  {
    ...seen,
    name: 'node-redis',
    server: 'redis',
    connectionErrors: [...nodeErrors, 'Socket closed unexpectedly'],
    open: ({ host, port, login }, pins, connections) => {
      const { user: username, password } = login;
      const socket = { host, port, reconnectStrategy: () => RECONNECT_AFTER_MS };
      const config = pinnedRedis({ username, password, socket }, { pins });
      return poolOfReconnecting(connections, () => {
        const client = createRedisClient(config);
        client.connect().catch(() => undefined);
        return {
          events: client,
          isReady: () => client.isReady,
          echo: (text) => client.echo(text),
          end: () => client.destroy(),
        };
      });
    },
  },
];

function poolOfReconnecting(connections: number, create: () => Reconnecting): SoakPool {
  const clients = Array.from({ length: connections }, create);
  for (const { events } of clients) events.on('error', () => undefined);
  return {
    exchange: lend(clients, (client) => echoOn(client)),
    close: async () => {
      for (const { end } of clients) end();
    },
  };
}

/**
 * Sends a command, and repeats it once after a failure. The connection attempt in progress may be older than the operation. Its refusal
 * then says nothing about the present server.
 */
async function echoOn(client: Reconnecting, turns = 2): Promise<void> {
  try {
    if (!client.isReady()) await readiness(client.events);
    expectCanary(await client.echo('canary'));
  } catch (error) {
    if (turns === 1) throw error;
    await echoOn(client, turns - 1);
  }
}

/** The client says only in its event why it cannot connect. */
function readiness(events: EventEmitter): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      events.off('ready', settle).off('error', settle);
      if (error === undefined) resolve();
      else reject(error);
    };
    events.on('ready', settle).on('error', settle);
  });
}
