import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type RequestOptions } from 'node:https';
import { after, describe, type TestContext, test } from 'node:test';
import {
  certificateHex,
  type Minted,
  mint,
  startHttpsServer,
  startScriptedServer,
  startTlsServer,
} from '@certpin/testkit';
import { watchProcess } from '@certpin/testkit/conformance-records';
import { startHttpProxy, startSecureFront, startSocksProxy } from '@certpin/testkit/proxy';
import axios from 'axios';
import mysql from 'mysql';
import * as undici6 from 'undici-6';
import { pinnedAxios } from '../../src/adapters/axios.ts';
import { pinnedHttp2 } from '../../src/adapters/http2.ts';
import { type PinnedAgentOptions, pinnedAgent } from '../../src/adapters/https.ts';
import { pinnedMariadb } from '../../src/adapters/mariadb.ts';
import { pinnedMysql } from '../../src/adapters/mysql.ts';
import { pinnedMysql2 } from '../../src/adapters/mysql2.ts';
import { pinnedPg } from '../../src/adapters/pg.ts';
import { pinnedPostgres } from '../../src/adapters/postgres.ts';
import { pinnedFetch } from '../../src/adapters/undici.ts';
import { findCertpinError } from '../../src/index.ts';
import { connect, type GuardOptions } from '../../src/tls/index.ts';
import type { ProxyInput } from '../../src/tls/proxy.ts';

const right = await mint();
const impostor = await mint();
const ofProxy = await mint({ subject: 'CN=proxy' });
const pins = certificateHex(right);
const login = { user: 'someone', password: 'pass.word-1' };
/** As it stands in a URL, where a character may be written as a number. */
const encoded = 'someone:pass%2Eword-1';

const proxy = await startHttpProxy();
after(() => proxy.stop());

async function serve(t: TestContext, certificate: Minted = right) {
  const server = await startHttpsServer({ certificate });
  t.after(server.close);
  return { ...server, url: `https://localhost:${server.port}/users` };
}

/** What each client makes of one request through a proxy: the answer, or its own error. */
const clients: Record<
  string,
  (t: TestContext, url: string, through: ProxyInput, more?: Partial<GuardOptions>) => Promise<string>
> = {
  'an agent': (t, url, through, more) => {
    const agent = pinnedAgent({ pins, ...more, proxy: through });
    t.after(() => agent.destroy());
    return request(url, { agent });
  },
  axios: async (t, url, through, more) => {
    const config = pinnedAxios({}, { pins, ...more }, { proxy: through });
    t.after(() => config.httpsAgent.destroy());
    return (await axios.get(url, config)).data;
  },
  'the fetch of Node': async (t, url, through, more) => {
    const api = pinnedFetch({ pins, ...more }, { proxy: through });
    t.after(() => api.dispatcher.destroy());
    return (await api(url)).text();
  },
  'undici 6': async (t, url, through, more) => {
    const api = pinnedFetch({ pins, ...more }, { proxy: through, fetch: undici6.fetch, Agent: undici6.Agent as never });
    t.after(() => api.dispatcher.destroy());
    return (await api(url)).text();
  },
};

function request(url: string, options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, options, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve(text);
    }).once('error', reject);
  });
}

/** Nobody listens there. A port that a server has just given back may be the port of another test by now. */
const NOBODY = 2;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.fail('it went through'),
    (reason) => reason,
  );
  assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /pass(\.|%2E)word/);
  return findCertpinError(error)?.code ?? error.code ?? error.cause?.code;
}

for (const [name, call] of Object.entries(clients)) {
  describe(`${name} through a proxy`, () => {
    test('reaches the pinned server, and nothing goes past the proxy', async (t) => {
      const { url, port } = await serve(t);
      assert.equal(await call(t, url, proxy.url), 'GET /users ');
      assert.match(proxy.log(), new RegExp(`CONNECT localhost:${port} HTTP/1.1`));
    });

    test('gives nothing to a wrong server behind the proxy', async (t) => {
      const { url, received } = await serve(t, impostor);
      assert.equal(await codeOf(call(t, url, proxy.url)), 'ERR_PIN_MISMATCH');
      assert.equal(received(), 0);
    });

    test('logs in to the proxy, and says so where it cannot', async (t) => {
      const guarded = await startHttpProxy({ login });
      t.after(guarded.stop);
      const { url } = await serve(t);
      const at = (user: string): string => guarded.url.replace('//', `//${user}@`);
      assert.equal(await call(t, url, at(encoded)), 'GET /users ');
      for (const other of [guarded.url, at('someone:else'), at('someone')]) {
        assert.equal(await codeOf(call(t, url, other)), 'ERR_PROXY_REFUSED');
      }
    });

    test('hears when the proxy refuses, or cannot reach the server', async (t) => {
      const { url, port } = await serve(t);
      const strict = await startHttpProxy({ allowedPort: port === 4443 ? 4444 : 4443 });
      t.after(strict.stop);
      assert.equal(await codeOf(call(t, url, strict.url)), 'ERR_PROXY_REFUSED');
      const gone = url.replace(`:${port}`, `:${NOBODY}`);
      assert.equal(await codeOf(call(t, gone, proxy.url)), 'ERR_PROXY_REFUSED');
    });

    test('never goes around a proxy that is not there', async (t) => {
      const server = await serve(t);
      assert.equal(await codeOf(call(t, server.url, `http://127.0.0.1:${NOBODY}`)), 'ECONNREFUSED');
      assert.equal(server.handshakes(), 0);
    });

    test('tells an https: proxy neither host nor login before its certificate has matched', async (t) => {
      const front = await startSecureFront(proxy, ofProxy);
      t.after(front.close);
      const server = await serve(t);
      const url = `https://${encoded}@127.0.0.1:${front.port}`;
      assert.equal(await call(t, server.url, { url, pins: certificateHex(ofProxy) }), 'GET /users ');
      assert.match(front.receivedText(), /^CONNECT localhost:/);
      assert.doesNotMatch(front.receivedText(), /\/users/);

      front.forget();
      assert.equal(await codeOf(call(t, server.url, { url, pins: certificateHex(impostor) })), 'ERR_PIN_MISMATCH');
      assert.equal(await codeOf(call(t, server.url, url)), 'DEPTH_ZERO_SELF_SIGNED_CERT');
      assert.equal(front.received(), 0);
    });

    test('refuses a wrong server behind a pinned https: proxy', async (t) => {
      const front = await startSecureFront(proxy, ofProxy);
      t.after(front.close);
      const server = await serve(t, impostor);
      const through = { url: `https://127.0.0.1:${front.port}`, pins: certificateHex(ofProxy) };
      assert.equal(await codeOf(call(t, server.url, through)), 'ERR_PIN_MISMATCH');
      assert.equal(server.received(), 0);
    });

    test('goes through a SOCKS5 proxy, which looks up the name, and gives nothing to a wrong server behind it', async (t) => {
      const socks = await startSocksProxy({ login });
      t.after(socks.stop);
      const server = await serve(t);
      const wrong = await serve(t, impostor);
      const at = (user: string): string => socks.url.replace('//', `//${user}@`);
      assert.equal(await call(t, server.url, at(encoded)), 'GET /users ');
      assert.deepEqual(socks.asked(), [`3 localhost:${server.port}`]);
      assert.equal(await codeOf(call(t, wrong.url, at(encoded))), 'ERR_PIN_MISMATCH');
      assert.equal(wrong.received(), 0);
      for (const other of [socks.url, at('someone:else')]) {
        assert.equal(await codeOf(call(t, server.url, other)), 'ERR_PROXY_REFUSED');
      }
      const gone = server.url.replace(`:${server.port}`, `:${NOBODY}`);
      assert.equal(await codeOf(call(t, gone, at(encoded))), 'ERR_PROXY_REFUSED');
    });

    test('does not tell the proxy of a host without pins', async (t) => {
      let callers = 0;
      const silent = await startScriptedServer(() => {
        callers++;
      });
      t.after(silent.close);
      const hosts = { 'api.example.com': { pins } };
      const failure = call(t, 'https://localhost:4443/', `http://127.0.0.1:${silent.port}`, { pins: undefined, hosts });
      assert.equal(await codeOf(failure), 'ERR_HOST_UNPINNED');
      assert.equal(callers, 0);
    });

    test('gives up a proxy that stalls, lies, floods or injects', async (t) => {
      const { url } = await serve(t);
      const scripts: [code: string, answer: string | undefined][] = [
        ['ERR_CONNECT_TIMEOUT', undefined],
        ['ERR_CONNECT_TIMEOUT', 'HTTP/1.1 200 OK\r\n'],
        ['ERR_UPGRADE_UNEXPECTED', 'SSH-2.0-OpenSSH_9.2\r\n'],
        ['ERR_UPGRADE_UNEXPECTED', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(10_000)}`],
        ['ERR_UPGRADE_INJECTED', 'HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\nstolen'],
        ['ERR_PROXY_REFUSED', 'HTTP/1.1 302 Found\r\n\r\n'],
      ];
      const asked = scripts.map(async ([code, answer]) => {
        const liar = await startScriptedServer((socket) => {
          socket.once('data', () => answer !== undefined && socket.write(answer));
        });
        t.after(liar.close);
        const through = `http://127.0.0.1:${liar.port}`;
        // Whoever answers has time for it. So has the question, on a busy machine, before the time is over.
        const connectTimeoutMs = code === 'ERR_CONNECT_TIMEOUT' ? 2_000 : 20_000;
        assert.equal(await codeOf(call(t, url, through, { connectTimeoutMs })), code);
        // What it got is the question alone: no ClientHello, no request.
        assert.match(liar.received().toString('latin1'), /^CONNECT localhost:\d+ HTTP\/1\.1\r\nHost: [^\r]+\r\n\r\n$/);
      });
      await Promise.all(asked);
      const hangsUp = await startScriptedServer((socket) => socket.once('data', () => socket.end()));
      t.after(hangsUp.close);
      assert.equal(await codeOf(call(t, url, `http://127.0.0.1:${hangsUp.port}`)), 'ERR_CONNECTION_CLOSED');
      const reason = await call(t, url, `http://127.0.0.1:${hangsUp.port}`).catch((error) => findCertpinError(error));
      assert.match(String(reason), /the proxy closed the connection before there was a tunnel/);
    });
  });
}

describe('an agent through a proxy', () => {
  const agentFor = (t: TestContext, options: Partial<PinnedAgentOptions> = {}) => {
    const agent = pinnedAgent({ pins, proxy: proxy.url, ...options });
    t.after(() => agent.destroy());
    return agent;
  };

  test('keeps connections alive, and counts those that are being made', async (t) => {
    const server = await serve(t);
    const agent = agentFor(t, { keepAlive: true, maxSockets: 1 });
    await Promise.all(Array.from({ length: 5 }, () => request(server.url, { agent })));
    await request(server.url, { agent });
    assert.equal(server.handshakes(), 1);
  });

  test('carries what is large, both ways, and closes the tunnel with the connection', async (t) => {
    const server = await startTlsServer({ certificate: right });
    t.after(server.close);
    const agent = agentFor(t);
    const options = { host: 'localhost', port: server.port, servername: 'localhost' };
    const socket = agent.createConnection(options as never) as NonNullable<ReturnType<typeof agent.createConnection>>;
    const sent = Buffer.alloc(3_000_000, 'certpin');
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received === sent.length) socket.end();
    });
    socket.write(sent);
    await once(socket, 'close');
    assert.equal(received, sent.length);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const open = await new Promise((resolve) => server.server.getConnections((_, count) => resolve(count)));
    assert.equal(open, 0);
  });

  test('leaves no connection to the proxy behind when a request is given up', { timeout: 10_000 }, async (t) => {
    const open = new Set();
    const stalls = await startScriptedServer((socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    });
    t.after(stalls.close);
    const agent = agentFor(t, { proxy: `http://127.0.0.1:${stalls.port}` });
    const outgoing = get('https://localhost:4443/', { agent }).on('error', () => undefined);
    while (stalls.received().length === 0) await new Promise((resolve) => setImmediate(resolve));
    outgoing.destroy();
    await new Promise((resolve) => outgoing.once('close', resolve));
    while (open.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('opens no tunnel for options that cannot be used, and nothing of one reaches the process', async (t) => {
    const watched = watchProcess();
    t.after(watched.stop);
    const asked = await startScriptedServer((socket) => socket.once('data', () => socket.destroy()));
    t.after(asked.close);
    const agent = pinnedAgent({ pins, proxy: `http://127.0.0.1:${asked.port}` });
    t.after(() => agent.destroy());
    const fail = async (options: object): Promise<string> =>
      String((await once(get({ host: 'localhost', port: 1, agent, ...options } as RequestOptions), 'error'))[0].code);
    assert.match(await fail({ ecdhCurve: 'nonsense' }), /^ERR_/);
    // The one that comes after it is the only one that the proxy was asked for.
    assert.equal(await fail({}), 'ERR_CONNECTION_CLOSED');
    assert.deepEqual(
      [
        watched.events,
        asked
          .received()
          .toString()
          .match(/CONNECT/g)?.length,
      ],
      [[], 1],
    );
  });

  test('reaches a proxy with a certificate of a CA that is given for it', async (t) => {
    const ca = await mint({ ca: true, subject: 'CN=Company CA' });
    const front = await startSecureFront(proxy, await mint({ issuer: ca }));
    t.after(front.close);
    const server = await serve(t);
    const url = `https://localhost:${front.port}`;
    const agent = agentFor(t, { proxy: { url, tls: { ca: ca.certPem } } });
    assert.equal(await request(server.url, { agent }), 'GET /users ');
    const misnamed = await startSecureFront(proxy, await mint({ issuer: ca, names: ['other.example'] }));
    t.after(misnamed.close);
    const wrong = agentFor(t, { proxy: { url: `https://localhost:${misnamed.port}`, tls: { ca: ca.certPem } } });
    await assert.rejects(request(server.url, { agent: wrong }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    assert.equal(misnamed.received(), 0);
  });

  test('refuses a unix socket, which no proxy reaches', async (t) => {
    const agent = agentFor(t);
    await assert.rejects(request('https://localhost/', { agent, socketPath: '/run/x' }), {
      code: 'ERR_OPTION_INVALID',
    });
  });
});

describe('a client that goes through no proxy says so, and does not go past it', () => {
  const login = { host: 'db.example.com', user: 'app', password: 'secret' };
  const beside = { pins, proxy: proxy.url } as object as GuardOptions;
  const clients: Record<string, () => unknown> = {
    tls: () => connect({ host: 'db.example.com', port: 1, ...beside }),
    http2: () => pinnedHttp2({ pins }, { proxy: proxy.url } as object),
    'http2, in the policy': () => pinnedHttp2(beside),
    pg: () => pinnedPg(login, beside),
    postgres: () => pinnedPostgres(login, beside),
    mysql: () => pinnedMysql(mysql, login, beside),
    mysql2: () => pinnedMysql2(login, beside),
    mariadb: () => pinnedMariadb(login, beside),
    'pg, in ssl': () => pinnedPg({ ...login, ssl: { proxy: proxy.url } }, { pins }),
    // These have the option elsewhere.
    'fetch, in the policy': () => pinnedFetch(beside),
    'axios, in the policy': () => pinnedAxios({}, beside),
    'axios, in the configuration': () => pinnedAxios({ proxy: { host: '127.0.0.1', port: 3128 } } as object, { pins }),
  };
  for (const [name, configure] of Object.entries(clients)) {
    test(name, () => {
      assert.throws(configure, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_OPTION_INVALID');
        return /`proxy`/.test(error.message) && /this client cannot use a proxy|third argument/.test(error.message);
      });
    });
  }
});

describe('the configuration of a proxy', () => {
  const broken: [what: string, proxy: unknown, message: RegExp][] = [
    ['no URL', 'http://', /cannot be read/],
    ['a host and port without a scheme', 'proxy.example:3128', /must begin with http/],
    ['SOCKS4', 'socks4://secret@127.0.0.1:1080', /must begin with http/],
    ['a SOCKS login without password', 'socks5://secret@127.0.0.1:1080', /1 to 255 bytes/],
    ['pins of a SOCKS proxy', { url: 'socks5://secret:secret@127.0.0.1', pins }, /no certificate to pin/],
    ['SOCKS without a host', 'socks5://', /names no host|cannot be read/],
    ['an empty text', '', /is an empty text, as from a variable that is not set/],
    ['blanks', '  ', /is an empty text, as from a variable that is not set/],
    ['a URL that is not set', { url: undefined }, /is undefined, as from a variable that is not set/],
    ['an empty URL', { url: '', pins }, /is an empty text, as from a variable that is not set/],
    ['a broken login', 'http://secret%zz@127.0.0.1:3128', /cannot be read/],
    ['null', null, /give the URL/],
    ['a number', 3128, /give the URL/],
    ['pins of an http: proxy', { url: 'http://secret@127.0.0.1', pins }, /no certificate to pin/],
    ['TLS options of an http: proxy', { url: 'http://127.0.0.1', tls: {} }, /no certificate to pin/],
    ['an unknown option', { url: 'https://127.0.0.1', pin: pins }, /unknown proxy option `pin`; did you mean `pins`/],
    ['verification off', { url: 'https://127.0.0.1', tls: { rejectUnauthorized: false } }, /`rejectUnauthorized`/],
    ['pins from a variable that is not set', { url: 'https://127.0.0.1', pins: undefined }, /a policy needs pins/],
    ['a switch without pins', { url: 'https://127.0.0.1', expired: 'accept' }, /a policy needs pins/],
  ];
  for (const [what, input, message] of broken) {
    test(`is refused: ${what}`, () => {
      assert.throws(
        () => pinnedAgent({ pins, proxy: input as ProxyInput }),
        (error: Error & { code: string }) =>
          error.code === 'ERR_OPTION_INVALID' && message.test(error.message) && !/secret/.test(error.message),
      );
    });
  }
});
