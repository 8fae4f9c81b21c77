// The drivers of MongoDB under a policy: what they do with the right server, what a wrong one receives, and how long that takes.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { certificateHex, failureOf, mint } from '@certpin/testkit';
import { type MongodbOptions, type MongodbServer, startMongodb } from '@certpin/testkit/mongodb';
import type { Connection } from 'mongoose';
import { findCertpinError } from '../../src/core/find-error.ts';
import type { PolicyInput } from '../../src/tls/pinner-of.ts';
import { type Client, type Driver, drivers, mongooses, type Opened, type Way, ways } from './mongodb-ways.ts';

const [right, impostor] = [await mint(), await mint()];
const pins = certificateHex(right);
const login = { user: 'login', password: 'p@ss:w/o?d' };

async function serve(t: TestContext, options: Partial<MongodbOptions> = {}): Promise<MongodbServer> {
  const server = await startMongodb({ certificate: right, login, ...options });
  t.after(server.close);
  return server;
}

function urlOf(hosts: string, query = '', password = login.password): string {
  return `mongodb://${login.user}:${encodeURIComponent(password)}@${hosts}/app?authSource=admin${query}`;
}

type Coded = { readonly code?: string };

interface Session {
  readonly client: Client;
  readonly lastError: () => unknown;
}

async function open(
  t: TestContext,
  { load }: Pick<Driver, 'load'>,
  way: Way,
  url: string,
  policy: PolicyInput = { pins },
  options: object = {},
): Promise<Session> {
  const opened = await way.open(url, policy, { serverSelectionTimeoutMS: 2_000, ...options });
  const client = new (load())(...opened.args);
  t.after(async () => {
    await client.close();
    await opened.close();
  });
  return { client, lastError: opened.lastError };
}

let written = 0;

async function works({ client }: Session): Promise<void> {
  const entry = `entry ${written++}`;
  await client.db().collection('users').insertOne({ entry });
  assert.equal((await client.db().collection('users').findOne({ entry }))?.entry, entry);
}

async function refused(session: Session, server: MongodbServer, code = 'ERR_PIN_MISMATCH'): Promise<void> {
  const error = await failureOf(session.client.db().collection('users').findOne({}));
  await new Promise((resolve) => setTimeout(resolve, 30)); // bytes on their way arrive
  assert.equal(server.received(), 0, server.receivedText());
  assert.equal((findCertpinError(error) ?? (session.lastError() as Coded | undefined))?.code, code);
}

for (const driver of drivers) {
  for (const way of ways) {
    describe(`${driver.name}: ${way.name}`, { skip: driver.skip || way.skip }, () => {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        test(`logs in, writes and reads, over ${maxVersion}`, async (t) => {
          const server = await serve(t, { maxVersion });
          for (const host of ['localhost', '127.0.0.1']) {
            const session = await open(t, driver, way, urlOf(`${host}:${server.port}`));
            await works(session);
          }
          assert.deepEqual(new Set(server.servernames), new Set(['localhost', false]));
          assert.ok(server.logins() >= 2);
        });

        test(`a wrong server gets no byte, over ${maxVersion}`, async (t) => {
          const server = await serve(t, { maxVersion, certificate: impostor });
          for (const host of ['localhost', '127.0.0.1'])
            await refused(await open(t, driver, way, urlOf(`${host}:${server.port}`), { pins }, short), server);
        });
      }

      test('a wrong password is refused by the right server', async (t) => {
        const server = await serve(t);
        const session = await open(t, driver, way, urlOf(`localhost:${server.port}`, '', 'another'));
        assert.match((await failureOf(works(session))).message, /Authentication failed/);
        assert.deepEqual([server.logins(), server.commands.includes('find')], [0, false]);
      });

      test('a pool of connections is pinned, each of them', async (t) => {
        const server = await serve(t);
        const session = await open(t, driver, way, urlOf(`localhost:${server.port}`), { pins }, { maxPoolSize: 5 });
        await Promise.all(Array.from({ length: 20 }, () => works(session)));
        assert.ok(server.handshakes() > 1);
      });

      test('of three members, the impostor gets no byte, and the others are used', async (t) => {
        const set = await replicaSet(t, [right, impostor, right]);
        const hosts = set.map(({ port }) => `localhost:${port}`).join(',');
        const session = await open(t, driver, way, urlOf(hosts, '&replicaSet=rs0'));
        for (let round = 0; round < 5; round++) await works(session);
        assert.equal(set[1]?.received(), 0);
        assert.ok((set[0]?.handshakes() ?? 0) > 0);
      });

      test('each member has the pins of its own name, also one that only the set has named', async (t) => {
        const other = await mint();
        const set = await replicaSet(t, [right, other], ['localhost', '127.0.0.1']);
        const policy = (second: string): PolicyInput => ({
          hosts: { localhost: { pins }, '127.0.0.1': { pins: second } },
        });
        const seed = urlOf(`localhost:${set[0]?.port}`, '&replicaSet=rs0');
        const session = await open(t, driver, way, seed, policy(certificateHex(other)));
        await works(session);
        const until = Date.now() + 20_000;
        while (set[1]?.received() === 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
        assert.ok((set[1]?.received() ?? 0) > 0, 'it was asked for its state');
        await session.client.close();
        set[1]?.forget();
        const strict = await open(t, driver, way, seed, policy(pins));
        await works(strict);
        await new Promise((resolve) => setTimeout(resolve, 200));
        assert.equal(set[1]?.received(), 0);
      });

      test('a certificate that is swapped is refused, and swapped back it works again, with the same client', async (t) => {
        const server = await serve(t);
        const frequent = { serverSelectionTimeoutMS: 2_000, heartbeatFrequencyMS: 500 };
        const session = await open(t, driver, way, urlOf(`localhost:${server.port}`), { pins }, frequent);
        await works(session);
        for (let round = 0; round < 2; round++) {
          server.present(impostor);
          server.drop();
          await new Promise((resolve) => setTimeout(resolve, 50)); // the driver hears of it
          await refused(session, server);
          server.present(right);
          await works(session);
        }
      });
    });
  }
}

const short = { serverSelectionTimeoutMS: 300 };

/** Members that name one another. The first one is primary. */
async function replicaSet(
  t: TestContext,
  certificates: readonly (typeof right)[],
  names: readonly string[] = certificates.map(() => 'localhost'),
): Promise<MongodbServer[]> {
  const members: MongodbServer[] = [];
  const addresses = (): string[] => members.map(({ port }, index) => `${names[index]}:${port}`);
  for (const [index, certificate] of certificates.entries())
    members.push(
      await serve(t, {
        certificate,
        member: () => ({
          setName: 'rs0',
          hosts: addresses(),
          primary: addresses()[0],
          me: addresses()[index],
        }),
      }),
    );
  return members;
}

for (const { name, skip, load } of mongooses) {
  for (const way of ways) {
    describe(`${name}: ${way.name}`, { skip: skip || way.skip }, () => {
      async function connect(t: TestContext, { port }: MongodbServer): Promise<[Promise<Connection>, Opened]> {
        const opened = await way.open(urlOf(`localhost:${port}`), { pins }, { serverSelectionTimeoutMS: 500 });
        t.after(opened.close);
        const connection = load().createConnection(...opened.args);
        t.after(() => connection.close());
        return [connection.asPromise(), opened];
      }

      test('models are written and read', async (t) => {
        const [connected] = await connect(t, await serve(t));
        const User = (await connected).model('User', new (load().Schema)({ email: String }));
        await User.create({ email: 'user@example.com' });
        assert.equal((await User.findOne({ email: 'user@example.com' }))?.email, 'user@example.com');
      });

      test('a wrong server gets no byte', async (t) => {
        const server = await serve(t, { certificate: impostor });
        const [connected, opened] = await connect(t, server);
        const error = await failureOf(connected);
        assert.equal(server.received(), 0);
        assert.equal((findCertpinError(error) ?? (opened.lastError() as Coded)).code, 'ERR_PIN_MISMATCH');
      });
    });
  }
}
