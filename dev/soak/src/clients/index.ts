import type { Agent as HttpsAgent } from 'node:https';
import { request as httpsRequest } from 'node:https';
import { pinnedAgent } from 'certpin/https';
import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import { pinnedDispatcher } from 'certpin/undici';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { Agent, request } from 'undici-7';
import { expectCanary, nodeErrors, type SoakClient } from '../client.ts';
import type { Target } from '../stage.ts';
import { ldapts } from './ldapts.ts';
import { mongodb } from './mongodb.ts';
import { redisClients } from './redis.ts';
import { sqlServerClients } from './sql-server.ts';
import { streamClients } from './streams.ts';

/** Seconds that a statement takes, so that a cut connection has a statement in progress. */
const STATEMENT_SECONDS = 0.01;

export const clients: readonly SoakClient[] = [
  {
    name: 'mysql2',
    server: 'mariadb',
    connectionErrors: [...nodeErrors, 'PROTOCOL_CONNECTION_LOST', 'ER_CONNECTION_KILLED', 'ER_SERVER_SHUTDOWN'],
    open: ({ host, port, login }, pins, connections) => {
      const config = { host, port, ...login, connectionLimit: connections };
      const pool = mysql.createPool(pinnedMysql2(config, { pins }));
      return {
        exchange: async () => {
          const [rows] = await pool.query<mysql.RowDataPacket[]>('SELECT ? AS answer, SLEEP(?) AS slept', [
            'canary',
            STATEMENT_SECONDS,
          ]);
          expectCanary(rows[0]?.answer);
        },
        close: () => pool.end(),
      };
    },
  },
  {
    name: 'pg',
    server: 'postgres',
    connectionErrors: [...nodeErrors, '57P01', '57P03', 'Connection terminated unexpectedly'],
    open: ({ host, port, login }, pins, connections) => {
      const pool = new pg.Pool(pinnedPg({ host, port, ...login, max: connections }, { pins }));
      pool.on('error', () => undefined); // Idle connections end too.
      return {
        exchange: async () => {
          const { rows } = await pool.query('SELECT $1::text AS answer, pg_sleep($2)', ['canary', STATEMENT_SECONDS]);
          expectCanary(rows[0]?.answer);
        },
        close: () => pool.end(),
      };
    },
  },
  {
    name: 'undici',
    server: 'https',
    connectionErrors: [...nodeErrors, 'UND_ERR_SOCKET'],
    open: ({ host, port }, pins, connections) => {
      const dispatcher = pinnedDispatcher({ pins }, { Agent, connections });
      return {
        exchange: async () => {
          const options = { dispatcher, method: 'POST', body: 'canary' } as const;
          const { body } = await request(`https://${host}:${port}/`, options);
          expectCanary(await body.text());
        },
        close: () => dispatcher.close(),
      };
    },
  },
  {
    name: 'https',
    server: 'https',
    connectionErrors: nodeErrors,
    open: (target, pins, connections) => {
      const agent = pinnedAgent({ pins, keepAlive: true, maxSockets: connections });
      return { exchange: () => post(target, agent), close: async () => agent.destroy() };
    },
  },
  ...streamClients,
  ...redisClients,
  ldapts,
  ...sqlServerClients,
  mongodb,
];

/** Posts through an agent of `node:https`. */
export function post({ host, port }: Pick<Target, 'host' | 'port'>, agent: HttpsAgent): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({ host, port, agent, method: 'POST' }, async (response) => {
      try {
        let body = '';
        for await (const chunk of response) body += chunk;
        expectCanary(body);
        resolve();
      } catch (error) {
        reject(error);
      }
    });
    outgoing.once('error', reject).end('canary');
  });
}
