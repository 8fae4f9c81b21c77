import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { certificateHex, failureOf, mint } from '@certpin/testkit';
import { startRedisCluster, startRedisRelay } from '@certpin/testkit/redis';
import { pinnedForward, pinnedForwardPath } from '../../src/adapters/forward.ts';
import { findCertpinError } from '../../src/index.ts';
import { redisVersions } from './redis-versions.ts';

// What docs/reference/redis.md says of Nodes that do not announce TLS sockets: node-redis through ends of certpin/forward.

const impostor = await mint();
const cluster = await startRedisCluster();
after(() => cluster.stop());
const [node, second] = cluster.nodes as [(typeof cluster.nodes)[number], (typeof cluster.nodes)[number]];
const { username, password } = node;
const policy = { pins: cluster.nodes.map(({ certificate }) => certificateHex(certificate)) };
const reconnectStrategy = (retries: number) => (retries < 3 ? 20 : false);

for (const [version, { createClient, createCluster }] of Object.entries(redisVersions)) {
  async function endAt(t: TestContext, server: { host: string; port: number }) {
    const end = await pinnedForward({ host: server.host, port: server.port }, policy);
    t.after(end.close);
    return end;
  }

  describe(`${version}: through certpin/forward`, () => {
    for (const [how, start] of Object.entries({ 'a port': pinnedForward, 'a unix socket': pinnedForwardPath })) {
      test(`the right server, a wrong one, and the right one again, by ${how}`, async (t) => {
        const front = await startRedisRelay({ certificate: node.certificate, upstream: node.plain });
        t.after(front.close);
        const end = await start({ host: front.host, port: front.port }, policy);
        t.after(end.close);
        const socket = 'path' in end ? { path: end.path, tls: false as const } : { host: end.host, port: end.port };
        const open = () => createClient({ username, password, socket: { ...socket, reconnectStrategy } });
        const first = open();
        first.on('error', () => undefined);
        await first.connect();
        assert.equal(await first.ping(), 'PONG');
        await first.disconnect();
        front.present(impostor);
        const refused = open();
        const errors: Error[] = [];
        refused.on('error', (error) => errors.push(error));
        await failureOf(refused.connect());
        assert.equal(front.received(), 0);
        if (how === 'a port') assert.ok(errors.some((error) => findCertpinError(error)?.code === 'ERR_PIN_MISMATCH'));
        front.present(node.certificate);
        const again = open();
        again.on('error', () => undefined);
        await again.connect();
        assert.equal(await again.ping(), 'PONG');
        await again.disconnect();
      });
    }

    test('a cluster, by its map of addresses; an impostor among its nodes gets nothing', async (t) => {
      const addresses = cluster.nodes.map(({ host, port }) => ({ host, port }));
      const wrong = await startRedisRelay({ certificate: impostor, upstream: second.plain });
      t.after(wrong.close);
      const ends = new Map<string, { host: string; port: number }>();
      for (const server of [...addresses, wrong]) {
        const { host, port } = await endAt(t, server);
        ends.set(`${server.host}:${server.port}`, { host, port });
      }
      // An address for which there is no end leads nowhere: the client would call it without TLS.
      const nodeAddressMap = (address: string) => ends.get(address) ?? { host: '127.0.0.1', port: 1 };
      const open = () => {
        const first = nodeAddressMap(`${node.host}:${node.port}`);
        const rootNodes = [{ socket: first }];
        const client = createCluster({
          rootNodes,
          defaults: { username, password, socket: { reconnectStrategy } },
          nodeAddressMap,
        });
        client.on('error', () => undefined);
        client.on('node-error', () => undefined);
        t.after(() => Promise.race([Promise.resolve(client.disconnect()).catch(() => undefined), delay(500)]));
        return client;
      };
      // The end speaks TLS to the node, so the node tells of its TLS ports.
      const client = open();
      await client.connect();
      for (const key of ['b', 'c', 'foo']) assert.equal(await client.set(key, 'value'), 'OK');
      await cluster.lead(1, wrong.port);
      t.after(() => cluster.lead(1, second.port));
      await failureOf(open().connect());
      assert.equal(wrong.received(), 0);
    });
  });
}
