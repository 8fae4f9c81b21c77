import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, request } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { certificateHex, failureOf, mint, startHttpsServer, startTlsServer } from '@certpin/testkit';
import axios from 'axios';
import axios021 from 'axios-0.21';
import axios030 from 'axios-0.30';
import axios10 from 'axios-1.0';
import axios16 from 'axios-1.6';
import got from 'got';
import fetch from 'node-fetch';
import superagent from 'superagent';
import { WebSocket, WebSocketServer } from 'ws';
import { type PinnedAgentOptions, pinnedAgent } from '../../src/adapters/https.ts';
import { findCertpinError } from '../../src/index.ts';

const right = await mint();
const impostor = await mint();
const pins = certificateHex(right);

async function serve(t: TestContext, certificate = right) {
  const server = await startHttpsServer({ certificate });
  t.after(server.close);
  return { ...server, url: `https://localhost:${server.port}/users` };
}

function agentFor(t: TestContext, options: Partial<PinnedAgentOptions> = {}): Agent {
  const agent = pinnedAgent({ pins, ...options });
  t.after(() => agent.destroy());
  return agent;
}

/** Each client posts `body` and answers with what the server said. */
const clients: Record<string, (url: string, agent: Agent, body: string) => Promise<unknown>> = {
  'node:https': (url, agent, body) =>
    new Promise((resolve, reject) => {
      const outgoing = request(url, { agent, method: 'POST' }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve(text);
      });
      outgoing.once('error', reject).end(body);
    }),
  'axios 1.21': async (url, httpsAgent, body) => (await axios.post(url, body, { httpsAgent, proxy: false })).data,
  'axios 1.6': async (url, httpsAgent, body) => (await axios16.post(url, body, { httpsAgent, proxy: false })).data,
  'axios 1.0': async (url, httpsAgent, body) => (await axios10.post(url, body, { httpsAgent, proxy: false })).data,
  'axios 0.30': async (url, httpsAgent, body) =>
    (await axios030.default.post(url, body, { httpsAgent, proxy: false })).data,
  'axios 0.21': async (url, httpsAgent, body) =>
    (await axios021.default.post(url, body, { httpsAgent, proxy: false })).data,
  got: (url, https, body) => got.post(url, { agent: { https }, body, retry: { limit: 0 } }).text(),
  'node-fetch': async (url, agent, body) => (await fetch(url, { agent, method: 'POST', body })).text(),
  superagent: async (url, agent, body) =>
    (await superagent.post(url).agent(agent).type('text').send(body).buffer(true)).text,
};

for (const [name, post] of Object.entries(clients)) {
  describe(name, () => {
    test('reaches the pinned server', async (t) => {
      const { url } = await serve(t);
      assert.equal(await post(url, agentFor(t), 'secret'), 'POST /users secret');
    });

    test('sends another server nothing, call after call, and shows our error', async (t) => {
      const { url, received } = await serve(t, impostor);
      const agent = agentFor(t, { keepAlive: true });
      for (let call = 1; call <= 3; call++) {
        const error = await failureOf(post(url, agent, 'secret'));
        // node-fetch copies code and message into an error of its own; the others wrap ours or hand it on.
        assert.equal((findCertpinError(error) ?? error).code, 'ERR_PIN_MISMATCH');
        assert.match(error.message, /pin mismatch for localhost/);
      }
      assert.equal(received(), 0);
    });
  });
}

describe('ws', () => {
  async function serveWebSocket(t: TestContext, certificate = right) {
    const server = await serve(t, certificate);
    const sockets = new WebSocketServer({ server: server.server as never });
    t.after(() => sockets.close());
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
    return server;
  }

  test('reaches the pinned server', async (t) => {
    const { port } = await serveWebSocket(t);
    const socket = new WebSocket(`wss://localhost:${port}/`, { agent: agentFor(t) });
    t.after(() => socket.terminate());
    await once(socket, 'open');
    socket.send('secret');
    const [answer] = await once(socket, 'message');
    assert.equal(String(answer), 'secret');
  });

  test('sends another server nothing', async (t) => {
    const { port, received } = await serveWebSocket(t, impostor);
    const socket = new WebSocket(`wss://localhost:${port}/`, {
      agent: agentFor(t),
      headers: { authorization: 'secret' },
    });
    const [error] = await once(socket, 'error');
    assert.equal((error as { code?: string }).code, 'ERR_PIN_MISMATCH');
    assert.equal(received(), 0);
  });
});

describe('the agent is an ordinary https.Agent', () => {
  const post = clients['node:https'] as (url: string, agent: Agent, body: string) => Promise<unknown>;

  test('keep-alive uses a verified connection again', async (t) => {
    const { url, handshakes } = await serve(t);
    const agent = agentFor(t, { keepAlive: true });
    for (let call = 1; call <= 3; call++) await post(url, agent, 'x');
    assert.equal(handshakes(), 1);
    assert.ok(agent instanceof Agent);
  });

  test('without keep-alive every request makes its own connection', async (t) => {
    const { url, handshakes } = await serve(t);
    const agent = agentFor(t, { keepAlive: false });
    for (let call = 1; call <= 3; call++) await post(url, agent, 'x');
    assert.equal(handshakes(), 3);
  });

  test('maxSockets holds under parallel requests, as it does for the plain agent', async (t) => {
    const { url, handshakes } = await serve(t);
    const agent = agentFor(t, { keepAlive: true, maxSockets: 1 });
    await Promise.all(Array.from({ length: 5 }, () => post(url, agent, 'x')));
    assert.equal(handshakes(), 1);
  });

  test('requests that waited for a socket are refused like the first', async (t) => {
    const { url, received } = await serve(t, impostor);
    const agent = agentFor(t, { keepAlive: true, maxSockets: 1 });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => post(url, agent, 'x')));
    for (const result of results) {
      assert.equal(result.status === 'rejected' && result.reason.code, 'ERR_PIN_MISMATCH');
    }
    assert.equal(received(), 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(Object.keys(agent.sockets), [], 'no socket is left behind');
  });

  test('a request cannot switch the pin off', async (t) => {
    const { url, received } = await serve(t, impostor);
    const weaker = { rejectUnauthorized: false, checkServerIdentity: () => undefined, agent: agentFor(t) };
    const error = await once(get(url, weaker), 'error').then(([reason]) => reason);
    assert.equal(error.code, 'ERR_PIN_MISMATCH');
    assert.equal(received(), 0);
  });

  test('a TLS option of a request that cannot be used is the error of that request', async (t) => {
    const { url } = await serve(t);
    const outgoing = get(url, { agent: agentFor(t), ciphers: 'no such cipher' });
    const [error] = await once(outgoing, 'error');
    assert.match(error.code, /^ERR_SSL_/);
  });

  test('a request that is aborted or times out leaves nothing behind', async (t) => {
    const silent = createTcpServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
    t.after(() => silent.close());
    await once(silent, 'listening');
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const agent = agentFor(t, { connectTimeoutMs: 50 });
    const [error] = await once(get(url, { agent }), 'error');
    assert.equal(error.code, 'ERR_CONNECT_TIMEOUT');
    const [aborted] = await once(get(url, { agent, signal: AbortSignal.timeout(20) }), 'error');
    assert.equal(aborted.name, 'AbortError');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(Object.keys(agent.sockets), []);
  });

  test('a unix socket is dialled where the request names one, with the same verdict', async (t) => {
    const { server } = await serve(t);
    const path = `\0certpin-test-${process.pid}`; // an abstract socket: no file is left behind
    const front = createTcpServer((socket) => server.emit('connection', socket)).listen(path);
    t.after(() => front.close());
    await once(front, 'listening');
    const outgoing = get({ socketPath: path, path: '/users', agent: agentFor(t) });
    const [response] = await once(outgoing, 'response');
    assert.equal(response.statusCode, 200);
    response.resume();
  });
});

describe('nothing in `agent.options` can be copied to switch verification off', () => {
  test('a copy demands the ordinary verification: the self-signed server is refused', async (t) => {
    const { url, received } = await serve(t);
    const copy = new Agent({ ...agentFor(t).options });
    t.after(() => copy.destroy());
    const [error] = await once(get(url, { agent: copy }), 'error');
    assert.equal(error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    assert.equal(received(), 0);
  });

  test('a copy checks the pin where the ordinary verification passes', async (t) => {
    const ca = await mint({ ca: true, subject: 'CN=Trusted CA' });
    const { url, received } = await serve(t, await mint({ issuer: ca }));
    const copy = new Agent({ ...agentFor(t).options, ca: ca.certPem });
    t.after(() => copy.destroy());
    const [error] = await once(get(url, { agent: copy }), 'error');
    assert.equal(error.code, 'ERR_PIN_MISMATCH');
    assert.equal(received(), 0);
  });
});

describe('a configuration that cannot be used is refused at once', () => {
  const cases: [string, object, RegExp][] = [
    ['no pin', { keepAlive: true }, /a policy needs pins/],
    ['rejectUnauthorized: false', { pins, rejectUnauthorized: false }, /the pin decides/],
    ['a session cache', { pins, maxCachedSessions: 10 }, /not cached/],
    ['a proxy from the environment', { pins, proxyEnv: {} }, /a proxy would make the TLS connection/],
    ['a misspelt switch', { pins, caVerfication: 'require' }, /did you mean `caVerification`\?/],
  ];
  for (const [name, options, message] of cases) {
    test(name, () => {
      assert.throws(() => pinnedAgent(options as PinnedAgentOptions), { code: 'ERR_OPTION_INVALID', message });
    });
  }
});

test('a plain echo server is no HTTPS server: the error is the client’s own', async (t) => {
  const server = await startTlsServer({ certificate: right });
  t.after(server.close);
  const [error] = await once(get(`https://127.0.0.1:${server.port}/`, { agent: agentFor(t) }), 'error');
  assert.equal(error.code, 'HPE_INVALID_CONSTANT');
});
