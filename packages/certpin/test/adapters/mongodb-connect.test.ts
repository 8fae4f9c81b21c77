// `connectMongodb`: a wrong pin ends the first connection at once, and nothing else ends it sooner than the driver does.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, failureOf, mint, runToEnd, startScriptedServer, startTlsServer } from '@certpin/testkit';
import { watchProcess } from '@certpin/testkit/conformance-records';
import { type MongodbOptions, type MongodbServer, startMongodb } from '@certpin/testkit/mongodb';
import { connectMongodb } from '../../src/adapters/mongodb.ts';
import { isCertpinError } from '../../src/errors.ts';
import type { PolicyInput } from '../../src/tls/pinner-of.ts';
import { drivers, mongooses, type Opened, type Way, ways } from './mongodb-ways.ts';

const [right, impostor] = [await mint(), await mint()];
const pins = certificateHex(right);
const login = { user: 'login', password: 'secret' };

/** A refusal comes within this time; by itself the driver waits for five seconds. */
const AT_ONCE_MS = 1_000;

async function serve(t: TestContext, options: Partial<MongodbOptions> = {}): Promise<MongodbServer> {
  const server = await startMongodb({ certificate: right, login, ...options });
  t.after(server.close);
  return server;
}

/** A port at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = await startScriptedServer(() => undefined);
  await server.close();
  return server.port;
}

function urlOf(ports: readonly number[], query = ''): string {
  const hosts = ports.map((port) => `localhost:${port}`).join(',');
  return `mongodb://${login.user}:${login.password}@${hosts}/app?authSource=admin${query}`;
}

async function open(
  t: TestContext,
  way: Way,
  url: string,
  options: object = {},
  policy: PolicyInput = { pins },
): Promise<Opened> {
  const opened = await way.open(url, policy, options);
  t.after(opened.close);
  return opened;
}

async function timed(connecting: Promise<unknown>): Promise<{ readonly error: Error; readonly ms: number }> {
  const started = performance.now();
  const error = await failureOf(connecting);
  return { error, ms: performance.now() - started };
}

for (const driver of drivers) {
  for (const way of ways) {
    describe(`${driver.name}: ${way.name}, connectMongodb`, { skip: driver.skip || way.skip }, () => {
      const clientOf = ({ args }: Opened) => new (driver.load())(...args);

      test('a right server: the same client, connected, without a listener of ours', async (t) => {
        const server = await serve(t);
        const client = clientOf(await open(t, way, urlOf([server.port])));
        t.after(() => client.close());
        assert.equal(await connectMongodb(client), client);
        assert.equal((await client.db().command({ ping: 1 })).ok, 1);
        assert.equal(client.listenerCount('topologyDescriptionChanged'), 0);
        assert.equal(await connectMongodb(client), client, 'a second time too');
      });

      test('a wrong server ends it at once, each time, and the right one is connected by the same client', async (t) => {
        const server = await serve(t, { certificate: impostor });
        const client = clientOf(await open(t, way, urlOf([server.port])));
        t.after(() => client.close());
        const watched = watchProcess();
        for (let round = 0; round < 2; round++) {
          const { error, ms } = await timed(connectMongodb(client));
          assert.ok(isCertpinError(error) && error.code === 'ERR_PIN_MISMATCH', String(error));
          assert.ok(ms < AT_ONCE_MS, `${ms} ms`);
          t.diagnostic(`${Math.round(ms)} ms`);
        }
        assert.equal(server.received(), 0);
        assert.equal(client.listenerCount('topologyDescriptionChanged'), 0);
        server.present(right);
        await connectMongodb(client);
        assert.equal((await client.db().command({ ping: 1 })).ok, 1);
        watched.stop();
        assert.deepEqual(watched.events, []);
      });

      test('a host without pins ends it at once', async (t) => {
        const server = await serve(t);
        const policy = { hosts: { 'db.example.com': { pins } } };
        const { error, ms } = await timed(
          connectMongodb(clientOf(await open(t, way, urlOf([server.port]), {}, policy))),
        );
        assert.ok(isCertpinError(error) && error.code === 'ERR_HOST_UNPINNED', String(error));
        assert.ok(ms < AT_ONCE_MS, `${ms} ms`);
      });

      test('three members, all of them impostors, end it at once', async (t) => {
        const set = [];
        for (let index = 0; index < 3; index++) set.push(await serve(t, { certificate: impostor }));
        const url = urlOf(
          set.map(({ port }) => port),
          '&replicaSet=rs0',
        );
        const { error, ms } = await timed(connectMongodb(clientOf(await open(t, way, url))));
        assert.ok(isCertpinError(error) && error.code === 'ERR_PIN_MISMATCH', String(error));
        assert.ok(ms < AT_ONCE_MS, `${ms} ms`);
        assert.ok(set.every((server) => server.received() === 0));
      });

      test('of three members one is right: it goes on', async (t) => {
        const set: MongodbServer[] = [];
        const hosts = () => set.map(({ port }) => `localhost:${port}`);
        for (const [index, certificate] of [impostor, impostor, right].entries())
          set.push(
            await serve(t, {
              certificate,
              member: () => ({ setName: 'rs0', hosts: hosts(), primary: hosts()[2], me: hosts()[index] }),
            }),
          );
        const client = clientOf(
          await open(
            t,
            way,
            urlOf(
              set.map(({ port }) => port),
              '&replicaSet=rs0',
            ),
          ),
        );
        t.after(() => client.close());
        await connectMongodb(client);
        assert.equal((await client.db().command({ ping: 1 })).ok, 1);
        assert.deepEqual([set[0]?.received(), set[1]?.received()], [0, 0]);
      });

      test('a server that is down or silent is left to the driver, also beside an impostor', async (t) => {
        const wrong = await serve(t, { certificate: impostor });
        const silent = await startScriptedServer(() => undefined);
        t.after(silent.close);
        const down = await closedPort();
        const policy = { pins, connectTimeoutMs: 100 };
        const waits = [[down], [wrong.port, down], [silent.port]].map(async (ports) => {
          const opened = await open(t, way, urlOf(ports), { serverSelectionTimeoutMS: 800 }, policy);
          const { error, ms } = await timed(connectMongodb(clientOf(opened)));
          assert.equal(error.name, 'MongoServerSelectionError');
          assert.ok(ms > 700, `${ms} ms`);
        });
        await Promise.all(waits);
        assert.equal(wrong.received(), 0);
      });

      test('a server that was refused before, and now is right and hangs up, is left to the driver', async (t) => {
        const server = await startTlsServer({ certificate: impostor, onSocket: (socket) => socket.destroy() });
        t.after(server.close);
        const opened = await open(t, way, urlOf([server.port]), { serverSelectionTimeoutMS: 800 });
        assert.ok(isCertpinError(await failureOf(connectMongodb(clientOf(opened)))));
        server.present(right);
        assert.equal((await failureOf(connectMongodb(clientOf(opened)))).name, 'MongoServerSelectionError');
      });

      test('a server that comes back in time is connected', async (t) => {
        const server = await serve(t);
        const { port } = server;
        await server.close();
        const client = clientOf(await open(t, way, urlOf([port])));
        t.after(() => client.close());
        const connecting = connectMongodb(client);
        await new Promise((resolve) => setTimeout(resolve, 200));
        await serve(t, { port });
        assert.equal(await connecting, client);
      });
    });
  }
}

for (const way of ways) {
  test(`a process that was refused ends by itself: ${way.name}`, { skip: way.skip }, async (t) => {
    const { port } = await serve(t, { certificate: impostor });
    const program = fileURLToPath(new URL('mongodb-process.mjs', import.meta.url));
    const argument = JSON.stringify({ way: way.name, url: urlOf([port]), policy: { pins } });
    assert.equal(await runToEnd(['--import', 'tsx', program, argument]), 'ERR_PIN_MISMATCH\nat once\n');
  });
}

for (const { name, skip, load } of mongooses) {
  for (const way of ways) {
    describe(`${name}: ${way.name}, connectMongodb and setClient`, { skip: skip || way.skip }, () => {
      test('models are written and read', async (t) => {
        const server = await serve(t);
        const { args } = await open(t, way, urlOf([server.port]));
        const { mongo, Mongoose, Schema } = load();
        const own = new Mongoose();
        const User = own.model('User', new Schema({ email: String }));
        own.connection.setClient(await connectMongodb(new mongo.MongoClient(...args)));
        await User.create({ email: 'user@example.com' });
        assert.equal((await User.findOne({ email: 'user@example.com' }))?.email, 'user@example.com');
        await own.disconnect();
      });

      test('a wrong server ends it at once', async (t) => {
        const server = await serve(t, { certificate: impostor });
        const { args } = await open(t, way, urlOf([server.port]));
        const { error, ms } = await timed(connectMongodb(new (load().mongo.MongoClient)(...args)));
        assert.ok(isCertpinError(error) && error.code === 'ERR_PIN_MISMATCH', String(error));
        assert.ok(ms < AT_ONCE_MS, `${ms} ms`);
        assert.equal(server.received(), 0);
      });
    });
  }
}
