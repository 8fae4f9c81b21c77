import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { createServer, get, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { promisify } from 'node:util';
import {
  certificateHex,
  credentials,
  type Minted,
  mint,
  startHttpsServer,
  startScriptedServer,
  startTlsServer,
} from '@certpin/testkit';
import axios from 'axios';
import mysql from 'mysql';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import postgres from 'postgres';
import { pinnedAxios } from '../../src/adapters/axios.ts';
import { pinnedHttp2 } from '../../src/adapters/http2.ts';
import { pinnedAgent } from '../../src/adapters/https.ts';
import { pinnedMariadb } from '../../src/adapters/mariadb.ts';
import { pinnedMysql } from '../../src/adapters/mysql.ts';
import { pinnedMysql2 } from '../../src/adapters/mysql2.ts';
import { pinnedPg } from '../../src/adapters/pg.ts';
import { pinnedPostgres } from '../../src/adapters/postgres.ts';
import { pinnedFetch } from '../../src/adapters/undici.ts';
import { findCertpinError } from '../../src/index.ts';
import { connect, type GuardOptions } from '../../src/tls/index.ts';
import { mariadb } from '../adapters/mariadb-of-node.ts';

const ca = await mint({ ca: true, subject: 'CN=Ordinary CA' });
const [first, second] = [await mint(), await mint()];
/** By name to the first server, by address to the second. */
const hosts = { localhost: { pins: certificateHex(first) }, '127.0.0.1': { pins: certificateHex(second) } };

async function serve(t: TestContext, certificate: Minted) {
  const server = await startHttpsServer({ certificate });
  t.after(server.close);
  return server;
}

function request(options: RequestOptions): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(options, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    }).once('error', reject);
  });
}

/** A server that counts who called. Under TLS, or behind any upgrade, a client that was refused does not even open a connection. */
async function countCallers(t: TestContext) {
  let callers = 0;
  const server = await startScriptedServer(() => {
    callers++;
  });
  t.after(server.close);
  return { port: server.port, callers: () => callers };
}

describe('a client of several servers', () => {
  test('demands of each its own pin, and gives nothing to one with the pin of another', async (t) => {
    const [one, two] = [await serve(t, first), await serve(t, second)];
    const agent = pinnedAgent({ hosts, keepAlive: true });
    t.after(() => agent.destroy());
    assert.equal(await request({ host: 'localhost', port: one.port, agent }), 200);
    assert.equal(await request({ host: '127.0.0.1', port: two.port, agent }), 200);
    one.forget();
    two.forget();
    await assert.rejects(request({ host: '127.0.0.1', port: one.port, agent }), { code: 'ERR_PIN_MISMATCH' });
    await assert.rejects(request({ host: 'localhost', port: two.port, agent }), { code: 'ERR_PIN_MISMATCH' });
    assert.deepEqual([one.received(), two.received()], [0, 0]);
  });

  test('is judged by `servername` where the configuration gives it, and the dialled host has no entry', async (t) => {
    const server = await startTlsServer({ certificate: first });
    t.after(server.close);
    const named = { localhost: hosts.localhost };
    const socket = connect({ host: '127.0.0.1', port: server.port, servername: 'localhost', hosts: named });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
  });

  test('goes through a redirect to another pinned server, and not to one without pins', async (t) => {
    const target = await serve(t, second);
    const redirecting = createServer(credentials(first), (incoming, response) => {
      const host = incoming.url === '/pinned' ? '127.0.0.1' : 'elsewhere.localhost';
      response.writeHead(307, { location: `https://${host}:${target.port}/` }).end();
    }).listen(0, '127.0.0.1');
    await once(redirecting, 'listening');
    t.after(() => redirecting.close());
    const url = `https://localhost:${(redirecting.address() as AddressInfo).port}`;
    const api = pinnedFetch({ hosts });
    t.after(() => api.dispatcher.destroy());
    const clients: ((path: string) => Promise<{ status: number }>)[] = [
      async (path) => {
        const response = await api(url + path);
        await response.text();
        return response;
      },
      (path) => axios.get(url + path, pinnedAxios({}, { hosts })),
    ];
    for (const client of clients) {
      assert.equal((await client('/pinned')).status, 200);
      target.forget();
      const before = target.handshakes();
      const failure = await client('/elsewhere').catch((error) => error);
      const found = findCertpinError(failure);
      assert.ok(found?.code === 'ERR_HOST_UNPINNED' || failure.code === 'ERR_HOST_UNPINNED', String(failure));
      assert.equal(target.handshakes(), before);
      assert.equal(target.received(), 0);
    }
  });
});

describe('a host without pins is not even called', () => {
  const policy: GuardOptions = { hosts: { 'db.example.com': { pins: certificateHex(first) } } };
  const login = { user: 'app', password: 'secret', database: 'app' };
  const clients: Record<string, (port: number, t: TestContext) => unknown> = {
    tls: (port) => connect({ port, ...policy }),
    https: (port, t) => {
      const agent = pinnedAgent(policy);
      t.after(() => agent.destroy());
      return request({ host: 'localhost', port, agent });
    },
    http2: (port) => connectHttp2(`https://localhost:${port}`, pinnedHttp2(policy)),
    fetch: (port, t) => {
      const api = pinnedFetch(policy);
      t.after(() => api.dispatcher.destroy());
      return api(`https://localhost:${port}/`);
    },
    axios: (port) => axios.get(`https://localhost:${port}/`, pinnedAxios({}, policy)),
    pg: (port) => new pg.Client(pinnedPg({ host: 'localhost', port, ...login }, policy)).connect(),
    postgres: (port) => postgres(pinnedPostgres({ host: 'localhost', port, ...login }, policy))`SELECT 1`,
    'postgres, second host': async (port) => {
      const closed = await unusedPort();
      const two = { host: ['db.example.com', 'localhost'], port: [closed, port], ...login, backoff: false };
      return postgres(pinnedPostgres(two, policy))`SELECT 1`;
    },
    mysql: async (port) => {
      const connection = mysql.createConnection(pinnedMysql(mysql, { host: 'localhost', port, ...login }, policy));
      await promisify(connection.connect).call(connection);
    },
    mariadb: (port) => mariadb.createConnection(pinnedMariadb({ host: 'localhost', port, ...login }, policy)),
    mysql2: (port) => createConnection(pinnedMysql2({ host: 'localhost', port, ...login }, policy)),
  };
  for (const [name, call] of Object.entries(clients)) {
    test(name, async (t) => {
      const { port, callers } = await countCallers(t);
      const failure = await (async () => call(port, t))().then(
        () => assert.fail('it went through'),
        (error) => error,
      );
      assert.equal(findCertpinError(failure)?.code ?? failure.code, 'ERR_HOST_UNPINNED');
      assert.match(findCertpinError(failure)?.message ?? failure.message, /no pins for localhost/);
      assert.equal(callers(), 0);
    });
  }
});

/** A port on which nobody listens. */
async function unusedPort(): Promise<number> {
  const server = await startScriptedServer(() => undefined);
  await server.close();
  return server.port;
}

describe("otherHosts: 'verify'", () => {
  const policy = { hosts: { 'api.example.com': { pins: certificateHex(first) } }, otherHosts: 'verify' } as const;

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const host of ['localhost', '127.0.0.1'] as const) {
      test(`is the ordinary verification of ${host} over ${maxVersion}`, async (t) => {
        const other = host === 'localhost' ? '127.0.0.1' : 'localhost';
        const right = await mint({ issuer: ca, names: [host] });
        const servers: [certificate: Minted, code: string | undefined][] = [
          [right, undefined],
          [first, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
          [await mint({ issuer: ca, names: [other, 'elsewhere.example'] }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
          [await mint({ issuer: ca, names: [host], validFromDays: -9, validToDays: -2 }), 'CERT_HAS_EXPIRED'],
        ];
        for (const [certificate, code] of servers) {
          const server = await startHttpsServer({ certificate, maxVersion });
          t.after(server.close);
          const agent = pinnedAgent({ ...policy, ca: ca.certPem });
          t.after(() => agent.destroy());
          const call = request({ host, port: server.port, agent });
          if (code === undefined) assert.equal(await call, 200);
          else {
            await assert.rejects(call, { code });
            assert.equal(server.received(), 0);
          }
        }
      });
    }
  }

  test('is not switched off by the environment', async (t) => {
    t.mock.method(process, 'emitWarning', () => undefined);
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    t.after(() => {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    });
    const server = await startTlsServer({ certificate: second });
    t.after(server.close);
    const plain = tlsConnect({ host: 'localhost', port: server.port });
    await once(plain, 'secureConnect'); // the naive way takes it
    plain.destroy();
    const socket = connect({ host: 'localhost', port: server.port, ...policy });
    socket.write('password');
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    assert.equal(server.received(), 0);
  });

  test('is not switched off by a request', async (t) => {
    const server = await serve(t, second);
    const agent = pinnedAgent(policy);
    t.after(() => agent.destroy());
    const weaker = { rejectUnauthorized: false, checkServerIdentity: () => undefined };
    const call = request({ host: 'localhost', port: server.port, agent, ...weaker });
    await assert.rejects(call, { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    assert.equal(server.received(), 0);
  });

  test('does not soften the pin of a host that is named', async (t) => {
    const server = await serve(t, await mint({ issuer: ca }));
    const agent = pinnedAgent({ ...policy, hosts: { localhost: { pins: certificateHex(first) } }, ca: ca.certPem });
    t.after(() => agent.destroy());
    await assert.rejects(request({ host: 'localhost', port: server.port, agent }), { code: 'ERR_PIN_MISMATCH' });
    assert.equal(server.received(), 0);
  });
});

test('what a wrapper copies from an agent demands the pin of the host', async () => {
  const agent = pinnedAgent({ hosts, otherHosts: 'verify' });
  const check = agent.options.checkServerIdentity as (host: string, certificate: object) => Error | undefined;
  const peer = (certificate: Minted) => certificate.x509.toLegacyObject();
  assert.equal(check('localhost', peer(first)), undefined);
  assert.equal((check('localhost', peer(second)) as { code?: string }).code, 'ERR_PIN_MISMATCH');
  assert.equal((check('other.example', peer(second)) as { code?: string }).code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  const strict = pinnedAgent({ hosts }).options.checkServerIdentity as typeof check;
  assert.equal((strict('other.example', peer(second)) as { code?: string }).code, 'ERR_HOST_UNPINNED');
});
