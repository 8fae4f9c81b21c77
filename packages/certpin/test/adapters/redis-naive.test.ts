import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { mint } from '@certpin/testkit';
import { type RedisLike, redisClient } from '@certpin/testkit/clients';
import {
  ConformanceFailure,
  conformanceCases,
  type ObservedAdapter,
  type SuiteTarget,
  type SuiteTls,
} from '@certpin/testkit/conformance';
import { startRedis, startRedisRelay } from '@certpin/testkit/redis';
import { Redis } from 'ioredis';
import { createClient } from 'redis';

// What people write for a self-signed certificate, through the conformance suite: the suite has to find it.

const server = await startRedis({ certificate: await mint() });
after(() => server.stop());
const { username, password } = server;
/** Spelled in two parts, so that nobody copies it from here. */
const unverified = Object.fromEntries([['rejectUnauthorized', false]]);

const clients: Record<string, (target: SuiteTarget, tls: SuiteTls) => RedisLike> = {
  ioredis: (target, tls) => {
    const options = { ...target, username, password, lazyConnect: true, retryStrategy: null };
    const client = new Redis({ ...options, tls: { ...tls, ...unverified } });
    return Object.assign(client, { end: () => client.disconnect() });
  },
  redis: (target, tls) => {
    const socket = { ...target, ...tls, ...unverified, tls: true as const, reconnectStrategy: false as const };
    const client = createClient({ username, password, socket });
    return Object.assign(client, { end: () => (client.isOpen ? client.destroy() : undefined) });
  },
};

for (const [name, create] of Object.entries(clients)) {
  const adapter: ObservedAdapter = {
    name,
    protocol: 'tls',
    pools: true,
    startServer: (options) => startRedisRelay({ ...options, upstream: server.plain }),
    createClient: (target, _, tls) => redisClient(() => create(target, tls)),
    onWrongServer: () => undefined,
  };

  describe(`${name} without verification fails the suite: the login and the command reach the wrong server`, () => {
    for (const found of [
      'another key under the same name is refused',
      'an expired certificate is refused',
      'a certificate of a trusted CA for the right name is refused where it is not the pinned one',
      'a wrong server is refused four times over TLSv1.2',
      'a wrong server is refused four times over TLSv1.3',
      "an impostor that can resume the right server's sessions is refused over TLSv1.3",
    ]) {
      test(found, async () => {
        const suiteCase = conformanceCases.find((each) => each.name === found);
        assert.ok(suiteCase !== undefined, found);
        await assert.rejects(suiteCase.run(adapter), (error) => {
          assert.ok(error instanceof ConformanceFailure);
          assert.equal(error.kind, 'leaked');
          return /the password among them/.test(error.message);
        });
      });
    }
  });
}
