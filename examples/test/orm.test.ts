import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { certificateHex, failureOf, mint, startTap } from '@certpin/testkit';
import { startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { PrismaPg } from '@prisma/adapter-pg';
import { findCertpinError, type Verdict } from 'certpin';
import { pinnedMariadb } from 'certpin/mariadb';
import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import { VERDICT_CHANNEL } from 'certpin/tls';
import createKnex from 'knex';
import pg from 'pg';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import type { PinnedDatabase, Users } from '../orm/database.ts';
import * as drizzle from '../orm/drizzle.ts';
import * as knex from '../orm/knex.ts';
import * as kysely from '../orm/kysely.ts';
import { PrismaClient as PrismaOnMysql } from '../orm/prisma/generated/mysql/client.ts';
import { PrismaClient as PrismaOnPostgres } from '../orm/prisma/generated/postgres/client.ts';
import * as prisma from '../orm/prisma.ts';
import * as sequelize from '../orm/sequelize.ts';
import * as typeorm from '../orm/typeorm.ts';

const email = 'ada@example.com';
const certificate = await mint({ keyType: 'rsa' });
const wrong = await mint();
const pins = certificateHex(certificate);

const postgres = await startPostgres({ certificate });
after(() => postgres.stop());
const mariadb = await startMariadb({ certificate });
after(() => mariadb.stop());

// The views answer on encrypted connections only: an example whose copy of the configuration lost the stream finds nobody.
const people = `CREATE TABLE everybody (id int, email text); INSERT INTO everybody VALUES (1, '${email}');`;
const admin = new pg.Client(pinnedPg(loginTo(postgres), { pins }));
await admin.connect();
await admin.query(`${people}
  CREATE VIEW users AS SELECT id, email FROM everybody
    WHERE (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())`);
await admin.end();
await mariadb.execute(`USE ${mariadb.database}; ${people}
  CREATE VIEW users AS SELECT id, email FROM everybody
    WHERE (SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher') <> ''`);

type Open = (database: PinnedDatabase) => Users | Promise<Users>;

const databases = [
  {
    name: 'PostgreSQL',
    server: postgres,
    startImpostor: () => startPostgresRelay({ certificate: wrong, upstream: postgres }),
    examples: {
      drizzle: drizzle.openPostgres,
      knex: knex.openPostgres,
      kysely: kysely.openPostgres,
      prisma: prisma.openPostgres,
      sequelize: sequelize.openPostgres,
      typeorm: typeorm.openPostgres,
    },
  },
  {
    name: 'MariaDB',
    server: mariadb,
    startImpostor: () => startMysqlRelay({ certificate: wrong, upstream: mariadb }),
    examples: {
      drizzle: drizzle.openMysql,
      knex: knex.openMysql,
      kysely: kysely.openMysql,
      prisma: prisma.openMysql,
      sequelize: sequelize.openMysql,
      typeorm: typeorm.openMysql,
    },
  },
];

for (const { name, server, startImpostor, examples } of databases) {
  for (const [orm, open] of Object.entries<Open>(examples)) {
    describe(`${orm}, ${name}`, () => {
      test('finds the user, over encrypted connections, each of them pinned', async (t) => {
        const verdicts = recordVerdicts(t);
        const users = await open({ ...loginTo(server), pins });
        t.after(users.close);
        const found = await Promise.all([users.find(email), users.find(email), users.find('nobody@example.com')]);
        assert.deepEqual(
          found.map((user) => user?.id),
          [1, 1, undefined],
        );
        assert.ok(verdicts.length >= 2, 'the pool has made a second connection');
        assert.ok(verdicts.every(({ ok }) => ok));
      });

      test('gives an impostor nothing, and shows why, every time', async (t) => {
        const impostor = await startImpostor();
        t.after(impostor.close);
        const verdicts = recordVerdicts(t);
        const opening = Promise.resolve(open({ ...loginTo(server), port: impostor.port, pins }));
        t.after(() => opening.then((users) => users.close()).catch(() => undefined));
        for (let attempt = 1; attempt <= 2; attempt++) {
          const error = await failureOf(opening.then((users) => users.find(email)));
          if (open === prisma.openMysql) assert.match(causeInPrismaMariadb(error), /^pin mismatch for /);
          else assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
          assert.ok(!inspect(error, { depth: Number.POSITIVE_INFINITY }).includes(server.password));
        }
        // A pool of the test before may still be opening a connection to the right server.
        const ofImpostor = verdicts.filter(({ port }) => port === impostor.port);
        assert.ok(ofImpostor.length > 0 && ofImpostor.every(({ ok }) => !ok));
        assert.equal(impostor.received(), 0);
      });
    });
  }
}

describe('a copy of the configuration that has lost the stream says nothing of the login', () => {
  // What an ORM would do that copies its configuration through JSON. The address and the password stand beside it.
  const copy = <Config extends object>(config: Config): Config => JSON.parse(JSON.stringify({ ...config }));
  const ofPg = copy(pinnedPg({}, { pins }));
  const ofMysql2 = copy(pinnedMysql2({}, { pins }));
  const ofMariadb = copy(pinnedMariadb({ acquireTimeout: 500 }, { pins }));

  const ways: Record<string, (login: Login, t: TestContext) => Promise<unknown>> = {
    'knex, pg': (connection, t) => {
      const client = createKnex({ client: 'pg', connection: { ...connection, ...ofPg } });
      return ended(t, client, () => client.destroy()).raw('SELECT 1');
    },
    'knex, mysql2': (connection, t) => {
      const client = createKnex({ client: 'mysql2', connection: { ...connection, ...ofMysql2 } });
      return ended(t, client, () => client.destroy()).raw('SELECT 1');
    },
    'prisma, pg': (login, t) => {
      const client = new PrismaOnPostgres({ adapter: new PrismaPg({ ...login, ...ofPg }) });
      return ended(t, client, () => client.$disconnect()).$queryRaw`SELECT 1`;
    },
    'prisma, mariadb': (login, t) => {
      const client = new PrismaOnMysql({ adapter: new PrismaMariaDb({ ...login, ...ofMariadb }) });
      return ended(t, client, () => client.$disconnect()).$queryRaw`SELECT 1`;
    },
    'sequelize, pg': ({ user, ...login }, t) => {
      const client = new Sequelize({ ...login, username: user, dialect: 'postgres', dialectOptions: ofPg });
      return ended(t, client, () => client.close()).authenticate();
    },
    'sequelize, mysql2': ({ user, ...login }, t) => {
      const client = new Sequelize({ ...login, username: user, dialect: 'mysql', dialectOptions: ofMysql2 });
      return ended(t, client, () => client.close()).authenticate();
    },
    'typeorm, pg': ({ user, ...login }, t) => {
      const client = new DataSource({ ...login, username: user, type: 'postgres', extra: ofPg });
      return ended(t, client, () => client.isInitialized && client.destroy()).initialize();
    },
    'typeorm, mysql2': ({ user, ...login }, t) => {
      const client = new DataSource({ ...login, username: user, type: 'mysql', extra: ofMysql2 });
      return ended(t, client, () => client.isInitialized && client.destroy()).initialize();
    },
  };
  for (const [way, connect] of Object.entries(ways)) {
    test(way, async (t) => {
      const tap = await startTap(way.endsWith('pg') ? postgres : mariadb);
      t.after(tap.close);
      const login = { ...loginTo(way.endsWith('pg') ? postgres : mariadb), port: tap.port };
      await failureOf(connect(login, t));
      assert.ok(!tap.received().includes(login.user));
      if (way.endsWith('mysql2')) assert.equal(tap.received().length, 0, 'its socketPath leads nowhere');
    });
  }
});

describe("the parameters of a connection string do not touch what is certpin's own", () => {
  const ofPg = ['stream=', 'stream=x', 'ssl=0', 'sslmode=disable', 'sslmode=no-verify', 'sslnegotiation=direct'];
  const ofMysql = ['stream=', 'socketPath=', 'stream=&socketPath=', 'ssl=', 'ssl=x'];
  for (const [dialect, pin, parameters] of [
    ['postgres', () => pinnedPg({}, { pins }), [...ofPg, 'nativeConnectionString=x', 'toJSON=1']],
    ['mysql', () => pinnedMysql2({}, { pins }), ofMysql],
    ['mariadb', () => pinnedMariadb({}, { pins }), [...ofMysql, 'permitRedirect=1']],
  ] as const) {
    for (const parameter of parameters) {
      test(`sequelize, ${dialect}, ?${parameter}`, () => {
        const text = `${dialect}://user:secret@127.0.0.1/users?${parameter}`;
        assert.throws(
          () => new Sequelize(text, { dialectOptions: pin() }),
          (error: Error) => {
            assert.equal(findCertpinError(error)?.code, 'ERR_OPTION_INVALID');
            assert.match(error.message, /is certpin's own; remove it from the connection string/);
            assert.ok(!error.message.includes('secret'));
            return true;
          },
        );
      });
    }
  }

  for (const parameter of [
    'host=127.0.0.1',
    'hostaddr=127.0.0.1',
    'uri=mysql://127.0.0.1/?ssl=x',
    'socket=',
    'path=',
  ]) {
    for (const { name, server, startImpostor } of databases) {
      test(`sequelize, ${name}, ?${parameter}: an impostor gets nothing`, async (t) => {
        const impostor = await startImpostor();
        const tap = await startTap(impostor);
        t.after(() => Promise.all([impostor.close(), tap.close()]));
        const { user, password, database } = server;
        const [dialect, dialectOptions] =
          name === 'MariaDB' ? ['mysql', pinnedMysql2({}, { pins })] : ['postgres', pinnedPg({}, { pins })];
        const text = `${dialect}://${user}:${password}@127.0.0.1:${tap.port}/${database}?${parameter}`;
        const client = new Sequelize(text, { dialectOptions, logging: false });
        t.after(() => client.close());
        assert.equal(findCertpinError(await failureOf(client.authenticate()))?.code, 'ERR_PIN_MISMATCH');
        assert.ok(!tap.received().includes(user));
        assert.equal(impostor.received(), 0);
      });
    }
  }

  test('typeorm, a URL with sslmode=disable: pinned, and without the stream no login', async (t) => {
    const { user, password, database, port } = postgres;
    // certpin-lint-disable-next-line no-insecure-sslmode -- the test shows that it does no harm beside the pinned stream
    const url = `postgres://${user}:${password}@127.0.0.1:${port}/${database}?sslmode=disable`;
    const source = new DataSource({ type: 'postgres', url, extra: pinnedPg({}, { pins }) });
    t.after(() => source.isInitialized && source.destroy());
    await source.initialize();
    const [row] = await source.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    assert.equal(row.ssl, true);
  });
});

test('typeorm takes pg-native where it is installed: what libpq gets is no connection string', async () => {
  const { user, ...login } = loginTo(postgres);
  let given: { nativeConnectionString?: string } = {};
  class Pool {
    constructor(config: object) {
      given = config;
    }
    on(): void {}
    connect(done: (error: Error) => void): void {
      done(new Error('this pool connects to nobody'));
    }
  }
  const options = { ...login, username: user, extra: pinnedPg({}, { pins }), driver: { native: { Pool } } };
  const source = new DataSource({ type: 'postgres', ...options, nativeDriver: {} });
  await assert.rejects(source.initialize(), /connects to nobody/);
  assert.match(given.nativeConnectionString ?? '', /^certpin: /);
});

type Login = Omit<PinnedDatabase, 'pins'>;

function loginTo({ host, port, user, password, database }: Login): Login {
  return { host, port, user, password, database };
}

/** The client, which ends with the test, also where the test fails. */
function ended<Client>(t: TestContext, client: Client, end: () => unknown): Client {
  t.after(async () => {
    await end();
  });
  return client;
}

/** The verdicts of the guard during the test. */
function recordVerdicts(t: TestContext): Verdict[] {
  const verdicts: Verdict[] = [];
  const record = (verdict: unknown): void => void verdicts.push(verdict as Verdict);
  subscribe(VERDICT_CHANNEL, record);
  t.after(() => unsubscribe(VERDICT_CHANNEL, record));
  return verdicts;
}

/** The adapter keeps the text of the cause, and not the error. */
function causeInPrismaMariadb(error: unknown): string {
  const { meta } = error as { meta: { driverAdapterError: { cause: { cause: string } } } };
  return meta.driverAdapterError.cause.cause;
}
