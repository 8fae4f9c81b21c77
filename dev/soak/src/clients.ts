import type { Agent as HttpsAgent } from 'node:https';
import { request as httpsRequest } from 'node:https';
import type { LivePins } from 'certpin';
import { pinnedAgent } from 'certpin/https';
import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import { pinnedDispatcher } from 'certpin/undici';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { Agent, request } from 'undici-7';
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
  /** Codes (messages, where there is none) of the errors of Node, the driver and the server with which a connection ends. */
  readonly connectionErrors: readonly string[];
  readonly open: (target: Target, pins: LivePins, connections: number) => SoakPool;
}

/** Seconds that a statement takes, so that a connection that is cut has a statement in it. */
const STATEMENT_SECONDS = 0.01;

const node = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'];

export const clients: readonly SoakClient[] = [
  {
    name: 'mysql2',
    server: 'mariadb',
    connectionErrors: [...node, 'PROTOCOL_CONNECTION_LOST', 'ER_CONNECTION_KILLED', 'ER_SERVER_SHUTDOWN'],
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
    connectionErrors: [...node, '57P01', '57P03', 'Connection terminated unexpectedly'],
    open: ({ host, port, login }, pins, connections) => {
      const pool = new pg.Pool(pinnedPg({ host, port, ...login, max: connections }, { pins }));
      pool.on('error', () => undefined); // idle connections end too
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
    connectionErrors: [...node, 'UND_ERR_SOCKET'],
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
    connectionErrors: node,
    open: (target, pins, connections) => {
      const agent = pinnedAgent({ pins, keepAlive: true, maxSockets: connections });
      return { exchange: () => post(target, agent), close: async () => agent.destroy() };
    },
  },
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

function expectCanary(answer: unknown): void {
  if (answer !== 'canary') throw new Error('the server gave another answer');
}
