// The accident this prevents: somebody takes TLS away from the connections of a service, and whoever watches the channel of verdicts hears
// nothing, for there was no verdict.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { get } from 'node:https';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { certificateHex, mint, startHttp2Server, startHttpsServer, startScriptedServer } from '@certpin/testkit';
import { type Mariadb, startMariadb } from '@certpin/testkit/mariadb';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { startHttpProxy } from '@certpin/testkit/proxy';
import axios from 'axios';
import mysql from 'mysql';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import postgresJs from 'postgres';
import { pinnedAxios } from '../../src/adapters/axios.ts';
import { pinnedHttp2 } from '../../src/adapters/http2.ts';
import { pinnedAgent } from '../../src/adapters/https.ts';
import { pinnedMariadb } from '../../src/adapters/mariadb.ts';
import { pinnedMysql } from '../../src/adapters/mysql.ts';
import { pinnedMysql2 } from '../../src/adapters/mysql2.ts';
import { pinnedPg } from '../../src/adapters/pg.ts';
import { pinnedPostgres } from '../../src/adapters/postgres.ts';
import { pinnedFetch } from '../../src/adapters/undici.ts';
import { ATTEMPT_CHANNEL, type ConnectionAttempt, connect, type GuardOptions } from '../../src/tls/index.ts';
import { mariadb as connector } from '../adapters/mariadb-of-node.ts';

const certificate = await mint({ names: ['localhost'] });
const pins = certificateHex(certificate);
const wrong = 'A'.repeat(64);

let heard: ConnectionAttempt[] = [];
const hear = (attempt: unknown): void => void heard.push(attempt as ConnectionAttempt);
beforeEach(() => {
  heard = [];
  subscribe(ATTEMPT_CHANNEL, hear);
});
afterEach(() => unsubscribe(ATTEMPT_CHANNEL, hear));

let postgres: Postgres;
let mariadb: Mariadb;
let https: { port: number; close: () => Promise<void> };
let http2: { port: number; close: () => Promise<void> };
before(async () => {
  [postgres, mariadb] = await Promise.all([startPostgres({ certificate }), startMariadb({ certificate })]);
  https = await startHttpsServer({ certificate });
  http2 = await startHttp2Server({ certificate });
});
after(() => Promise.all([postgres.stop(), mariadb.stop(), https.close(), http2.close()]));

interface Server {
  readonly host: string;
  readonly port: number;
}
type Call = (server: Server, policy: GuardOptions) => Promise<unknown>;

const login = { user: 'login', password: 'hunter2', database: 'users' };
const account = (server: Server): typeof login => {
  const { user, password, database } =
    server.port === postgres.port ? postgres : server.port === mariadb.port ? mariadb : login;
  return { user, password, database };
};

/** One connection by each client. */
const clients: Record<string, { readonly right: () => Server; readonly call: Call }> = {
  https: {
    right: () => ({ host: 'localhost', port: https.port }),
    call: (server, policy) =>
      new Promise((resolve, reject) => {
        const agent = pinnedAgent(policy);
        get({ ...server, agent, headers: { authorization: 'hunter2' } }, (response) =>
          response.resume().once('end', resolve),
        ).once('error', reject);
      }),
  },
  axios: {
    right: () => ({ host: 'localhost', port: https.port }),
    call: ({ host, port }, policy) => axios.get(`https://${host}:${port}/hunter2`, pinnedAxios({}, policy)),
  },
  undici: {
    right: () => ({ host: 'localhost', port: https.port }),
    call: async ({ host, port }, policy) => {
      const api = pinnedFetch(policy);
      await api(`https://${host}:${port}/hunter2`).finally(() => api.dispatcher.destroy());
    },
  },
  http2: {
    right: () => ({ host: 'localhost', port: http2.port }),
    call: async ({ host, port }, policy) => {
      const session = connectHttp2(`https://${host}:${port}`, { ...pinnedHttp2(policy) });
      await once(session, 'connect').finally(() => session.destroy());
    },
  },
  tls: {
    right: () => ({ host: 'localhost', port: https.port }),
    call: async (server, policy) => {
      const socket = connect({ ...server, ...policy });
      await once(socket, 'secureConnect');
      socket.destroy();
    },
  },
  pg: {
    right: () => postgres,
    call: async ({ host, port }, policy) => {
      const client = new pg.Client({ ...pinnedPg({ host, port, ...account({ host, port }) }, policy) });
      client.on('error', () => undefined);
      await client.connect();
      await client.end();
    },
  },
  postgres: {
    right: () => postgres,
    call: async ({ host, port }, policy) => {
      const sql = postgresJs(pinnedPostgres({ host, port, ...account({ host, port }), max: 1 }, policy));
      await sql`select 1`.finally(() => sql.end());
    },
  },
  mysql2: {
    right: () => mariadb,
    call: async ({ host, port }, policy) => {
      await (await createConnection(pinnedMysql2({ host, port, ...account({ host, port }) }, policy))).end();
    },
  },
  mariadb: {
    right: () => mariadb,
    call: async ({ host, port }, policy) => {
      await (await connector.createConnection(pinnedMariadb({ host, port, ...account({ host, port }) }, policy))).end();
    },
  },
  mysql: {
    right: () => mariadb,
    call: ({ host, port }, policy) =>
      new Promise((resolve, reject) => {
        const connection = mysql.createConnection(
          pinnedMysql(mysql, { host, port, ...account({ host, port }) }, policy),
        );
        connection.connect((error) => (error ? reject(error) : connection.end(() => resolve(undefined))));
      }),
  },
};

async function endOf(client: string, call: () => Promise<unknown>): Promise<ConnectionAttempt> {
  await call().catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(heard.length, 1, JSON.stringify(heard));
  const [attempt] = heard as [ConnectionAttempt];
  assert.equal(attempt.client, client);
  assert.ok(attempt.durationMs > 0 && attempt.durationMs < 10_000);
  assert.doesNotMatch(JSON.stringify(attempt), /hunter2/);
  return attempt;
}

for (const [client, { right, call }] of Object.entries(clients)) {
  describe(`the end of each attempt is told, once: ${client}`, () => {
    const told = async (server: Server, policy: GuardOptions): Promise<[string, string | undefined]> => {
      const attempt = await endOf(client, () => call(server, policy));
      assert.deepEqual([attempt.host, attempt.port], [server.host, server.port]);
      return [attempt.outcome, attempt.code];
    };

    test('a matching verdict, with the address', async () => {
      const { port } = right();
      assert.deepEqual(await told({ host: 'localhost', port }, { pins }), ['opened', undefined]);
      assert.match(heard[0]?.address ?? '', /^(?:127\.0\.0\.1|::1)$/);
    });

    test('a refusal', async () => {
      const { port } = right();
      assert.deepEqual(await told({ host: 'localhost', port }, { pins: wrong }), ['refused', 'ERR_PIN_MISMATCH']);
      assert.match(heard[0]?.address ?? '', /^(?:127\.0\.0\.1|::1)$/);
    });

    test('a silent server', async (t) => {
      const server = await startScriptedServer(() => undefined);
      t.after(server.close);
      const end = await told({ host: '127.0.0.1', port: server.port }, { pins, connectTimeoutMs: 100 });
      assert.deepEqual(end, ['timed-out', 'ERR_CONNECT_TIMEOUT']);
    });

    test('a host without pins', async () => {
      const end = await told({ host: '127.0.0.1', port: 2 }, { hosts: { 'other.example': { pins } } });
      assert.deepEqual(end, ['unpinned', 'ERR_HOST_UNPINNED']);
    });

    test('nobody listens', async () => {
      assert.deepEqual(await told({ host: '127.0.0.1', port: 2 }, { pins }), ['failed', 'ECONNREFUSED']);
    });
  });
}

describe('a refusal before the verdict is told', () => {
  for (const client of ['pg', 'postgres']) {
    for (const [what, answer, code] of [
      ['TLS was taken away', 'N', 'ERR_UPGRADE_REFUSED'],
      ['bytes were injected', 'Sinjected', 'ERR_UPGRADE_INJECTED'],
      ['the server speaks something else', 'HTTP', 'ERR_UPGRADE_UNEXPECTED'],
    ] as const) {
      test(`${client}: ${what}`, async (t) => {
        const server = await startScriptedServer((socket) => socket.once('data', () => socket.write(answer)));
        t.after(server.close);
        const at = { host: '127.0.0.1', port: server.port };
        const {
          outcome,
          code: told,
          address,
        } = await endOf(client, () => clients[client]?.call(at, { pins }) as Promise<unknown>);
        assert.deepEqual([outcome, told, address], ['refused', code, '127.0.0.1']);
      });
    }
  }

  for (const client of ['pg', 'mysql2', 'mariadb', 'mysql']) {
    test(`${client}: the server hangs up`, async (t) => {
      const server = await startScriptedServer((socket) => socket.end());
      t.after(server.close);
      const at = { host: '127.0.0.1', port: server.port };
      const { outcome, code } = await endOf(client, () => clients[client]?.call(at, { pins }) as Promise<unknown>);
      assert.deepEqual([outcome, code], ['refused', 'ERR_CONNECTION_CLOSED']);
    });
  }

  test('a proxy refuses, and nobody knows the address of the server', async (t) => {
    const proxy = await startHttpProxy({ allowedPort: https.port === 4443 ? 4444 : 4443 });
    t.after(proxy.stop);
    const api = pinnedFetch({ pins }, { proxy: proxy.url });
    t.after(() => api.dispatcher.destroy());
    const { outcome, code, address } = await endOf('undici', () => api(`https://localhost:${https.port}/`));
    assert.deepEqual([outcome, code, address], ['refused', 'ERR_PROXY_REFUSED', undefined]);
  });
});

test('the pin holds, and the server knows no such protocol: the client has no connection', async (t) => {
  const relay = await startPostgresRelay({ certificate, upstream: postgres });
  t.after(relay.close);
  const server = { ...login, host: 'localhost', port: relay.port, sslnegotiation: 'direct' } as const;
  const sql = postgresJs(pinnedPostgres({ ...server, max: 1 }, { pins }));
  for (const [client, call] of Object.entries({
    pg: () => new pg.Client({ ...pinnedPg(server, { pins }) }).connect(),
    postgres: () => sql`select 1`.finally(() => sql.end()),
  })) {
    heard = [];
    const { outcome, code } = await endOf(client, call);
    assert.deepEqual([outcome, code], ['refused', 'ERR_UPGRADE_UNEXPECTED'], client);
  }
  assert.equal(relay.received(), 0);
});

test('what the client gives up is told', async (t) => {
  const server = await startScriptedServer(() => undefined);
  t.after(server.close);
  const given = new AbortController();
  const socket = connect({ host: '127.0.0.1', port: server.port, pins, signal: given.signal });
  socket.on('error', () => undefined);
  setTimeout(() => given.abort(), 30);
  const { outcome } = await endOf('tls', () => once(socket, 'close'));
  assert.equal(outcome, 'aborted');
});

test('where nobody listens, nothing is measured', async () => {
  unsubscribe(ATTEMPT_CHANNEL, hear);
  const socket = connect({ host: 'localhost', port: https.port, pins });
  await once(socket, 'secureConnect');
  socket.destroy();
  assert.deepEqual(heard, []);
});
