import type { Agent } from 'node:https';
import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import { CANARY, type SuiteClient } from './conformance.ts';
import type { Mariadb } from './mariadb.ts';
import type { Postgres } from './postgres.ts';

/** A suite client that opens a TLS connection for each exchange with an echoing server. */
export function tlsClient(connect: () => Duplex): SuiteClient {
  return {
    exchange: () =>
      new Promise((resolve, reject) => {
        const socket = connect();
        let answer = '';
        socket.once('error', reject).once('close', () => reject(new Error('closed without an answer')));
        socket.on('data', (chunk: Buffer) => {
          answer += chunk;
          if (answer !== CANARY) return;
          resolve();
          socket.destroy();
        });
        // Before the handshake: what is queued now must not leave for the wrong server.
        socket.write(CANARY);
      }),
    reconnect: async () => undefined,
    close: async () => undefined,
  };
}

/** The `Host` header of a request, where a case gives one. */
export const hostHeaders = (host: string | undefined): { host?: string } => (host === undefined ? {} : { host });

/** A suite client that posts through an agent. */
export function agentClient(target: { host: string; port: number }, agent: Agent, hostHeader?: string): SuiteClient {
  const headers = hostHeaders(hostHeader);
  return {
    exchange: () =>
      new Promise((resolve, reject) => {
        const outgoing = request({ ...target, agent, headers, method: 'POST', path: '/login' }, (response) => {
          response.resume().once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error('no 200'))));
        });
        outgoing.once('error', reject).end(CANARY);
      }),
    reconnect: async () => agent.destroy(),
    close: async () => agent.destroy(),
  };
}

/** A suite client that posts and wants 200; `open` makes a client with its own pool each time. */
export function postClient(open: () => { post: (body: string) => Promise<number>; close: () => unknown }): SuiteClient {
  let client = open();
  return {
    exchange: async () => {
      if ((await client.post(CANARY)) !== 200) throw new Error('no 200');
    },
    reconnect: async () => {
      await client.close();
      client = open();
    },
    close: async () => void (await client.close()),
  };
}

/** The part of a pinned `fetch` that the suite uses. */
export interface FetchLike {
  (url: string, init: { method: string; body: string }): Promise<{ status: number; text(): Promise<string> }>;
  readonly dispatcher: { destroy(): unknown };
}

/** A suite client that posts through `fetch`; `open` makes one with its own pool each time. */
export function fetchClient({ host, port }: { host: string; port: number }, open: () => FetchLike): SuiteClient {
  return postClient(() => {
    const fetch = open();
    return {
      post: async (body) => {
        const response = await fetch(`https://${host}:${port}/login`, { method: 'POST', body });
        await response.text();
        return response.status;
      },
      close: () => fetch.dispatcher.destroy(),
    };
  });
}

/** A suite client that posts through axios; `create` makes an instance from the same configuration each time. */
export function axiosClient(
  agent: Agent,
  create: () => { post(path: string, body: string, options: object): Promise<{ status: number }> },
  hostHeader?: string,
): SuiteClient {
  const headers = hostHeaders(hostHeader);
  return postClient(() => {
    const api = create();
    return { post: async (body) => (await api.post('/login', body, { headers })).status, close: () => agent.destroy() };
  });
}

/** The part of pg's pool that the suite uses. */
export interface PoolLike {
  query(text: string, values: unknown[]): Promise<{ rows: { answer: string }[] }>;
  end(): Promise<void>;
  on(event: 'error', listener: () => void): unknown;
}

/** A suite client that queries through a pool; `createPool` makes one from the same configuration each time. */
export function poolClient(createPool: () => PoolLike): SuiteClient {
  const open = (): PoolLike => {
    const pool = createPool();
    pool.on('error', () => undefined); // The server closes idle connections when a case ends.
    return pool;
  };
  let pool = open();
  return {
    exchange: async () => {
      const { rows } = await pool.query('SELECT $1::text AS answer', [CANARY]);
      if (rows[0]?.answer !== CANARY) throw new Error('the server gave another answer');
    },
    reconnect: async () => {
      await pool.end();
      pool = open();
    },
    close: () => pool.end(),
  };
}

/** The part of postgres.js that the suite uses. */
export interface SqlLike {
  unsafe(text: string, values: string[]): PromiseLike<readonly object[]>;
  end(): Promise<void>;
}

/** A suite client that queries through postgres.js. */
export function sqlClient(createSql: () => SqlLike): SuiteClient {
  let sql = createSql();
  return {
    exchange: async () => {
      const [row] = await sql.unsafe('SELECT $1::text AS answer', [CANARY]);
      if ((row as { answer?: string }).answer !== CANARY) throw new Error('the server gave another answer');
    },
    reconnect: async () => {
      await sql.end();
      sql = createSql();
    },
    close: () => sql.end(),
  };
}

/** The part of mysql2's promise pool that the suite uses. */
export interface MysqlPoolLike {
  query(text: string, values: unknown[]): Promise<[unknown, unknown]>;
  end(): Promise<void>;
}

/** As {@link poolClient}, for the pools of MySQL's drivers. */
export function mysqlPoolClient(createPool: () => MysqlPoolLike): SuiteClient {
  let pool = createPool();
  return {
    exchange: async () => {
      const [rows] = await pool.query('SELECT ? AS answer', [CANARY]);
      if ((rows as { answer: string }[])[0]?.answer !== CANARY) throw new Error('the server gave another answer');
    },
    reconnect: async () => {
      await pool.end();
      pool = createPool();
    },
    close: () => pool.end(),
  };
}

/** The part of the frozen driver's pool that the suite uses. */
export interface CallbackPoolLike {
  query(
    text: string,
    values: unknown[],
    callback: (error: Error | null, rows?: unknown, fields?: unknown) => void,
  ): void;
  end(callback: (error?: Error) => void): void;
}

/** As {@link mysqlPoolClient}, for a driver with callbacks. */
export function callbackPoolClient(createPool: () => CallbackPoolLike): SuiteClient {
  return mysqlPoolClient(() => {
    const pool = createPool();
    return {
      query: (text, values) =>
        new Promise((resolve, reject) => {
          pool.query(text, values, (error, rows, fields) => (error ? reject(error) : resolve([rows, fields])));
        }),
      end: () => promisify(pool.end.bind(pool))(),
    };
  });
}

/** The part of a connection of MariaDB's connector that the suite uses. */
export interface MariadbConnectionLike {
  query(text: string, values: unknown[]): Promise<{ answer: string }[]>;
  end(): Promise<void>;
  on(event: 'error', listener: () => void): unknown;
}

/** A suite client that keeps one connection: a pool of the connector reports a refusal only when its time is over. */
export function mariadbClient(connect: () => Promise<MariadbConnectionLike>): SuiteClient {
  let kept: MariadbConnectionLike | undefined;
  const close = async (): Promise<void> => {
    await kept?.end();
    kept = undefined;
  };
  return {
    exchange: async () => {
      const connection = kept ?? (await connect());
      kept = connection;
      connection.on('error', () => undefined); // The server closes idle connections when a case ends.
      const [row] = await connection.query('SELECT ? AS answer', [CANARY]);
      if (row?.answer !== CANARY) throw new Error('the server gave another answer');
    },
    reconnect: close,
    close,
  };
}

/** The part of ldapts that the suite uses. */
export interface LdapLike {
  bind(user: string, password: string): Promise<void>;
  search(base: string, options: { scope: 'sub'; filter: string }): Promise<{ searchEntries: readonly unknown[] }>;
  unbind(): Promise<void>;
}

/**
 * A suite client that binds and searches. It keeps the client after a successful bind. Until then, it makes one for each exchange, because
 * ldapts loses calls that begin while it connects for another call.
 */
export function ldapClient(
  create: () => LdapLike,
  { user, password, database }: { user: string; password: string; database: string },
): SuiteClient {
  const clients = new Set<LdapLike>();
  const close = async (): Promise<void> => {
    for (const client of clients) await client.unbind();
    clients.clear();
  };
  return {
    exchange: async () => {
      const [client = create()] = clients;
      await client.bind(user, password);
      clients.add(client);
      const { searchEntries } = await client.search(database, { scope: 'sub', filter: `(description=${CANARY})` });
      if (searchEntries.length !== 1) throw new Error('the server gave another answer');
    },
    reconnect: close,
    close,
  };
}

/** The part of ldapjs that the suite uses. */
export interface LdapjsLike {
  on(event: 'connect' | 'error', listener: (error: Error) => void): unknown;
  bind(user: string, password: string, callback: (error: Error | null) => void): void;
  search(base: string, options: object, callback: (error: Error | null, response: LdapjsResponse) => void): void;
  destroy(): void;
}

interface LdapjsResponse {
  on(event: 'searchEntry' | 'error' | 'end', listener: (value: unknown) => void): unknown;
}

/** ldapjs in the form of ldapts: it connects at its first call. */
export function promisedLdapjs(create: () => LdapjsLike): LdapLike {
  let connected: Promise<LdapjsLike> | undefined;
  const connect = (): Promise<LdapjsLike> =>
    new Promise((resolve, reject) => {
      const client = create();
      client.on('connect', () => resolve(client));
      client.on('error', reject);
    });
  const use = async <Value>(
    call: (client: LdapjsLike, done: (error?: Error | null, value?: Value) => void) => void,
  ): Promise<Value> => {
    connected ??= connect();
    const client = await connected;
    return new Promise((resolve, reject) => {
      call(client, (error, value) => (error ? reject(error) : resolve(value as Value)));
    });
  };
  return {
    bind: (user, password) => use((client, done) => client.bind(user, password, done)),
    search: (base, options) =>
      use((client, done) => {
        const searchEntries: unknown[] = [];
        client.search(base, options, (error, response) => {
          if (error) return done(error);
          response.on('searchEntry', (entry) => searchEntries.push(entry));
          response.on('error', (reason) => done(reason as Error));
          response.on('end', () => done(null, { searchEntries }));
        });
      }),
    unbind: async () => (await connected?.catch(() => undefined))?.destroy(),
  };
}

/** The part of the clients of Redis that the suite uses. */
export interface RedisLike extends NodeJS.EventEmitter {
  connect(): Promise<unknown>;
  echo(text: string): Promise<unknown>;
  end(): unknown;
}

/** A suite client that keeps one connection. The first error that it reports is that of the connection. */
export function redisClient(create: () => RedisLike): SuiteClient {
  const made = new Set<RedisLike>();
  let kept: RedisLike | undefined;
  const close = async (): Promise<void> => {
    for (const client of made) client.end();
    made.clear();
    kept = undefined;
  };
  return {
    exchange: async () => {
      const client = kept ?? create();
      made.add(client);
      if (client !== kept) {
        const failed = new Promise<never>((_, reject) => client.on('error', reject));
        await Promise.race([failed, client.connect()]);
        failed.catch(() => undefined); // The server closes idle connections when a case ends.
        kept = client;
      }
      if ((await client.echo(CANARY)) !== CANARY) throw new Error('the server gave another answer');
    },
    reconnect: close,
    close,
  };
}

/** The part of the client of MongoDB that the suite uses. */
export interface MongoClientLike {
  connect(): Promise<unknown>;
  db(): { aggregate(pipeline: object[]): { toArray(): Promise<Record<string, unknown>[]> } };
  close(): Promise<void>;
}

/** A suite client that asks through a client with a pool; `open` makes one from the same configuration each time. */
export function mongodbClient(open: () => MongoClientLike): SuiteClient {
  let client = open();
  return {
    exchange: async () => {
      // Without this, the first of several calls gets the error of a refusal, and the others learn only that the client was closed.
      await client.connect();
      const pipeline = [{ $documents: [{ answer: CANARY }] }];
      const [document] = await client.db().aggregate(pipeline).toArray();
      if (document?.answer !== CANARY) throw new Error('the server gave another answer');
    },
    reconnect: async () => {
      await client.close();
      client = open();
    },
    close: () => client.close(),
  };
}

/** A connection to a database, or a pool, that returns the text that it is asked for. */
export interface AskedDatabase {
  ask(text: string): Promise<unknown>;
  close(): Promise<unknown>;
}

/** A suite client that keeps what it has opened; `open` makes one from the same configuration each time. */
export function askingClient(open: () => Promise<AskedDatabase>): SuiteClient {
  let kept: AskedDatabase | undefined;
  const close = async (): Promise<void> => {
    await kept?.close();
    kept = undefined;
  };
  return {
    exchange: async () => {
      const database = kept ?? (await open());
      kept = database;
      if ((await database.ask(CANARY)) !== CANARY) throw new Error('the server gave another answer');
    },
    reconnect: close,
    close,
  };
}

/** How to log in to a test database behind a relay on another port. */
export function loginTo({ user, password, database }: Postgres | Mariadb): {
  user: string;
  password: string;
  database: string;
} {
  return { user, password, database };
}
