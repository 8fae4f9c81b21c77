// The accident this prevents: a stranger's words (a header, an authority, a spelling) choose whose pins count.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2, createSecureServer } from 'node:http2';
import { Agent, get, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import {
  certificateHex,
  credentials,
  failureOf,
  type Minted,
  mint,
  startHttp2Server,
  startHttpsServer,
  startScriptedServer,
  startTlsServer,
} from '@certpin/testkit';
import axios from 'axios';
import mysql from 'mysql';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import postgres from 'postgres';
import superagent from 'superagent';
import { Agent as UndiciAgent, request as undiciRequest } from 'undici-6';
import { pinnedAxios } from '../../src/adapters/axios.ts';
import { pinnedHttp2 } from '../../src/adapters/http2.ts';
import { pinnedAgent } from '../../src/adapters/https.ts';
import { pinnedMariadb } from '../../src/adapters/mariadb.ts';
import { pinnedMysql } from '../../src/adapters/mysql.ts';
import { pinnedMysql2 } from '../../src/adapters/mysql2.ts';
import { pinnedPg } from '../../src/adapters/pg.ts';
import { pinnedPostgres } from '../../src/adapters/postgres.ts';
import { pinnedConnector, pinnedFetch } from '../../src/adapters/undici.ts';
import { createPolicy, findCertpinError } from '../../src/index.ts';
import { connect, type GuardOptions, type PinnedConnectionOptions } from '../../src/tls/index.ts';
import { mariadb } from '../adapters/mariadb-of-node.ts';

/** A CA that the client trusts, and that has given somebody else a certificate for a name of his own. */
const ca = await mint({ ca: true, subject: 'CN=Public CA' });
const genuine = await mint();
const stranger = await mint({ issuer: ca, names: ['evil.example'] });
const pins = certificateHex(genuine);
const EVIL = 'evil.example';

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

interface Request {
  readonly host: string;
  readonly port: number;
  readonly headers: Record<string, string>;
}

/** Clients whose requests have headers. */
const httpClients: Record<string, (policy: GuardOptions, t: TestContext) => (request: Request) => Promise<unknown>> = {
  https: (policy, t) => {
    const agent = pinnedAgent({ ...policy, ca: ca.certPem, keepAlive: true });
    t.after(() => agent.destroy());
    return (to) => request({ ...to, agent });
  },
  superagent: (policy, t) => {
    const agent = pinnedAgent({ ...policy, ca: ca.certPem });
    t.after(() => agent.destroy());
    return async ({ host, port, headers }) => superagent.get(`https://${host}:${port}/`).set(headers).agent(agent);
  },
  undici: (policy, t) => {
    const dispatcher = new UndiciAgent({ connect: pinnedConnector(policy, { ca: ca.certPem }) });
    t.after(() => dispatcher.destroy());
    return async ({ host, port, headers }) => {
      const { body } = await undiciRequest(`https://${host}:${port}/`, { dispatcher, headers });
      await body.text();
    };
  },
  fetch: (policy, t) => {
    const api = pinnedFetch(policy, { tls: { ca: ca.certPem } });
    t.after(() => api.dispatcher.destroy());
    return async ({ host, port, headers }) => (await api(`https://${host}:${port}/`, { headers })).text();
  },
  axios: (policy) => {
    const api = axios.create(pinnedAxios({}, policy, { ca: ca.certPem }));
    return ({ host, port, headers }) => api.get(`https://${host}:${port}/`, { headers });
  },
  http2:
    (policy) =>
    async ({ host, port, headers }) => {
      const session = connectHttp2(`https://${host}:${port}`, pinnedHttp2(policy, { ca: ca.certPem }));
      try {
        await once(session, 'connect');
        await once(session.request({ ':authority': headers.host ?? host }).resume(), 'end');
      } finally {
        session.destroy();
      }
    },
};

/** What a header must not choose, and the error of each. */
const policies: Record<string, [GuardOptions, string]> = {
  'the ordinary verification': [{ hosts: { localhost: { pins } }, otherHosts: 'verify' }, 'ERR_PIN_MISMATCH'],
  "another host's pins": [
    { hosts: { localhost: { pins }, [EVIL]: { pins: certificateHex(stranger) } } },
    'ERR_PIN_MISMATCH',
  ],
  'the name that an issuer vouches for': [{ issuerPins: ca.certPem }, 'ERR_HOSTNAME_MISMATCH'],
  'the name of a pinned leaf': [
    { pins: certificateHex(stranger), hostnameVerification: 'require' },
    'ERR_HOSTNAME_MISMATCH',
  ],
};

/** Spellings of a header that clients read in ways of their own. */
const headersOf = ['evil.example', 'evil.example:443', 'EVIL.example.', '[evil.example]', '[evil.example]:1'];

for (const [name, create] of Object.entries(httpClients)) {
  describe(`${name}: a Host header does not choose`, () => {
    for (const [what, [policy, code]] of Object.entries(policies)) {
      test(what, async (t) => {
        const server = await (name === 'http2' ? startHttp2Server : startHttpsServer)({ certificate: stranger });
        t.after(server.close);
        const client = create(policy, t);
        for (const host of headersOf) {
          const headers = { host, authorization: 'Bearer secret' };
          const failure = await failureOf(client({ host: 'localhost', port: server.port, headers }));
          assert.equal(findCertpinError(failure)?.code ?? (failure as { code?: string }).code, code, host);
        }
        assert.equal(server.received(), 0);
      });
    }
  });
}

describe('a server name', () => {
  const hosts = { 'db.example': { pins } };

  test('of the configuration chooses the pins: a tunnel is dialled at an address', async (t) => {
    const { port } = await serve(t, genuine);
    const agent = pinnedAgent({ hosts, servername: 'db.example' });
    t.after(() => agent.destroy());
    assert.equal(await request({ host: '127.0.0.1', port, agent }), 200);
    const api = pinnedFetch({ hosts }, { tls: { servername: 'db.example' } });
    t.after(() => api.dispatcher.destroy());
    assert.equal((await api(`https://127.0.0.1:${port}/`)).status, 200);
    const socket = connect({ host: '127.0.0.1', port, servername: 'DB.example.', hosts });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
  });

  test('of a request counts, beside a header that is Node’s own', async (t) => {
    const { port } = await serve(t, genuine);
    const agent = pinnedAgent({ hosts });
    t.after(() => agent.destroy());
    assert.equal(await request({ host: '127.0.0.1', port, agent, servername: 'db.example' }), 200);
  });

  test('of a request does not count beside the same name in a header: it may be made of that', async (t) => {
    const { port } = await serve(t, genuine);
    const agent = pinnedAgent({ hosts });
    t.after(() => agent.destroy());
    const both = { servername: 'db.example', headers: { host: 'db.example' } };
    await assert.rejects(request({ host: '127.0.0.1', port, agent, ...both }), { code: 'ERR_HOST_UNPINNED' });
  });

  test('does not set aside the entry of the dialled host: both have to hold', async (t) => {
    const server = await startTlsServer({ certificate: stranger });
    t.after(server.close);
    const two = (other: string): PinnedConnectionOptions => ({
      host: 'localhost',
      port: server.port,
      servername: EVIL,
      hosts: { localhost: { pins: other }, [EVIL]: { pins: certificateHex(stranger) } },
    });
    const socket = connect(two(pins));
    socket.write('password');
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'ERR_PIN_MISMATCH');
    assert.equal(server.received(), 0);
    const agreed = connect(two(certificateHex(stranger)));
    t.after(() => agreed.destroy());
    await once(agreed, 'secureConnect');
    assert.equal(agreed.authorized, true);
  });

  test('beside a dialled host: where one entry demands a CA too, Node’s own list is asked', async (t) => {
    const server = await startTlsServer({ certificate: stranger });
    t.after(server.close);
    const trusted = join(tmpdir(), `certpin-called-${process.pid}.pem`);
    writeFileSync(trusted, ca.certPem);
    t.after(() => rmSync(trusted));
    const library = new URL('../../src/tls/index.ts', import.meta.url).href;
    const plain = { pins: certificateHex(stranger) };
    const demanding = { ...plain, caVerification: 'require' };
    for (const hosts of [
      { localhost: demanding, [EVIL]: plain },
      { localhost: plain, [EVIL]: demanding },
    ]) {
      const options = JSON.stringify({ host: 'localhost', port: server.port, servername: EVIL, hosts });
      const script = `import { connect } from '${library}';
        const socket = connect(${options}, () => socket.end(() => console.log('connected')));
        socket.on('error', ({ code }) => console.log(code));`;
      const command = ['--import', 'tsx', '--input-type=module', '-e', script];
      const run = async (env: object) =>
        (await promisify(execFile)(process.execPath, command, { env: { ...process.env, ...env } })).stdout.trim();
      assert.equal(await run({ NODE_EXTRA_CA_CERTS: trusted }), 'connected');
      assert.equal(await run({}), 'ERR_CA_UNTRUSTED');
    }
  });

  test('of a header is sent, where the pin alone decides', async (t) => {
    const server = await startTlsServer({ certificate: genuine });
    t.after(server.close);
    const agent = pinnedAgent({ pins });
    t.after(() => agent.destroy());
    get({ host: '127.0.0.1', port: server.port, agent, headers: { host: 'site.example' } }).once(
      'error',
      () => undefined,
    );
    while (server.servernames.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(server.servernames, ['site.example']);
  });

  test('parts the pool: what was verified under one name is not used under another', async (t) => {
    const server = await serve(t, stranger);
    const agent = pinnedAgent({
      hosts: { localhost: { pins: certificateHex(stranger) }, [EVIL]: { pins } },
      keepAlive: true,
    });
    t.after(() => agent.destroy());
    const to = { host: 'localhost', port: server.port, agent };
    // Node itself tells these two apart by nothing: both send the same server name.
    assert.equal(await request({ ...to, headers: { host: EVIL } }), 200);
    await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(request({ ...to, servername: EVIL }), { code: 'ERR_PIN_MISMATCH' });
  });
});

test('an agent that hands its requests on brings no name of a header along', async (t) => {
  const server = await serve(t, stranger);
  const inner = pinnedAgent({ issuerPins: ca.certPem });
  class Outer extends Agent {
    override createConnection(): never {
      throw new Error('not reached');
    }
    createSocket(outgoing: never, options: never): void {
      (inner as unknown as { addRequest(request: never, options: never): void }).addRequest(outgoing, options);
    }
  }
  const call = request({ host: 'localhost', port: server.port, agent: new Outer(), headers: { host: EVIL } });
  await assert.rejects(call, { code: 'ERR_HOSTNAME_MISMATCH' });
  assert.equal(server.received(), 0);
});

test('what a wrapper copies from an agent goes by the host that is dialled', async (t) => {
  const server = await serve(t, stranger);
  for (const options of [
    { hosts: { localhost: { pins } }, otherHosts: 'verify' },
    { issuerPins: ca.certPem },
  ] as const) {
    const copy = new Agent({ ...pinnedAgent(options).options, ca: ca.certPem });
    t.after(() => copy.destroy());
    await assert.rejects(request({ host: 'localhost', port: server.port, agent: copy, headers: { host: EVIL } }), {
      code: /^ERR_(PIN|HOSTNAME)_MISMATCH$/,
    });
  }
  assert.equal(server.received(), 0);
});

test('an alternative service of HTTP/2 is not called, and another authority goes to the verified server', async (t) => {
  const elsewhere = await serve(t, stranger);
  const http2 = createSecureServer(credentials(genuine)).listen(0, '127.0.0.1');
  await once(http2, 'listening');
  t.after(() => http2.close());
  http2.on('session', (session) => session.altsvc(`h2=":${elsewhere.port}"`, `https://localhost:${elsewhere.port}`));
  const authorities: unknown[] = [];
  http2.on('stream', (stream, headers) => {
    authorities.push(headers[':authority']);
    stream.respond({ 'alt-svc': `h2="localhost:${elsewhere.port}"` });
    stream.end();
  });
  const session = connectHttp2(
    `https://localhost:${(http2.address() as AddressInfo).port}`,
    pinnedHttp2({ hosts: { localhost: { pins } } }),
  );
  t.after(() => session.destroy());
  for (let call = 1; call <= 2; call++) await once(session.request({ ':authority': EVIL }).resume(), 'end');
  assert.deepEqual(authorities, [EVIL, EVIL]);
  assert.equal(elsewhere.handshakes(), 0);
});

describe('every client takes every spelling of a host for the same one', () => {
  const login = { user: 'app', password: 'secret', database: 'app', connectTimeout: 2_000 };
  const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);
  const clients: Record<string, (host: string, port: number, policy: GuardOptions, t: TestContext) => unknown> = {
    tls: async (host, port, policy) => {
      await once(connect({ host: host.replace(/^\[(.*)\]$/, '$1'), port, ...policy }), 'secureConnect');
    },
    https: (host, port, policy, t) => {
      const agent = pinnedAgent(policy);
      t.after(() => agent.destroy());
      return request({ host: host.replace(/^\[(.*)\]$/, '$1'), port, agent });
    },
    http2: async (host, port, policy) => {
      const session = connectHttp2(`https://${bracketed(host)}:${port}`, pinnedHttp2(policy));
      await once(session, 'connect').finally(() => session.destroy());
    },
    fetch: (host, port, policy, t) => {
      const api = pinnedFetch(policy);
      t.after(() => api.dispatcher.destroy());
      return api(`https://${bracketed(host)}:${port}/`);
    },
    axios: (host, port, policy) => axios.get(`https://${bracketed(host)}:${port}/`, pinnedAxios({}, policy)),
    pg: (host, port, policy) => new pg.Client(pinnedPg({ host, port, ...login }, policy)).connect(),
    postgres: (host, port, policy) =>
      postgres(pinnedPostgres({ host: [host], port, ...login, backoff: false }, policy))`SELECT 1`,
    mysql: async (host, port, policy) => {
      const connection = mysql.createConnection(pinnedMysql(mysql, { host, port, ...login }, policy));
      await promisify(connection.connect).call(connection);
    },
    mariadb: (host, port, policy) =>
      mariadb.createConnection(pinnedMariadb({ host, port, ...login, connectTimeout: 2_000 }, policy)),
    mysql2: (host, port, policy) => createConnection(pinnedMysql2({ host, port, ...login }, policy)),
  };
  const spellings: [entry: string, host: string][] = [
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '::ffff:127.0.0.1'],
    ['127.0.0.1', '::FFFF:7f00:1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['[::ffff:7f00:0001]', '127.0.0.1'],
    ['localhost', 'LocalHost'],
    ['localhost.', 'localhost'],
    ['*.localhost', 'münchen.localhost'],
    ['xn--mnchen-3ya.localhost', 'münchen.localhost'],
  ];
  for (const [name, call] of Object.entries(clients)) {
    test(name, async (t) => {
      // It hangs up: what a host with pins gets is an error of the network.
      const server = await startScriptedServer((socket) => socket.destroy());
      t.after(server.close);
      for (const [entry, host] of spellings) {
        for (const isNamed of [true, false]) {
          const policy = { hosts: { [isNamed ? entry : 'other.example']: { pins } } };
          const failure = await failureOf((async () => call(host, server.port, policy, t))());
          const code = findCertpinError(failure)?.code ?? (failure as { code?: string }).code;
          assert.equal(code === 'ERR_HOST_UNPINNED', !isNamed, `${host} for ${entry}: ${code}`);
        }
      }
    });
  }

  test('and verifies the address, whatever its spelling', async (t) => {
    const byAddress = await mint({ issuer: ca, names: ['127.0.0.1'] });
    const server = await startTlsServer({ certificate: byAddress });
    t.after(server.close);
    for (const host of ['127.0.0.1', '::ffff:127.0.0.1']) {
      const socket = connect({ host, port: server.port, issuerPins: ca.certPem });
      t.after(() => socket.destroy());
      await once(socket, 'secureConnect');
    }
  });
});

test('a refusal names the address that was called: several may stand behind one name', async (t) => {
  const server = await startTlsServer({ certificate: stranger });
  t.after(server.close);
  const options = { host: 'localhost', port: server.port, pins, family: 4 };
  const [error] = await once(connect(options), 'error');
  assert.equal(error.details.verdict.address, '127.0.0.1');
  assert.match(error.message, /^ {2}called: 127\.0\.0\.1$/m);
});

test('a host that holds a password is not repeated', () => {
  const entry = 'https://app:hunter2@api.example.com';
  const attempts: (() => unknown)[] = [
    () => pinnedAgent({ hosts: { 'a.example': { pins }, [entry]: { pins } } }),
    () => createPolicy({ pins, [entry]: 1 } as never),
    () => connect({ host: 'app:hunter2@api.example.com', port: 1, hosts: { 'a.example': { pins } } }),
    () => pinnedFetch({ hosts: { 'a.example': { pins } } }, { tls: { [entry]: true } as object }),
  ];
  for (const attempt of attempts) {
    assert.throws(attempt, (error: Error) => !/hunter2/.test(JSON.stringify({ ...error }) + error.message));
  }
});
