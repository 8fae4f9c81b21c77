// The accident this prevents: whoever hears of a verdict takes the pin away, and the connection of that verdict goes on.

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { get } from 'node:https';
import { after, before, describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import {
  type CountingServer,
  certificateHex,
  failureOf,
  mint,
  startHttp2Server,
  startHttpsServer,
  startTlsServer,
} from '@certpin/testkit';
import { loginTo } from '@certpin/testkit/clients';
import { type Mariadb, startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import axios from 'axios';
import mysql from 'mysql';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import postgresJs from 'postgres';
import { Agent, request } from 'undici-6';
import { pinnedAxios } from '../../src/adapters/axios.ts';
import { pinnedHttp2 } from '../../src/adapters/http2.ts';
import { pinnedAgent } from '../../src/adapters/https.ts';
import { pinnedMariadb } from '../../src/adapters/mariadb.ts';
import { pinnedMysql } from '../../src/adapters/mysql.ts';
import { pinnedMysql2 } from '../../src/adapters/mysql2.ts';
import { pinnedPg } from '../../src/adapters/pg.ts';
import { pinnedPostgres } from '../../src/adapters/postgres.ts';
import { pinnedConnector, pinnedFetch } from '../../src/adapters/undici.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { findCertpinError, type LivePins, livePins } from '../../src/index.ts';
import { connect, VERDICT_CHANNEL } from '../../src/tls/index.ts';
import { mariadb as connector } from '../adapters/mariadb-of-node.ts';

const [old, next] = [await mint(), await mint()];
const certificate = old;

let postgres: Postgres;
let mariadb: Mariadb;
before(async () => {
  [postgres, mariadb] = await Promise.all([startPostgres({ certificate }), startMariadb({ certificate })]);
});
after(() => Promise.all([postgres.stop(), mariadb.stop()]));

interface Client {
  readonly serve: () => Promise<CountingServer>;
  readonly call: (target: { host: string; port: number }, policy: { pins: LivePins }, t: TestContext) => unknown;
}

const http = (): Promise<CountingServer> => startHttpsServer({ certificate });
const sql = (): Promise<CountingServer> => startPostgresRelay({ certificate, upstream: postgres });
const my = (): Promise<CountingServer> => startMysqlRelay({ certificate, upstream: mariadb });

const clients: Record<string, Client> = {
  tls: {
    serve: () => startTlsServer({ certificate }),
    call: async (target, policy) => {
      const socket = connect({ ...target, ...policy });
      socket.write('password');
      await once(socket, 'secureConnect');
    },
  },
  https: {
    serve: http,
    call: async (target, policy) => {
      await once(get({ ...target, agent: pinnedAgent({ ...policy, keepAlive: true }) }), 'response');
    },
  },
  fetch: { serve: http, call: ({ host, port }, policy) => pinnedFetch(policy)(`https://${host}:${port}/`) },
  undici: {
    serve: http,
    call: ({ host, port }, policy) =>
      request(`https://${host}:${port}/`, { dispatcher: new Agent({ connect: pinnedConnector(policy) }) }),
  },
  axios: {
    serve: http,
    call: ({ host, port }, policy) => axios.get(`https://${host}:${port}/`, pinnedAxios({}, policy)),
  },
  http2: {
    serve: () => startHttp2Server({ certificate }),
    call: async ({ host, port }, policy) => {
      await once(connectHttp2(`https://${host}:${port}`, pinnedHttp2(policy)), 'connect');
    },
  },
  pg: {
    serve: sql,
    call: (target, policy) => new pg.Client(pinnedPg({ ...target, ...loginTo(postgres) }, policy)).connect(),
  },
  postgres: {
    serve: sql,
    call: (target, policy) => postgresJs(pinnedPostgres({ ...target, ...loginTo(postgres) }, policy))`SELECT 1`,
  },
  mysql: {
    serve: my,
    call: (target, policy) => {
      const connection = mysql.createConnection(pinnedMysql(mysql, { ...target, ...loginTo(mariadb) }, policy));
      return promisify(connection.connect).call(connection);
    },
  },
  mysql2: {
    serve: my,
    call: (target, policy) => createConnection(pinnedMysql2({ ...target, ...loginTo(mariadb) }, policy)),
  },
  mariadb: {
    serve: my,
    call: (target, policy) => connector.createConnection(pinnedMariadb({ ...target, ...loginTo(mariadb) }, policy)),
  },
};

describe('pins that a subscriber of the verdict takes away are gone for that very connection:', () => {
  for (const [name, { serve, call }] of Object.entries(clients)) {
    test(name, async (t) => {
      const server = await serve();
      t.after(server.close);
      const pins = livePins([certificateHex(old), certificateHex(next)]);
      const verdicts: Verdict[] = [];
      const listener = (message: unknown): void => {
        verdicts.push(message as Verdict);
        if (verdicts.length === 1) pins.set(certificateHex(next));
      };
      subscribe(VERDICT_CHANNEL, listener);
      t.after(() => unsubscribe(VERDICT_CHANNEL, listener));
      const failure = await failureOf((async () => call({ host: server.host, port: server.port }, { pins }, t))());
      const error = findCertpinError(failure) ?? (failure as { code?: string });
      assert.equal(error.code, 'ERR_PIN_MISMATCH');
      assert.equal(server.received(), 0);
      assert.deepEqual(
        verdicts.map(({ ok }) => ok),
        [true, false],
        'both are told',
      );
    });
  }
});

test('a subscriber that sets pins with every verdict comes to an end', async (t) => {
  const server = await startTlsServer({ certificate });
  t.after(server.close);
  const pins = livePins(certificateHex(old));
  const listener = (): void => pins.set(certificateHex(old));
  subscribe(VERDICT_CHANNEL, listener);
  t.after(() => unsubscribe(VERDICT_CHANNEL, listener));
  const socket = connect({ host: server.host, port: server.port, pins });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
});
