import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { certificateHex, failureOf, mint } from '@certpin/testkit';
import { startRedis, startRedisRelay } from '@certpin/testkit/redis';
import type { Redis as Client } from 'ioredis';
import { isSupported } from '../../src/adapters/driver-tls.ts';
import { pinnedIoredis } from '../../src/adapters/redis.ts';
import { CertpinError, findCertpinError, type PolicyOptions } from '../../src/index.ts';
import { type IoredisModule, ioredisVersions } from './redis-versions.ts';

const right = await mint();
const impostor = await mint();
const pins = certificateHex(right);
const server = await startRedis({ certificate: right });
after(() => server.stop());
const { host, port, username, password } = server;
const login = { host, port, username, password };

/** A client that ends with the test, and what its `error` event has said. */
function open(t: TestContext, Redis: IoredisModule, ...options: unknown[]): Client & { readonly errors: Error[] } {
  const errors: Error[] = [];
  const client = new Redis(...options);
  client.on('error', (error: Error) => errors.push(error));
  t.after(() => client.disconnect());
  return Object.assign(client, { errors });
}

/** As a wrong server would see it: a relay that passes everything on to the real one. */
async function relay(t: TestContext, certificate = impostor, tls: object = {}) {
  const started = await startRedisRelay({ certificate, upstream: server.plain, ...tls });
  t.after(started.close);
  return started;
}

function assertMismatch(error: unknown, at: number): void {
  assert.ok(error instanceof CertpinError);
  assert.equal(error.code, 'ERR_PIN_MISMATCH');
  assert.match(error.message, new RegExp(`^pin mismatch for 127.0.0.1:${at}`));
  assert.ok(!`${error.message}${JSON.stringify(error)}${error.stack}`.includes(password));
}

/** Retries soon, and gives up soon: a command of this client is refused after four attempts. */
const impatient = { retryStrategy: () => 20, maxRetriesPerRequest: 3 };

for (const [version, Redis] of Object.entries(ioredisVersions)) {
  const pin = (config: object = login, policy: PolicyOptions = { pins }) => pinnedIoredis(config, policy);

  describe(version, () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`reaches the pinned server, logged in, over ${maxVersion}`, async (t) => {
        const client = open(t, Redis, pin({ ...login, tls: { maxVersion } }));
        assert.equal(await client.call('ACL', 'WHOAMI'), username);
        const { stream } = client as unknown as { stream: { getProtocol(): string } };
        assert.equal(stream.getProtocol(), maxVersion);
        assert.deepEqual(client.errors, []);
      });

      test(`tells another server nothing, and the error event says why, over ${maxVersion}`, async (t) => {
        const wrong = await relay(t, impostor, { maxVersion });
        const client = open(t, Redis, pin({ ...login, ...impatient, port: wrong.port }));
        const error = await failureOf(client.get('key'));
        assert.equal(error.name, 'MaxRetriesPerRequestError');
        assert.equal(
          findCertpinError(error),
          undefined,
          'docs/reference/redis.md says that a command knows nothing of it',
        );
        assert.equal(client.errors.length, 4);
        for (const each of client.errors) assertMismatch(each, wrong.port);
        assert.equal(wrong.received(), 0);
      });
    }

    test('a pipeline of a thousand commands, a transaction, and values of megabytes', async (t) => {
      const client = open(t, Redis, pin());
      const pipeline = client.pipeline();
      for (let index = 0; index < 1_000; index++) pipeline.set(`key ${index}`, index);
      const results = (await pipeline.exec()) ?? [];
      assert.equal(results.filter(([error, answer]) => error === null && answer === 'OK').length, 1_000);
      assert.deepEqual(await client.multi().set('in', 'it').get('in').exec(), [
        [null, 'OK'],
        [null, 'it'],
      ]);
      const big = 'x'.repeat(5_000_000);
      await client.set('big', big);
      assert.equal(await client.get('big'), big);
    });

    test('what is subscribed to', async (t) => {
      const [listener, speaker] = [open(t, Redis, pin()), open(t, Redis, pin())];
      await listener.subscribe('rotation');
      const heard = once(listener, 'message');
      await speaker.publish('rotation', 'now');
      assert.deepEqual(await heard, ['rotation', 'now']);
    });

    test('MONITOR and a duplicate are pinned too', async (t) => {
      const client = open(t, Redis, pin());
      const monitor = await client.monitor();
      t.after(() => monitor.disconnect());
      const duplicate = client.duplicate();
      t.after(() => duplicate.disconnect());
      const isPinned = (one: Client): boolean =>
        (one as unknown as { connector: object }).connector.constructor.name === 'PinnedConnector';
      assert.ok(isPinned(monitor) && isPinned(duplicate));
      assert.equal(await duplicate.ping(), 'PONG');
    });

    test('while the certificate is a wrong one it tries again, tells nothing, and recovers', async (t) => {
      const front = await relay(t, right);
      const client = open(
        t,
        Redis,
        pin({ ...login, retryStrategy: () => 20, maxRetriesPerRequest: null, port: front.port }),
      );
      await client.set('key', 'before');
      front.present(impostor);
      client.disconnect(true);
      const answer = client.get('key');
      while (client.errors.length < 5) await delay(10);
      assert.equal(front.received(), 0);
      for (const error of client.errors) assertMismatch(error, front.port);
      front.present(right);
      assert.equal(await answer, 'before');
    });

    test('a rotation of the server itself: the next pin beside the current one', async (t) => {
      const next = await mint();
      const both = open(t, Redis, pin({ ...login, retryStrategy: () => 20 }, { pins: [pins, certificateHex(next)] }));
      assert.equal(await both.ping(), 'PONG');
      await server.present(next);
      t.after(() => server.present(right));
      both.disconnect(true);
      await once(both, 'ready');
      assert.equal(await both.ping(), 'PONG');
      const old = open(t, Redis, pin({ ...login, ...impatient }));
      await failureOf(old.ping());
      assertMismatch(old.errors[0], port);
    });

    test('a URL, alone and before the options', async (t) => {
      const url = `rediss://${username}:${password}@${host}:${port}/3`;
      const alone = open(t, Redis, pinnedIoredis(url, { pins }));
      assert.equal(await alone.ping(), 'PONG');
      assert.match(String(await alone.client('INFO')), / db=3 /);
      // Without TLS in it: the connector makes the connection all the same.
      for (const scheme of ['redis', 'rediss']) {
        const before = open(t, Redis, url.replace('rediss', scheme), pin({ username }));
        assert.equal(await before.call('ACL', 'WHOAMI'), username);
        const wrong = await relay(t);
        const there = url.replace('rediss', scheme).replace(`:${port}`, `:${wrong.port}`);
        const refused = open(t, Redis, there, pin(impatient));
        await failureOf(refused.ping());
        assertMismatch(refused.errors[0], wrong.port);
        assert.equal(wrong.received(), 0);
      }
    });

    test('a host that has no pins is not called, and the command gets the error itself', async (t) => {
      const wrong = await relay(t);
      const client = open(
        t,
        Redis,
        pinnedIoredis({ ...login, port: wrong.port }, { hosts: { 'other.example': { pins } } }),
      );
      const error = await failureOf(client.ping());
      assert.equal(findCertpinError(error)?.code, 'ERR_HOST_UNPINNED');
      assert.equal(client.status, 'end');
      assert.equal(wrong.handshakes(), 0);
    });

    test('who disconnects at once, or in the handshake, leaves nothing behind', async (t) => {
      const front = await relay(t, right);
      const client = open(t, Redis, pin({ ...login, port: front.port }));
      client.disconnect();
      await once(client, 'end');
      const later = open(t, Redis, pin({ ...login, port: front.port }));
      await delay(1);
      later.disconnect();
      await once(later, 'end');
      assert.equal(front.receivedText().includes(password), false);
    });

    test('without a listener for errors it says so on the console, as ever, and the process lives', async (t) => {
      const said = t.mock.method(console, 'error', () => undefined);
      const wrong = await relay(t);
      const client = new Redis(pin({ ...login, ...impatient, port: wrong.port }));
      await failureOf(client.ping());
      client.disconnect();
      assert.match(String(said.mock.calls[0]?.arguments), /Unhandled error event/);
      assert.equal(wrong.received(), 0);
    });

    describe('a configuration that has lost something', () => {
      type Options = Record<string, unknown>;
      const pinned = (config: object = login): Options => ({ ...pin(config) });
      const losses: Record<string, (whole: Options) => Options> = {
        'its `Connector`': ({ Connector: _, ...rest }) => rest,
        'its `Connector`, overridden': (whole) => ({ ...whole, Connector: undefined }),
        'its functions, in JSON': (whole) => JSON.parse(JSON.stringify(whole)),
      };
      for (const [what, lose] of Object.entries(losses)) {
        test(`${what}: the server is pinned, or none is accepted`, async (t) => {
          const wrong = await relay(t);
          const client = open(t, Redis, lose(pinned({ ...login, ...impatient, port: wrong.port })));
          await failureOf(client.ping());
          assert.ok(client.errors.length > 0);
          assert.equal(wrong.received(), 0);
          const answer = open(t, Redis, lose(pinned({ ...login, ...impatient }))).ping();
          if (isSupported() && !what.includes('JSON')) assert.equal(await answer, 'PONG');
          else await failureOf(answer);
        });
      }

      const kept: Record<string, (whole: Options) => Options> = {
        'a spread': (whole) => ({ ...whole }),
        'its `tls`': ({ tls: _, ...rest }) => rest,
        'its `tls`, overridden': (whole) => ({ ...whole, tls: { rejectUnauthorized: false } }),
      };
      for (const [what, copy] of Object.entries(kept)) {
        test(`${what}: the connector pins`, async (t) => {
          const wrong = await relay(t);
          const client = open(t, Redis, copy(pinned({ ...login, ...impatient, port: wrong.port })));
          await failureOf(client.ping());
          assertMismatch(client.errors[0], wrong.port);
          assert.equal(wrong.received(), 0);
          assert.equal(await open(t, Redis, copy(pinned())).ping(), 'PONG');
        });
      }

      test('what structuredClone does not take, and what nobody writes over', () => {
        const whole = pin();
        assert.throws(() => structuredClone(whole), { name: 'DataCloneError' });
        for (const option of ['tls', 'Connector']) {
          assert.throws(() => Object.assign(whole, { [option]: undefined }), { code: 'ERR_OPTION_INVALID' });
        }
      });

      test('a unix socket and sentinels beside it are refused by the client', () => {
        const whole = pin();
        assert.throws(() => new Redis('/run/redis.sock', whole), { code: 'ERR_OPTION_INVALID' });
        assert.throws(() => new Redis({ ...whole, path: '/run/redis.sock' }), { code: 'ERR_OPTION_INVALID' });
        const sentinels = [{ host, port: 26379 }];
        assert.throws(() => new Redis({ ...whole, sentinels, name: 'users' }), { code: 'ERR_OPTION_INVALID' });
      });
    });
  });
}

test('what has lost its connector trusts no CA, not even those that the process trusts', async (t) => {
  const ca = await mint({ ca: true, subject: 'CN=Trusted CA' });
  const wrong = await relay(t, await mint({ issuer: ca }));
  const trusted = join(tmpdir(), `certpin-trusted-${process.pid}.pem`);
  writeFileSync(trusted, ca.certPem);
  t.after(() => rmSync(trusted));
  const script = `import { Redis } from 'ioredis';
    import { pinnedIoredis } from '${new URL('../../src/adapters/redis.ts', import.meta.url).href}';
    const login = ${JSON.stringify({ ...login, port: wrong.port, retryStrategy: null })};
    const { tls } = pinnedIoredis(login, ${JSON.stringify({ pins })});
    for (const each of [tls, JSON.parse(JSON.stringify(tls)), { ...tls, checkServerIdentity() {} }, {}]) {
      const redis = new Redis({ ...login, tls: each }).on('error', () => undefined);
      console.log(await redis.ping().catch(() => 'refused'));
      redis.disconnect();
    }`;
  const command = ['--import', 'tsx', '--input-type=module', '-e', script];
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: trusted };
  const { stdout } = await promisify(execFile)(process.execPath, command, { env, cwd: new URL('.', import.meta.url) });
  // The last one is what it would be without certpin's options.
  assert.deepEqual(stdout.trim().split('\n'), ['refused', 'refused', 'refused', 'PONG']);
});

describe('pinnedIoredis refuses', () => {
  const cases: [string, unknown, string][] = [
    ['a `Connector`', { Connector: class {} }, 'ERR_OPTION_INVALID'],
    ['a unix socket', { path: '/run/redis.sock' }, 'ERR_OPTION_INVALID'],
    ['`tls: false`', { tls: false }, 'ERR_OPTION_INVALID'],
    ['`tls: null`', { tls: null }, 'ERR_OPTION_INVALID'],
    ['a profile of CAs', { tls: 'RedisCloudFixed' }, 'ERR_OPTION_INVALID'],
    ['`rejectUnauthorized`', { tls: { rejectUnauthorized: false } }, 'ERR_OPTION_INVALID'],
    ['`checkServerIdentity`', { tls: { checkServerIdentity: () => undefined } }, 'ERR_OPTION_INVALID'],
    ['a session', { tls: { session: Buffer.of(1) } }, 'ERR_OPTION_INVALID'],
    ['TLS 1.1', { tls: { maxVersion: 'TLSv1.1' } }, 'ERR_OPTION_INVALID'],
    ['no object', undefined, 'ERR_OPTION_INVALID'],
    ['a URL without TLS', `redis://${host}`, 'ERR_PLAINTEXT_REFUSED'],
    ['a URL with parameters', `rediss://user:${password}@${host}?tls=`, 'ERR_OPTION_INVALID'],
    ['a URL that is none', `rediss://user:${password}@[::`, 'ERR_OPTION_INVALID'],
    ['the URL of something else', `https://user:${password}@${host}`, 'ERR_OPTION_INVALID'],
    ['a URL with a path', `rediss://user:${password}@${host}/a/b`, 'ERR_OPTION_INVALID'],
  ];
  for (const [what, config, code] of cases) {
    test(what, () => {
      assert.throws(
        () => pinnedIoredis(config as object, { pins }),
        (error: Error & { code: string }) => error.code === code && !error.message.includes(password),
      );
    });
  }

  test('a URL with parameters, and says what to do', () => {
    assert.throws(() => pinnedIoredis(`rediss://${host}?family=6`, { pins }), {
      message:
        'pinnedIoredis: the URL must be rediss://username:password@host:port/0, without parameters: give them as options',
    });
  });

  test('a policy without pins', () => {
    assert.throws(() => pinnedIoredis(login, { pins: '' }), { code: 'ERR_PIN_INVALID' });
  });
});
