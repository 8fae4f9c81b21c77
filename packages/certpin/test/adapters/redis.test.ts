import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { called, certificateHex, failureOf, mint } from '@certpin/testkit';
import { startRedis, startRedisRelay } from '@certpin/testkit/redis';
import { isSupported } from '../../src/adapters/driver-tls.ts';
import { pinnedRedis } from '../../src/adapters/redis.ts';
import { CertpinError, findCertpinError, type PolicyOptions } from '../../src/index.ts';
import { redisVersions } from './redis-versions.ts';

const require = createRequire(import.meta.url);
const right = await mint();
const impostor = await mint();
const pins = certificateHex(right);
const server = await startRedis({ certificate: right });
after(() => server.stop());
const { host, port, username, password } = server;
const policy = { pins };
const url = `rediss://${username}:${password}@${host}:${port}`;

type Options = Record<string, unknown>;

async function relay(t: TestContext, certificate = impostor, tls: object = {}) {
  const started = await startRedisRelay({ certificate, upstream: server.plain, ...tls });
  t.after(started.close);
  return started;
}

function assertMismatch(error: unknown, at: number): void {
  const ours = findCertpinError(error);
  assert.ok(ours instanceof CertpinError, String((error as Error).stack));
  assert.equal(ours.code, 'ERR_PIN_MISMATCH');
  assert.ok(ours.message.includes(`pin mismatch for 127.0.0.1:${at}`), ours.message);
  assert.ok(!`${ours.message}${JSON.stringify(ours)}${ours.stack}`.includes(password));
}

/** What of node-redis 3 is used, by shape: its types are in a package of their own. */
interface Old extends NodeJS.EventEmitter {
  send_command(name: string, args: string[], done: (error: Error | null, answer?: unknown) => void): void;
  end(flush: boolean): void;
}
const { createClient: createOld } = require('redis-3') as { createClient(options: object): Old };

/** A client of node-redis 3 that ends with the test. */
function openOld(t: TestContext, options: object) {
  const client = createOld(options);
  client.on('error', () => undefined);
  t.after(() => client.end(false));
  const send = (name: string, ...args: string[]) => called<unknown>((done) => client.send_command(name, args, done));
  return Object.assign(client, { send });
}

/** The first failure of a client: it may try again for ever. */
async function connectOnce(create: () => NodeJS.EventEmitter & { connect(): Promise<unknown> }): Promise<void> {
  const client = create();
  const failed = new Promise((_, reject) => client.once('error', reject));
  await Promise.race([client.connect(), failed]);
}

const never = (): false => false;
const soon = (): number => 20;
const skip = isSupported() ? false : 'this Node does not announce TLS sockets: see certpin/forward';

for (const [version, { createClient }] of Object.entries(redisVersions)) {
  const configOf = (at = port, socket: object = {}): Options => ({
    username,
    password,
    socket: { host, port: at, reconnectStrategy: never, ...socket },
  });
  const pin = (at = port, socket: object = {}, pinned: PolicyOptions = policy): Options => ({
    ...pinnedRedis(configOf(at, socket), pinned),
  });
  /** A client that ends with the test, and what its `error` event has said. */
  const open = (t: TestContext, options: object) => {
    const errors: Error[] = [];
    const client = createClient(options);
    client.on('error', (error) => errors.push(error));
    t.after(() => (client.isOpen ? client.disconnect() : undefined));
    return Object.assign(client, { errors });
  };

  describe(version, { skip }, () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`reaches the pinned server, logged in, over ${maxVersion}`, async (t) => {
        const front = await relay(t, right, { maxVersion });
        const client = open(t, pin(front.port));
        await client.connect();
        assert.equal(await client.sendCommand(['ACL', 'WHOAMI']), username);
        assert.deepEqual(client.errors, []);
      });

      test(`tells another server nothing, and connect says why, over ${maxVersion}`, async (t) => {
        const wrong = await relay(t, impostor, { maxVersion });
        const client = open(t, pin(wrong.port));
        const error = await failureOf(client.connect());
        assert.ok(error instanceof CertpinError);
        assertMismatch(error, wrong.port);
        for (const each of client.errors) assertMismatch(each, wrong.port);
        assert.ok(client.errors.length > 0);
        await delay(20);
        assert.equal(wrong.received(), 0);
      });
    }

    test('the server with TLS of its own, by a URL', async (t) => {
      const client = open(t, pinnedRedis(`${url}/3`, policy));
      await client.connect();
      assert.match(String(await client.sendCommand(['CLIENT', 'INFO'])), / db=3 /);
      const beside = open(t, pinnedRedis({ url, socket: { reconnectStrategy: never }, name: 'beside' }, policy));
      await beside.connect();
      assert.match(String(await beside.sendCommand(['CLIENT', 'INFO'])), / name=beside /);
    });

    test('a thousand commands at once, a transaction, and values of megabytes', async (t) => {
      const client = open(t, pin());
      await client.connect();
      const answers = await Promise.all(Array.from({ length: 1_000 }, (_, index) => client.set(`key ${index}`, index)));
      assert.deepEqual(new Set(answers), new Set(['OK']));
      assert.deepEqual(await client.multi().set('in', 'it').get('in').exec(), ['OK', 'it']);
      const big = 'x'.repeat(5_000_000);
      await client.set('big', big);
      assert.equal(await client.get('big'), big);
    });

    test('what is subscribed to, on a duplicate', async (t) => {
      const client = open(t, pin());
      await client.connect();
      const listener = client.duplicate();
      listener.on('error', () => undefined);
      await listener.connect();
      t.after(() => listener.disconnect());
      const heard = new Promise((resolve) => {
        void listener.subscribe('rotation', resolve).then(() => client.publish('rotation', 'now'));
      });
      assert.equal(await heard, 'now');
    });

    test('while the certificate is a wrong one it tries again, tells nothing, and recovers', async (t) => {
      const front = await relay(t, right);
      const client = open(t, pin(front.port, { reconnectStrategy: soon }));
      await client.connect();
      await client.set('key', 'before');
      front.present(impostor);
      await server.execute('CLIENT', 'KILL', 'TYPE', 'normal');
      while (client.errors.filter((error) => findCertpinError(error)).length < 5) await delay(10);
      assert.equal(front.received(), 0);
      front.present(right);
      assert.equal(await client.get('key'), 'before');
    });

    test('a rotation of the server itself: the next pin beside the current one', async (t) => {
      const next = await mint();
      const both = open(t, pin(port, { reconnectStrategy: soon }, { pins: [pins, certificateHex(next)] }));
      await both.connect();
      await server.present(next);
      t.after(() => server.present(right));
      const ready = new Promise((resolve) => both.once('ready', resolve));
      await server.execute('CLIENT', 'KILL', 'TYPE', 'normal');
      await ready;
      assert.equal(await both.ping(), 'PONG');
      assertMismatch(await failureOf(open(t, pin()).connect()), port);
    });

    test('a host that has no pins is not called', async (t) => {
      const wrong = await relay(t);
      const pinned = pinnedRedis(configOf(wrong.port), { hosts: { 'other.example': { pins } } });
      const error = await failureOf(open(t, pinned).connect());
      assert.equal(findCertpinError(error)?.code, 'ERR_HOST_UNPINNED');
      assert.equal(wrong.handshakes(), 0);
    });

    describe('a configuration that has lost something', () => {
      test('its functions, in JSON: nobody accepts a server', async (t) => {
        for (const certificate of [impostor, right]) {
          const front = await relay(t, certificate);
          await failureOf(connectOnce(() => open(t, JSON.parse(JSON.stringify(pin(front.port))))));
          assert.equal(front.received(), 0);
        }
      });

      test('its socket, in a client of node-redis 3: it is pinned all the same', async (t) => {
        const wrong = await relay(t);
        const told = new Promise<unknown>((resolve) => {
          const retry_strategy = ({ error }: { error: unknown }): undefined => void resolve(error);
          openOld(t, { ...pin(wrong.port), retry_strategy });
        });
        assertMismatch(await told, wrong.port);
        assert.equal(wrong.received(), 0);
      });

      test('its TLS, in the socket: refused, or pinned', async (t) => {
        const wrong = await relay(t);
        for (const change of [
          { tls: false },
          { rejectUnauthorized: false },
          { checkServerIdentity: () => undefined },
        ]) {
          const whole = pin(wrong.port);
          const changed = { ...whole, socket: { ...(whole.socket as object), ...change } };
          await failureOf(connectOnce(() => open(t, changed)));
          await delay(20);
          assert.equal(wrong.received(), 0);
        }
      });

      test('nothing: a spread is whole', async (t) => {
        const client = open(t, { ...pinnedRedis(configOf(), policy) });
        await client.connect();
        assert.equal(await client.ping(), 'PONG');
      });

      test('what structuredClone does not take, and what nobody writes over', () => {
        const whole = pinnedRedis(configOf(), policy);
        assert.throws(() => structuredClone(whole), { name: 'DataCloneError' });
        const { tls: _, ...bare } = whole.socket;
        const inClear = [{ socket: { ...whole.socket, tls: false } }, { socket: bare }];
        for (const other of [{ socket: {} }, { socket: undefined }, { tls: {} }, ...inClear]) {
          assert.throws(() => Object.assign(whole, other), { code: 'ERR_OPTION_INVALID' });
        }
        // As the client does it, when a server says that it moves.
        Object.assign(whole, { socket: { ...whole.socket, host: 'moved.example' } });
        assert.equal(whole.socket.host, 'moved.example');
      });

      test('a URL that is added to it leads to another pinned server, or is refused', async (t) => {
        const wrong = await relay(t);
        for (const scheme of ['redis', 'rediss']) {
          const add = { ...pin(), url: `${scheme}://${username}:${password}@${host}:${wrong.port}` };
          await failureOf(connectOnce(() => open(t, add)));
          await delay(20);
          assert.equal(wrong.received(), 0);
        }
      });
    });
  });
}

describe('redis 3.1', { skip }, () => {
  const configOf = (at = port): Options => ({
    ...{ host, port: at, user: username, password, tls: {}, retry_strategy: soon },
  });
  const pin = (at = port, pinned: PolicyOptions = policy): Options => ({ ...pinnedRedis(configOf(at), pinned) });
  const open = openOld;

  test('reaches the pinned server, logged in', async (t) => {
    assert.equal(await open(t, pin()).send('ACL', 'WHOAMI'), username);
    assert.equal(await open(t, pinnedRedis({ url, tls: {} }, policy)).send('ACL', 'WHOAMI'), username);
  });

  test('tells another server nothing; the `error` event says why, and the retry strategy is told in its place', async (t) => {
    const wrong = await relay(t);
    const { retry_strategy: _, ...plain } = configOf(wrong.port);
    const client = createOld(pinnedRedis(plain, policy));
    t.after(() => client.end(false));
    const [error] = await once(client, 'error').catch((reason) => [reason]);
    assertMismatch(error, wrong.port);
    const told = new Promise<unknown>((resolve) => {
      const retry = ({ error: why }: { error: unknown }): Error => {
        resolve(why);
        return new Error('enough');
      };
      open(t, pinnedRedis({ ...configOf(wrong.port), retry_strategy: retry }, policy));
    });
    assertMismatch(await told, wrong.port);
    await delay(20);
    assert.equal(wrong.received(), 0);
  });

  test('while the certificate is a wrong one it tries again, tells nothing, and recovers', async (t) => {
    const front = await relay(t, right);
    const client = open(t, pin(front.port));
    assert.equal(await client.send('SET', 'key', 'before'), 'OK');
    front.present(impostor);
    await server.execute('CLIENT', 'KILL', 'TYPE', 'normal');
    await delay(150);
    assert.equal(front.received(), 0);
    front.present(right);
    assert.equal(await client.send('GET', 'key'), 'before');
  });

  const losses: Record<string, (whole: Options) => Options> = {
    'its `tls`': ({ tls: _, ...rest }) => rest,
    'its `tls`, overridden': (whole) => ({ ...whole, tls: undefined }),
    'its `tls`, overridden by another': (whole) => ({ ...whole, tls: {} }),
    'its functions, in JSON': (whole) => JSON.parse(JSON.stringify(whole)),
  };
  for (const [what, lose] of Object.entries(losses)) {
    test(`a configuration that has lost ${what}: nobody is called`, async (t) => {
      const wrong = await relay(t);
      const told: unknown[] = [];
      const retry = ({ error }: { error: unknown }): undefined => void told.push(error);
      const failed = (async () => {
        await open(t, { ...lose(pin(wrong.port)), retry_strategy: retry }).send('PING');
      })();
      const error = await failureOf(failed);
      assert.match(`${error.message} ${told}`, /the-pinned-tls-was-lost|context/);
      assert.equal(wrong.handshakes(), 0);
    });
  }

  test('its options lead a newer client nowhere', async () => {
    for (const { createClient } of Object.values(redisVersions)) {
      const client = createClient(pin());
      const failed = once(client, 'error').then(([error]) => error);
      const connected = client.connect().catch(() => undefined);
      assert.match((await failed).message, /the-pinned-tls-was-lost/);
      await client.disconnect();
      await Promise.race([connected, delay(100)]);
    }
  });
});

test('what has lost its socket trusts no CA, not even those that the process trusts', { skip }, async (t) => {
  const ca = await mint({ ca: true, subject: 'CN=Trusted CA' });
  const wrong = await relay(t, await mint({ issuer: ca }));
  const trusted = join(tmpdir(), `certpin-trusted-redis-${process.pid}.pem`);
  writeFileSync(trusted, ca.certPem);
  t.after(() => rmSync(trusted));
  const script = `import { createClient } from 'redis';
    import { pinnedRedis } from '${new URL('../../src/adapters/redis.ts', import.meta.url).href}';
    const socket = ${JSON.stringify({ host, port: wrong.port, reconnectStrategy: false })};
    const { socket: pinned } = pinnedRedis({ socket }, ${JSON.stringify(policy)});
    const clone = { ...socket, ...JSON.parse(JSON.stringify(pinned)) };
    for (const each of [pinned, clone, { ...pinned, checkServerIdentity() {} }, { ...socket, tls: true }]) {
      const told = async () => {
        const client = createClient({ socket: each }).on('error', () => undefined);
        await client.connect();
        return client.sendCommand(['AUTH', '${username}', '${password}']);
      };
      console.log(await told().catch(() => 'refused'));
    }
    process.exit();`;
  const command = ['--import', 'tsx', '--input-type=module', '-e', script];
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: trusted };
  const { stdout } = await promisify(execFile)(process.execPath, command, { env, cwd: new URL('.', import.meta.url) });
  // The last one is what it would be without certpin's options.
  assert.deepEqual(stdout.trim().split('\n'), ['refused', 'refused', 'refused', 'OK']);
});

test('a Node that does not announce TLS sockets is refused, with what to do', { skip: isSupported() }, () => {
  for (const config of [url, { socket: { host } }, { host, tls: {} }, { rootNodes: [{ url }] }]) {
    assert.throws(() => pinnedRedis(config as object, policy), {
      code: 'ERR_CLIENT_UNSUPPORTED',
      message: /certpin\/forward/,
    });
  }
});

describe('pinnedRedis refuses', () => {
  const cases: [string, unknown, string][] = [
    ['a URL without TLS', `redis://user:${password}@${host}`, 'ERR_PLAINTEXT_REFUSED'],
    [
      'a URL without TLS, in a root node',
      { rootNodes: [{ url: `redis://user:${password}@${host}` }] },
      'ERR_PLAINTEXT_REFUSED',
    ],
    ['a URL that is none', `rediss://user:${password}@[::`, 'ERR_OPTION_INVALID'],
    ['`socket.tls: false`', { socket: { host, tls: false } }, 'ERR_OPTION_INVALID'],
    [
      '`socket.tls: false` for the nodes of a cluster',
      { rootNodes: [], defaults: { socket: { tls: false } } },
      'ERR_OPTION_INVALID',
    ],
    [
      'an unpinned sentinel',
      { sentinelRootNodes: [{ host, port }], sentinelClientOptions: { socket: { tls: false } } },
      'ERR_OPTION_INVALID',
    ],
    ['a unix socket', { path: '/run/redis.sock' }, 'ERR_OPTION_INVALID'],
    ['`rejectUnauthorized`', { socket: { rejectUnauthorized: false } }, 'ERR_OPTION_INVALID'],
    ['`rejectUnauthorized` of node-redis 3', { host, tls: { rejectUnauthorized: false } }, 'ERR_OPTION_INVALID'],
    ['a misspelt option', { socket: { hots: host } }, 'ERR_OPTION_INVALID'],
    ['a stream', { stream: {} }, 'ERR_OPTION_INVALID'],
    ['no object', undefined, 'ERR_OPTION_INVALID'],
  ];
  for (const [what, config, code] of cases) {
    // There the Node is refused first.
    test(what, { skip: what === 'an unpinned sentinel' && skip }, () => {
      assert.throws(
        () => pinnedRedis(config as object, policy),
        (error: Error & { code: string }) => error.code === code && !error.message.includes(password),
      );
    });
  }

  test('a unix socket in `socket`', { skip }, () => {
    const config: object = { socket: { path: '/run/redis.sock' } };
    assert.throws(() => pinnedRedis(config, policy), { code: 'ERR_OPTION_INVALID' });
  });
});
