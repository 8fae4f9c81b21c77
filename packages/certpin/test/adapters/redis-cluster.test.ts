import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { after, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { certificateHex, failureOf, mint } from '@certpin/testkit';
import {
  MASTER_NAME,
  startRedis,
  startRedisCluster,
  startRedisRelay,
  startRedisSentinel,
} from '@certpin/testkit/redis';
import { isSupported } from '../../src/adapters/driver-tls.ts';
import { pinnedIoredis, pinnedRedis } from '../../src/adapters/redis.ts';
import { type CertpinError, findCertpinError } from '../../src/index.ts';
import type { ConnectionAttempt } from '../../src/tls/attempt.ts';
import { ioredisVersions, redisVersions } from './redis-versions.ts';

const impostor = await mint();
const cluster = await startRedisCluster();
after(() => cluster.stop());
const nodes = cluster.nodes;
const [seed, second] = nodes as [(typeof nodes)[number], (typeof nodes)[number]];
const { host, username, password } = seed;
const pins = nodes.map(({ certificate }) => certificateHex(certificate));
const skip = isSupported() ? false : 'this Node does not announce TLS sockets';

/** A key of each third of the slots: CLUSTER KEYSLOT is 3300, 7365 and 12182. */
const keys = ['b', 'c', 'foo'] as const;
const [, keyOfSecond] = keys;

/** The second node as an impostor holds it: clients are led to a relay that passes everything on. */
async function takeOver(t: TestContext) {
  const wrong = await startRedisRelay({ certificate: impostor, upstream: second.plain });
  t.after(wrong.close);
  await cluster.lead(1, wrong.port);
  t.after(() => cluster.lead(1, second.port));
  return wrong;
}

/** What is told of attempts, where the client itself loses the error. */
function watch(t: TestContext): ConnectionAttempt[] {
  const attempts: ConnectionAttempt[] = [];
  const note = (attempt: unknown): void => void attempts.push(attempt as ConnectionAttempt);
  subscribe('certpin:attempt', note);
  t.after(() => unsubscribe('certpin:attempt', note));
  return attempts;
}

const refusedAt = (attempts: readonly ConnectionAttempt[], port: number): boolean =>
  attempts.some((attempt) => attempt.port === port && attempt.code === 'ERR_PIN_MISMATCH');

for (const [version, { Cluster }] of Object.entries(ioredisVersions)) {
  const open = (t: TestContext, policy: Parameters<typeof pinnedIoredis>[1] = { pins }) => {
    const redisOptions = pinnedIoredis({ username, password, maxRetriesPerRequest: 1 }, policy);
    const options = { redisOptions, clusterRetryStrategy: () => 50, slotsRefreshTimeout: 2_000 };
    const client = new Cluster([{ host, port: seed.port }], options);
    const errors: Error[] = [];
    client.on('error', (error: Error) => errors.push(error));
    t.after(() => client.disconnect());
    return Object.assign(client, { errors });
  };

  describe(`${version}: a cluster`, () => {
    test('every node is pinned, and used', async (t) => {
      const client = open(t);
      for (const key of keys) assert.equal(await client.set(key, 'value'), 'OK');
      assert.equal(client.nodes('master').length, 3);
    });

    test('a policy for each host', async (t) => {
      const client = open(t, { hosts: { [host]: { pins } } });
      assert.equal(await client.set(keys[0], 'value'), 'OK');
      const wrong = open(t, { hosts: { 'other.example': { pins } } });
      await failureOf(
        Promise.race([wrong.get(keys[0]), once(wrong, 'node error').then(([error]) => Promise.reject(error))]),
      );
    });

    test('an impostor behind the address of a node gets nothing, and the others are used', async (t) => {
      const attempts = watch(t);
      const wrong = await takeOver(t);
      const client = open(t);
      assert.equal(await client.set(keys[0], 'value'), 'OK');
      const error = await failureOf(client.get(keyOfSecond));
      assert.equal(findCertpinError(error), undefined, 'docs/reference/redis.md says that the client loses it');
      assert.ok(refusedAt(attempts, wrong.port));
      assert.equal(await client.set(keys[2], 'value'), 'OK');
      assert.equal(wrong.received(), 0);
    });

    test('MOVED to an impostor: it gets nothing', async (t) => {
      const attempts = watch(t);
      const client = open(t);
      await client.set(keys[0], 'value');
      const wrong = await takeOver(t);
      const slot = Number(await seed.execute('CLUSTER', 'KEYSLOT', 'b'));
      await seed.execute('DEL', 'b');
      await cluster.move(slot, 0, 1);
      t.after(() => cluster.move(slot, 1, 0));
      await failureOf(client.get('b'));
      assert.ok(refusedAt(attempts, wrong.port));
      assert.equal(wrong.received(), 0);
    });

    test('its subscriber, which knows no connector, is pinned, or refused where Node announces nothing', async (t) => {
      const client = open(t);
      await client.set(keys[0], 'value');
      if (!isSupported()) {
        await failureOf(client.subscribe('rotation'));
        return;
      }
      await client.subscribe('rotation');
      const heard = once(client, 'message');
      await client.publish('rotation', 'now');
      assert.deepEqual(await heard, ['rotation', 'now']);
    });
  });
}

for (const [version, { createCluster }] of Object.entries(redisVersions)) {
  const open = (t: TestContext) => {
    const socket = { reconnectStrategy: (retries: number) => retries < 2 && 20 };
    const url = `rediss://${username}:${password}@${host}:${seed.port}`;
    const client = createCluster(
      pinnedRedis({ rootNodes: [{ url }], defaults: { username, password, socket } }, { pins }),
    );
    client.on('error', () => undefined);
    client.on('node-error', () => undefined);
    t.after(() => Promise.race([Promise.resolve(client.disconnect()).catch(() => undefined), delay(500)]));
    return client;
  };

  describe(`${version}: a cluster`, { skip }, () => {
    test('every node is pinned, and used', async (t) => {
      const client = open(t);
      await client.connect();
      for (const key of keys) assert.equal(await client.set(key, 'value'), 'OK');
      assert.equal(client.masters.length, 3);
    });

    test('an impostor behind the address of a node gets nothing', async (t) => {
      const attempts = watch(t);
      const wrong = await takeOver(t);
      const error = await failureOf(open(t).connect());
      assert.ok(error instanceof Error);
      assert.ok(refusedAt(attempts, wrong.port));
      assert.equal(wrong.received(), 0);
    });

    test('MOVED to an impostor: it gets nothing', async (t) => {
      const attempts = watch(t);
      const client = open(t);
      await client.connect();
      await client.set('b', 'value');
      const wrong = await takeOver(t);
      const slot = Number(await seed.execute('CLUSTER', 'KEYSLOT', 'b'));
      await seed.execute('DEL', 'b');
      await cluster.move(slot, 0, 1);
      t.after(() => cluster.move(slot, 1, 0));
      await failureOf(client.get('b'));
      assert.ok(refusedAt(attempts, wrong.port));
      assert.equal(wrong.received(), 0);
    });
  });
}

describe('sentinels', { skip }, async () => {
  const ca = await mint({ ca: true, subject: 'CN=Sentinel CA' });
  const [ofMaster, ofSentinel] = [await mint({ issuer: ca }), await mint({ issuer: ca })];
  const both = { pins: [certificateHex(ofMaster), certificateHex(ofSentinel)] };
  const master = await startRedis({ certificate: ofMaster });
  // Sentinels and clients come through here, so that it can become an impostor.
  const front = await startRedisRelay({ certificate: ofMaster, upstream: master.plain });
  const sentinel = await startRedisSentinel({ certificate: ofSentinel, master: front, ca });
  after(async () => {
    await sentinel.stop();
    await front.close();
    await master.stop();
  });
  const login = { username: master.username, password: master.password };
  const address = ({ port }: { port: number }) => ({ host: '127.0.0.1', port });

  async function impostorSentinel(t: TestContext) {
    const wrong = await startRedisRelay({ certificate: impostor, upstream: sentinel.plain });
    t.after(wrong.close);
    return wrong;
  }

  function beImpostor(t: TestContext): void {
    front.present(impostor);
    t.after(() => front.present(ofMaster));
  }

  for (const [version, Redis] of Object.entries(ioredisVersions)) {
    const open = (t: TestContext, sentinels: object[], more: object = {}) => {
      const options = {
        ...{
          sentinels,
          name: MASTER_NAME,
          ...login,
          sentinelUsername: login.username,
          sentinelPassword: login.password,
        },
        ...{
          maxRetriesPerRequest: 2,
          retryStrategy: () => 20,
          sentinelRetryStrategy: () => 20,
          updateSentinels: false,
        },
      };
      const client = new Redis({ ...pinnedIoredis(options, both), ...more });
      const errors: Error[] = [];
      client.on('error', (error: Error) => errors.push(error));
      t.after(() => client.disconnect());
      return Object.assign(client, { errors });
    };

    describe(version, () => {
      test('the sentinel and the master are pinned', async (t) => {
        const client = open(t, [address(sentinel)]);
        assert.equal(await client.ping(), 'PONG');
        assert.match(String(await client.call('ROLE')), /^master/);
      });

      test('an impostor in the place of a sentinel gets nothing, and the next one is asked', async (t) => {
        const attempts = watch(t);
        const wrong = await impostorSentinel(t);
        const client = open(t, [address(wrong), address(sentinel)]);
        assert.equal(await client.ping(), 'PONG');
        assert.ok(refusedAt(attempts, wrong.port));
        assert.equal(wrong.received(), 0);
      });

      test('an impostor in the place of the master gets nothing, and the error event says why', async (t) => {
        beImpostor(t);
        const client = open(t, [address(sentinel)]);
        await failureOf(client.ping());
        assert.ok(client.errors.some((error) => findCertpinError(error)?.code === 'ERR_PIN_MISMATCH'));
        assert.equal(front.received(), 0);
      });

      test('a JSON clone reaches nobody', async (t) => {
        const wrong = await impostorSentinel(t);
        const options = { sentinels: [address(wrong)], name: MASTER_NAME, ...login, sentinelPassword: login.password };
        const client = new Redis(JSON.parse(JSON.stringify(pinnedIoredis(options, both))));
        client.on('error', () => undefined);
        t.after(() => client.disconnect());
        await Promise.race([failureOf(client.ping()), delay(200)]);
        assert.equal(wrong.received(), 0);
      });
    });
  }

  for (const [version, { createSentinel }] of Object.entries(redisVersions)) {
    if (createSentinel === undefined) continue; // before 5
    const open = (t: TestContext, sentinelRootNodes: { host: string; port: number }[]) => {
      const socket = { reconnectStrategy: false as const };
      const options = {
        ...{ name: MASTER_NAME, sentinelRootNodes, maxCommandRediscovers: 2 },
        ...{ nodeClientOptions: { ...login, socket }, sentinelClientOptions: { ...login, socket } },
      };
      const client = createSentinel(pinnedRedis(options, both));
      client.on('error', () => undefined);
      t.after(() => Promise.race([client.destroy().catch(() => undefined), delay(500)]));
      return client;
    };

    describe(version, () => {
      test('the sentinel and the master are pinned', async (t) => {
        const client = open(t, [address(sentinel)]);
        await client.connect();
        assert.equal(await client.set('key', 'value'), 'OK');
      });

      test('an impostor in the place of a sentinel gets nothing, and the next one is asked', async (t) => {
        const attempts = watch(t);
        const wrong = await impostorSentinel(t);
        const client = open(t, [address(wrong), address(sentinel)]);
        await client.connect();
        assert.equal(await client.set('key', 'value'), 'OK');
        assert.ok(refusedAt(attempts, wrong.port));
        assert.equal(wrong.received(), 0);
      });

      test('an impostor in the place of the master gets nothing', async (t) => {
        beImpostor(t);
        const attempts = watch(t);
        const client = open(t, [address(sentinel)]);
        let isConnected = false;
        void client.connect().then(
          () => {
            isConnected = true;
          },
          () => undefined,
        );
        for (let looks = 0; looks < 2_000 && !refusedAt(attempts, front.port); looks++) await delay(10);
        assert.ok(refusedAt(attempts, front.port));
        assert.equal(isConnected, false);
        assert.equal(front.received(), 0);
      });
    });
  }

  test('ioredis: a sentinel without a pin is refused', () => {
    const options = { sentinels: [address(sentinel)], name: MASTER_NAME };
    for (const more of [
      { enableTLSForSentinelMode: false },
      { sentinelTLS: false },
      { sentinelTLS: null },
      { tls: false },
    ]) {
      assert.throws(() => pinnedIoredis({ ...options, ...(more as object) }, both), {
        code: 'ERR_OPTION_INVALID',
      } as CertpinError);
    }
    const pinned = pinnedIoredis(options, both);
    for (const option of ['tls', 'sentinelTLS', 'enableTLSForSentinelMode']) {
      assert.throws(() => Object.assign(pinned, { [option]: undefined }), { code: 'ERR_OPTION_INVALID' });
    }
  });
});

test('ioredis: sentinels are refused where Node does not announce TLS sockets', { skip: isSupported() }, () => {
  const options = { sentinels: [{ host, port: 26379 }], name: MASTER_NAME };
  assert.throws(() => pinnedIoredis(options, { pins }), { code: 'ERR_CLIENT_UNSUPPORTED' });
});
