// Every undici that certpin/undici takes, on every Node that it is for, with the compiled library: once imported, once required.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import process from 'node:process';
import { describe, type TestContext, test } from 'node:test';
import { certificateHex, mint, startHttpsServer, startScriptedServer } from '@certpin/testkit';
import * as imported from 'certpin/undici';
import { findPackage, requirePackage, supportsNode } from './packages.ts';

/** What of each undici is used, by shape: they do not share their types. */
interface Undici {
  readonly Agent: new (options: object) => imported.DispatcherLike;
  readonly fetch: typeof fetch;
  readonly request: (
    url: string,
    options: object,
  ) => Promise<{ statusCode: number; body: { text(): Promise<string> } }>;
}

const right = await mint();
const impostor = await mint();
const pins = certificateHex(right);
const required = createRequire(import.meta.url)('certpin/undici') as typeof imported;

async function serve(t: TestContext, certificate = right) {
  const server = await startHttpsServer({ certificate });
  t.after(server.close);
  return { ...server, url: `https://127.0.0.1:${server.port}/login` };
}

async function failureOf(promise: Promise<unknown>): Promise<{ code?: string; cause?: { code?: string } }> {
  return promise.then(
    () => assert.fail('it went through'),
    (reason) => reason,
  );
}

for (const major of [5, 6, 7, 8]) {
  const found = findPackage(`undici-${major}`);
  if (found === undefined) throw new Error(`undici-${major} is not installed`);
  // dev/tools/nodes.ts reads the same `engines`, and says what was left out.
  if (!supportsNode(found, process.version)) continue;
  const undici = requirePackage(`undici-${major}`) as Undici;

  for (const [system, { pinnedDispatcher, pinnedFetch }] of Object.entries({ import: imported, require: required })) {
    describe(`undici ${major}`, () => {
      const options = { method: 'POST', body: 'user and password' };

      test(`${system}: its request reaches the pinned server, and tells another one nothing`, async (t) => {
        const [server, other] = [await serve(t), await serve(t, impostor)];
        const dispatcher = pinnedDispatcher({ pins }, { Agent: undici.Agent });
        t.after(() => dispatcher.destroy());
        const answer = await undici.request(server.url, { ...options, dispatcher });
        assert.equal(await answer.body.text(), 'POST /login user and password');
        const error = await failureOf(undici.request(other.url, { ...options, dispatcher }));
        assert.equal(error.code, 'ERR_PIN_MISMATCH');
        await settled(other);
      });

      test(`${system}: its fetch reaches the pinned server, and tells another one nothing`, async (t) => {
        const [server, other] = [await serve(t), await serve(t, impostor)];
        const api = pinnedFetch({ pins }, { Agent: undici.Agent, fetch: undici.fetch });
        t.after(() => api.dispatcher.destroy());
        assert.equal(await (await api(server.url, options)).text(), 'POST /login user and password');
        for (let call = 1; call <= 3; call++) {
          assert.equal((await failureOf(api(other.url, options))).cause?.code, 'ERR_PIN_MISMATCH');
        }
        await settled(other);
      });

      test(`${system}: http: is refused, and so is a redirect to it`, async (t) => {
        const plain = await startScriptedServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
        t.after(plain.close);
        const target = `http://127.0.0.1:${plain.port}/`;
        const { server, url } = await serve(t);
        server.removeAllListeners('request').on('request', (_, response) => {
          response.writeHead(307, { location: target }).end();
        });
        const api = pinnedFetch({ pins }, { Agent: undici.Agent, fetch: undici.fetch });
        t.after(() => api.dispatcher.destroy());
        for (const from of [target, url]) {
          const error = await failureOf(api(from, { headers: { authorization: 'secret' } }));
          assert.equal(error.cause?.code, 'ERR_PLAINTEXT_REFUSED');
        }
        assert.equal(plain.received().length, 0);
      });
    });
  }
}

/** Bytes that are on their way get the time to arrive. */
async function settled({ received }: { received: () => number }): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(received(), 0);
}
