import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import {
  certificateHex,
  failureOf,
  type Minted,
  mint,
  publicKeyPin,
  startHttpsRedirect,
  startHttpsServer,
  startScriptedServer,
  startTlsServer,
} from '@certpin/testkit';
import { type PinnedFetchOptions, pinnedConnector, pinnedDispatcher, pinnedFetch } from '../../src/adapters/undici.ts';
import { findCertpinError, livePins } from '../../src/index.ts';

const right = await mint();
const impostor = await mint();
const pins = certificateHex(right);
const [major = 0] = process.versions.node.split('.').map(Number);

async function serve(t: TestContext, certificate: Minted = right) {
  const server = await startHttpsServer({ certificate });
  t.after(server.close);
  return { ...server, url: `https://127.0.0.1:${server.port}/` };
}

/** A pinned server that answers every request with a redirect. */
async function redirectTo(t: TestContext, location: string): Promise<string> {
  const server = await startHttpsRedirect({ certificate: right, location });
  t.after(server.close);
  return `https://127.0.0.1:${server.port}/`;
}

/** A server that answers what it is asked, except for `/held`, and tells of both. */
async function serveHeld(t: TestContext, certificate: Minted) {
  const http = createHttpServer((request, response) => {
    if (request.url === '/begun') response.write('a part');
    else if (request.url !== '/held') setImmediate(() => response.end());
  });
  const server = await startTlsServer({ certificate, onSocket: (socket) => http.emit('connection', socket) });
  t.after(server.close);
  const arrival = async (path: string): Promise<void> => {
    for (;;) {
      const [request] = (await once(http, 'request')) as [IncomingMessage];
      if (request.url === path) return;
    }
  };
  return { ...server, arrival, url: `https://127.0.0.1:${server.port}` };
}

/** For tests that wait for a connection to go. */
const limit = { timeout: 20_000 };
/** Where Node keeps the dispatcher of its fetch. */
const own = Symbol.for('undici.globalDispatcher.1');
const kinds: Record<string, () => Promise<PinnedFetchOptions>> = {
  'the fetch of Node': async () => ({}),
  // undici 6 and 7 and the fetch of Node do not share their types.
  'undici 6': async () => (await import('undici-6')) as never,
  ...(major >= 20 ? { 'undici 7': async () => (await import('undici-7')) as never } : {}),
};

for (const [name, load] of Object.entries(kinds)) {
  describe(name, () => {
    const make = async (t: TestContext, more: PinnedFetchOptions = {}) => {
      const { fetch, Agent } = await load();
      const pinned = pinnedFetch({ pins }, { ...(fetch === undefined ? {} : { fetch, Agent }), ...more });
      t.after(() => pinned.dispatcher.destroy());
      return pinned;
    };

    test('the pinned server answers, over one connection', async (t) => {
      const { url, handshakes } = await serve(t);
      // Without a limit undici opens another where a request comes in the tick in which the last one ends.
      const api = await make(t, { connections: 1 });
      for (let call = 1; call <= 3; call++) {
        const response = await api(url, { method: 'POST', body: `call ${call}`, headers: { 'x-call': '1' } });
        assert.equal(await response.text(), `POST / call ${call}`);
      }
      assert.equal(handshakes(), 1);
    });

    test('several hosts, one policy', async (t) => {
      const [one, two, wrong] = [await serve(t), await serve(t), await serve(t, impostor)];
      const api = await make(t);
      for (const { url } of [one, two]) assert.equal((await api(url)).status, 200);
      assert.equal((await api(`https://localhost:${one.port}/`)).status, 200);
      const error = await failureOf(api(wrong.url));
      assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
      assert.equal(wrong.received(), 0);
    });

    test('another server gets nothing, and the error is in the cause', async (t) => {
      const { url, received } = await serve(t, impostor);
      const api = await make(t);
      for (let call = 1; call <= 3; call++) {
        const error = await failureOf(api(url, { method: 'POST', body: 'secret' }));
        assert.ok(error instanceof TypeError);
        assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
      }
      assert.equal(received(), 0);
    });

    test('http: is refused, and so is a redirect to it', async (t) => {
      const plain = await startScriptedServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
      t.after(plain.close);
      const api = await make(t);
      const target = `http://127.0.0.1:${plain.port}/`;
      for (const url of [target, await redirectTo(t, target)]) {
        const error = await failureOf(api(url, { headers: { authorization: 'secret' } }));
        assert.equal(findCertpinError(error)?.code, 'ERR_PLAINTEXT_REFUSED');
      }
      assert.equal(plain.received().length, 0);
    });

    test('a redirect to another https: server must meet the same pins', async (t) => {
      const wrong = await serve(t, impostor);
      const api = await make(t);
      assert.equal((await api(await redirectTo(t, (await serve(t)).url))).status, 200);
      const error = await failureOf(api(await redirectTo(t, wrong.url)));
      assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
      assert.equal(wrong.received(), 0);
    });

    test('a request cannot bring a dispatcher of its own', async (t) => {
      const api = await make(t);
      const error = await failureOf(api('https://127.0.0.1/', { dispatcher: {} } as never));
      assert.equal(findCertpinError(error)?.code, 'ERR_OPTION_INVALID');
    });

    test('the options of the Agent are passed on', async (t) => {
      const { url, handshakes } = await serve(t);
      const api = await make(t, { connections: 1, pipelining: 1 });
      await Promise.all(Array.from({ length: 5 }, async () => (await api(url)).text()));
      assert.equal(handshakes(), 1);
    });

    test(
      'a request under way fails with its pin, in its body too, and the pool goes on with the next pin',
      limit,
      async (t) => {
        const { arrival, url, present } = await serveHeld(t, right);
        const { fetch, Agent } = await load();
        const live = livePins(pins);
        const api = pinnedFetch({ pins: live }, fetch === undefined ? {} : { fetch, Agent });
        t.after(() => api.dispatcher.destroy());
        const arrived = arrival('/held');
        const held = failureOf(api(`${url}/held`));
        await arrived;
        const begun = await api(`${url}/begun`);
        const body = failureOf(begun.text());

        live.set(certificateHex(impostor));
        for (const failure of [held, body]) assert.equal(findCertpinError(await failure)?.code, 'ERR_PIN_MISMATCH');
        assert.equal(findCertpinError(await failureOf(api(url)))?.code, 'ERR_PIN_MISMATCH');
        present(impostor);
        assert.equal((await api(url)).status, 200);
      },
    );

    test('a server that stays silent is given up', async (t) => {
      const silent = await startScriptedServer(() => undefined);
      t.after(silent.close);
      const { fetch, Agent } = await load();
      const policy = { pins, connectTimeoutMs: 100 };
      const api = pinnedFetch(policy, fetch === undefined ? {} : { fetch, Agent });
      t.after(() => api.dispatcher.destroy());
      const error = await failureOf(api(`https://127.0.0.1:${silent.port}/`));
      assert.equal(findCertpinError(error)?.code, 'ERR_CONNECT_TIMEOUT');
    });
  });
}

describe('the dispatcher and the connector of undici', () => {
  test('a Client and a Pool take the connector, a request hands on the error as it is', async (t) => {
    const { Client, Pool } = await import('undici-6');
    const [good, wrong] = [await serve(t), await serve(t, impostor)];
    for (const Class of [Client, Pool]) {
      for (const { port } of [good, wrong]) {
        const client = new Class(`https://127.0.0.1:${port}`, { connect: pinnedConnector({ pins }) });
        t.after(() => client.destroy());
        const answer = client.request({ path: '/', method: 'GET' });
        if (port === good.port) assert.equal((await answer).statusCode, 200);
        else await assert.rejects(answer, { code: 'ERR_PIN_MISMATCH' });
      }
    }
    assert.equal(wrong.received(), 0);
  });

  test('a dispatcher of one undici serves its own request', async (t) => {
    const { Agent, request } = await import('undici-6');
    const { url } = await serve(t);
    const dispatcher = pinnedDispatcher({ pins }, { Agent });
    t.after(() => dispatcher.destroy());
    assert.equal((await request(url, { dispatcher })).statusCode, 200);
  });

  for (const version of major >= 20 ? ['undici-6', 'undici-7'] : ['undici-6']) {
    test(
      `idle connections of ${version} whose pin is gone are closed, with the error in the event; the others stay`,
      limit,
      async (t) => {
        const { Agent, request } = (await import(version)) as typeof import('undici-6');
        const next = await mint();
        const [one, other] = [await serveHeld(t, right), await serveHeld(t, next)];
        const live = livePins([pins, certificateHex(next)]);
        const dispatcher = pinnedDispatcher({ pins: live }, { Agent, connections: 1 });
        t.after(() => dispatcher.destroy());
        const get = async ({ url }: { url: string }): Promise<void> => {
          await (await request(url, { dispatcher })).body.dump();
        };
        for (const server of [one, other, one, other]) await get(server);
        live.set([await publicKeyPin(right), certificateHex(next)]);
        for (const server of [one, other]) await get(server);
        assert.deepEqual([one.handshakes(), other.handshakes()], [1, 1]);

        const disconnected = once(dispatcher, 'disconnect');
        live.set(certificateHex(next));
        const [origin, , error] = await disconnected;
        assert.equal(String(origin), `${one.url}/`);
        assert.equal(error.code, 'ERR_PIN_MISMATCH');
        await assert.rejects(get(one), { code: 'ERR_PIN_MISMATCH' });
        await get(other);
        assert.deepEqual([one.handshakes(), other.handshakes()], [1, 1]);
        live.set(pins);
        await get(one);
        assert.equal(one.handshakes(), 2);
      },
    );
  }

  test('an http: origin is refused', async (t) => {
    const { Client } = await import('undici-6');
    const server = createHttpServer((_, response) => response.end()).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new Client(origin, { connect: pinnedConnector({ pins }) });
    t.after(() => client.destroy());
    await assert.rejects(client.request({ path: '/', method: 'GET' }), { code: 'ERR_PLAINTEXT_REFUSED' });
  });

  test('the fetch of Node keeps the dispatcher that it has', () => {
    const before = Reflect.get(globalThis, own);
    pinnedFetch({ pins });
    assert.equal(Reflect.get(globalThis, own), before);
  });

  test('where the global dispatcher is none of Node, the way out is named', async (t) => {
    const { MockAgent, setGlobalDispatcher } = await import(major >= 20 ? 'undici-7' : 'undici-6');
    // Each of the two keys: an undici writes both, and gives one back.
    const keys = [1, 2].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));
    const all = globalThis as Record<symbol, unknown>;
    const before = keys.map((key) => all[key]);
    t.after(() => {
      for (const [index, key] of keys.entries()) Object.defineProperty(all, key, { value: before[index] });
    });
    setGlobalDispatcher(new MockAgent());
    const message = /give its `Agent` and `fetch`/;
    assert.throws(() => pinnedFetch({ pins }), { code: 'ERR_CLIENT_UNSUPPORTED', message });
  });
});

// If this changes, the rows of the conformance suite about a Host header apply to fetch too: see suite-clients.ts.
test('the fetch of Node sends the host of the URL, whatever header it is given', async (t) => {
  const { url, receivedText } = await serve(t);
  const api = pinnedFetch({ pins });
  t.after(() => api.dispatcher.destroy());
  await (await api(url, { headers: { host: 'stranger.example' } })).text();
  assert.match(receivedText(), /\r\nhost: (?:127\.0\.0\.1|localhost):\d+\r\n/i);
  assert.doesNotMatch(receivedText(), /stranger/);
});

describe('a configuration that cannot be used is refused at once', () => {
  const cases: [string, Record<string, unknown>, RegExp][] = [
    ['a connector', { connect: {} }, /certpin makes the connection itself/],
    ['a factory', { factory: () => undefined }, /connect without certpin/],
    ['HTTP/2', { allowH2: true }, /this client speaks HTTP\/1\.1/],
    ['the time limit of undici', { connectTimeout: 1 }, /use `connectTimeoutMs`/],
    ['verification switched off', { tls: { rejectUnauthorized: false } }, /the pin decides/],
    ['a misspelt TLS option', { tls: { certt: 'x' } }, /did you mean `cert`\?/],
    ['a misspelt proxy, which undici would pass over', { porxy: 'http://127.0.0.1:1' }, /did you mean `proxy`\?/],
    ['a fetch without its Agent', { fetch: () => undefined }, /from the same undici/],
  ];
  for (const [name, options, message] of cases) {
    test(name, () => {
      assert.throws(() => pinnedFetch({ pins }, options as PinnedFetchOptions), {
        code: 'ERR_OPTION_INVALID',
        message,
      });
    });
  }

  test('no pin', () => {
    assert.throws(() => pinnedConnector({} as never), { code: 'ERR_OPTION_INVALID' });
    assert.throws(() => pinnedFetch({ pins: 'abc' }), { code: 'ERR_PIN_INVALID' });
  });
});

describe('a client is taken where it is shown to use the connector', () => {
  const families: Record<string, () => Promise<Record<string, unknown>>> = {
    'undici 6': () => import('undici-6') as never,
    ...(major >= 20 ? { 'undici 7': () => import('undici-7') as never } : {}),
  };
  const environments: Record<string, string | undefined>[] = [
    { HTTPS_PROXY: undefined, NO_PROXY: undefined },
    { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: undefined },
    { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '*' }, // which may be another one when the request comes
  ];

  for (const [family, load] of Object.entries(families)) {
    test(`and no other class of ${family} is`, async (t) => {
      const undici = await load();
      const fetch = undici.fetch as never;
      const classes = Object.entries(undici).filter(
        ([, value]) => typeof value === 'function' && typeof value.prototype?.dispatch === 'function',
      ) as [string, new (options: object) => object][];
      assert.ok(classes.length >= 10);
      const saved = { ...process.env };
      t.after(() => {
        process.env = saved;
      });
      for (const environment of environments) {
        for (const [key, value] of Object.entries(environment)) {
          if (value === undefined) delete process.env[key];
          else process.env[key] = value;
        }
        for (const [name, Class] of classes) {
          const derived = { [name]: class extends Class {} }[name];
          const renamed = { Agent: class extends Class {} }.Agent;
          for (const Agent of [derived, renamed, ...(name === 'Agent' ? [] : [Class])]) {
            const options = { Agent: Agent as never, uri: 'http://127.0.0.1:9' };
            const refused = { code: 'ERR_CLIENT_UNSUPPORTED' };
            assert.throws(() => pinnedDispatcher({ pins }, options), refused, name);
            assert.throws(() => pinnedFetch({ pins }, { ...options, fetch }), refused, name);
          }
        }
        await pinnedDispatcher({ pins }, { Agent: undici.Agent as never }).destroy();
      }
    });
  }

  test('and what only looks like an Agent is not', () => {
    class EventEmitter {}
    class Dispatcher extends EventEmitter {}
    class DispatcherBase extends Dispatcher {}
    class Agent extends DispatcherBase {
      dispatch(): boolean {
        return true;
      }
      async close(): Promise<void> {}
      async destroy(): Promise<void> {}
    }
    assert.throws(() => pinnedDispatcher({ pins }, { Agent: Agent as never }), {
      code: 'ERR_CLIENT_UNSUPPORTED',
      message: /does not ask its connector/,
    });
  });

  test('a fetch that passes the dispatcher over sends nothing', async (t) => {
    const { url, received, handshakes } = await serve(t, impostor);
    const { Agent } = await import('undici-6');
    const calls: unknown[] = [];
    const polyfill = async (input: unknown) => {
      calls.push(input);
      return new Response('ok');
    };
    for (const given of [polyfill, (await import('node-fetch')).default]) {
      const api = pinnedFetch({ pins }, { Agent: Agent as never, fetch: given as never });
      const call = api as unknown as (url: string, init: object) => Promise<unknown>;
      for (let count = 1; count <= 2; count++) {
        const error = await failureOf(call(url, { method: 'POST', body: 'secret' }));
        assert.equal(findCertpinError(error)?.code, 'ERR_CLIENT_UNSUPPORTED');
      }
    }
    assert.ok(calls.every((input) => input === 'https://certpin.invalid'));
    assert.deepEqual([received(), handshakes()], [0, 0]);
  });

  test('the fetch of the process too, where somebody has replaced it', async (t) => {
    const { url, received } = await serve(t, impostor);
    t.mock.method(globalThis, 'fetch', async () => new Response('ok'));
    // Node 26 has not loaded its undici then, so it is refused when it is configured.
    const send = async (): Promise<unknown> => pinnedFetch({ pins })(url, { method: 'POST', body: 'secret' });
    const error = await failureOf(send());
    assert.equal(findCertpinError(error)?.code, 'ERR_CLIENT_UNSUPPORTED');
    assert.equal(received(), 0);
  });
});
