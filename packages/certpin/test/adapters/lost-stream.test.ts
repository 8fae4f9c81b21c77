import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { called, certificateHex, failureOf, mint, startTap } from '@certpin/testkit';
import { type Mariadb, startMariadb } from '@certpin/testkit/mariadb';
import { type Postgres, startPostgres } from '@certpin/testkit/postgres';
import mysql from 'mysql';
import mysql2 from 'mysql2/promise';
import mysql230 from 'mysql2-3.0/promise';
import pg from 'pg';
import ConnectionParameters from 'pg/lib/connection-parameters';
import pg89 from 'pg-8.9';
import postgresJs from 'postgres';
import { pinnedMariadb } from '../../src/adapters/mariadb.ts';
import { pinnedMysql } from '../../src/adapters/mysql.ts';
import { pinnedMysql2 } from '../../src/adapters/mysql2.ts';
import { pinnedPg } from '../../src/adapters/pg.ts';
import { pinnedPostgres } from '../../src/adapters/postgres.ts';
import { mariadb } from './mariadb-of-node.ts';

// A driver that was not given certpin's function, or does not know it, would log in in plaintext: both servers take that.

const certificate = await mint({ keyType: 'rsa' });
const pins = certificateHex(certificate);
const postgres: Postgres = await startPostgres({ certificate });
after(() => postgres.stop());
const maria: Mariadb = await startMariadb({ certificate });
after(() => maria.stop());

type Config = Record<string, unknown>;

const ofPg = (driver: typeof pg) => async (config: Config) => {
  const client = new driver.Client(config);
  await client.connect();
  await client.end();
};

const ofMysql2 = (driver: typeof mysql2) => async (config: Config) => {
  await (await driver.createConnection(config)).end();
};

interface Driver {
  readonly server: Postgres | Mariadb;
  readonly pin: (config: Config) => object;
  readonly connect: (config: Config) => Promise<unknown>;
  /** In which certpin's function is. */
  readonly hook: string;
}

const drivers: Record<string, Driver> = {
  pg: { server: postgres, pin: (config) => pinnedPg(config, { pins }), connect: ofPg(pg), hook: 'stream' },
  'pg, pool': {
    server: postgres,
    pin: (config) => pinnedPg(config, { pins }),
    connect: async (config) => {
      const pool = new pg.Pool(config);
      await pool.query('SELECT 1').finally(() => pool.end());
    },
    hook: 'stream',
  },
  'pg 8.9': {
    server: postgres,
    pin: (config) => pinnedPg(config, { pins }),
    connect: ofPg(pg89 as typeof pg),
    hook: 'stream',
  },
  postgres: {
    server: postgres,
    pin: (config) => pinnedPostgres(config, { pins }),
    connect: async (config) => {
      const sql = postgresJs(config as object);
      await sql`SELECT 1`.finally(() => sql.end({ timeout: 1 }));
    },
    hook: 'socket',
  },
  mysql2: { server: maria, pin: (config) => pinnedMysql2(config, { pins }), connect: ofMysql2(mysql2), hook: 'stream' },
  'mysql2 3.0': {
    server: maria,
    pin: (config) => pinnedMysql2(config, { pins }),
    connect: ofMysql2(mysql230 as unknown as typeof mysql2),
    hook: 'stream',
  },
  mysql: {
    server: maria,
    pin: (config) => pinnedMysql(mysql, config, { pins }),
    connect: async (config) => {
      const connection = mysql.createConnection(config);
      await called((done) => connection.connect(done)).finally(() => connection.destroy());
    },
    hook: 'ssl',
  },
  mariadb: {
    server: maria,
    pin: (config) => pinnedMariadb(config, { pins }),
    connect: async (config) => (await mariadb.createConnection(config)).end(),
    hook: 'stream',
  },
};

const json = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value));
const isData = ([, value]: [string, unknown]): boolean => typeof value !== 'function';
/** Without functions, and on the second level without symbols, of which the pin of mysql is one. */
const data = (config: Config): Config =>
  Object.fromEntries(
    Object.entries(config)
      .filter(isData)
      .map(([key, value]) => [key, typeof value === 'object' ? json(value) : value]),
  );

/** How a configuration loses what is not data. */
const copies: Record<string, (config: Config, hook: string) => Config> = {
  'through JSON': json,
  'a spread, through JSON': (config) => json({ ...config }),
  'a spread of a spread, through JSON, twice': (config) => json({ ...json({ ...{ ...config } }) }),
  'Object.assign, without functions': (config) => data(Object.assign({}, config)),
  'all levels, without functions and symbols': (config) => structuredClone(data(config)),
  'serialized, without functions': (config) => deserialize(serialize(data(config))),
  'a spread that says otherwise': (config, hook) => ({ ...json(data(config)), [hook]: undefined }),
  'nothing in its place': (config, hook) => ({ ...json(data(config)), [hook]: '' }),
  'named keys, and `ssl`': (config) => {
    const { host, port, user, password, database, ssl } = json(data(config));
    return { host, port, user, password, database, ssl };
  },
};

/** mysql refuses an empty `ssl` by itself, and mysql2 without `stream` and `socketPath` meets a server that no CA speaks for. */
const saysWhy = /certpin: |Unknown SSL profile ''|^self.signed certificate/;

/** Logs in through a tap; what the tap has read. */
async function overhear(t: TestContext, driver: Driver, change: (pinned: Config) => Config) {
  const tap = await startTap(driver.server);
  t.after(tap.close);
  const { user, password, database } = driver.server;
  const address = { host: '127.0.0.1', port: tap.port };
  const pinned = driver.pin({ ...address, user, password, database }) as Config;
  const config = change(pinned);
  return { tap, config, error: await failureOf(driver.connect(config)) };
}

for (const [name, driver] of Object.entries(drivers)) {
  const { user, password, database, port } = driver.server;
  const login = { host: '127.0.0.1', port, user, password, database };

  describe(`${name}: a copy that has lost the function says nothing of the login`, () => {
    for (const [what, copy] of Object.entries(copies)) {
      // Of what certpin adds to a configuration of mysql, named keys may leave nothing: docs/reference/mysql.md.
      if (name === 'mysql' && what.startsWith('named')) continue;
      test(what, async (t) => {
        const { tap, error } = await overhear(t, driver, (pinned) => ({
          ...copy(pinned, driver.hook),
          user,
          password,
        }));
        assert.match(error.message, saysWhy);
        assert.ok(!tap.received().includes(user));
      });
    }

    test('where the address is put back', async (t) => {
      const { tap } = await overhear(t, driver, (pinned) => ({
        ...json({ ...pinned }),
        host: '127.0.0.1',
        user,
        password,
      }));
      assert.ok(!tap.received().includes(user));
    });

    test('a client that does not know the function', async (t) => {
      const ignorant = (pinned: Config): Config =>
        new Proxy(pinned, {
          has: (config, key) => key !== driver.hook && key in config,
          ownKeys: (config) => Reflect.ownKeys(config).filter((key) => key !== driver.hook),
          get: (config, key) => (key === driver.hook ? undefined : config[key as string]),
          getOwnPropertyDescriptor: (config, key) => ({
            ...Object.getOwnPropertyDescriptor(config, key),
            configurable: true,
          }),
        });
      const { tap, error } = await overhear(t, driver, (pinned) => ignorant({ ...pinned }));
      assert.match(error.message, /certpin: /);
      assert.ok(!tap.received().includes(user));
    });
  });

  describe(`${name}: what is certpin's own`, () => {
    test('goes into every copy', async () => {
      for (const copy of [{ ...driver.pin(login) }, Object.assign({}, driver.pin(login))]) {
        await driver.connect(copy as Config);
      }
    });

    test('is not written over in place, and the error says what to do', () => {
      const pinned = driver.pin(login) as Config;
      for (const key of [driver.hook, 'ssl', 'stream', 'socketPath', 'path', 'socket', 'host', 'toJSON']) {
        const descriptor = Object.getOwnPropertyDescriptor(pinned, key);
        if (descriptor === undefined || descriptor.writable) {
          assert.notEqual(key, driver.hook);
          continue;
        }
        for (const value of ['', undefined, false, 'x']) {
          assert.throws(() => Object.assign(pinned, { [key]: value }), {
            code: 'ERR_OPTION_INVALID',
            message: /is certpin's own; remove it/,
          });
        }
        assert.throws(() => delete pinned[key], TypeError);
      }
    });

    test('is not taken from Object.prototype, nor is anything else', async (t) => {
      const polluted = {
        ...{
          stream: 'x',
          socket: 'x',
          socketPath: '/x',
          path: '/x',
          connectionString: 'postgres://x',
          uri: 'mysql://x',
        },
        ...{ ssl: { servername: 'elsewhere' }, sslnegotiation: 'direct', permitRedirect: true, hostname: 'elsewhere' },
      };
      const prototype = Object.prototype as Config;
      const clean = (): void => {
        for (const key of Object.keys(polluted)) delete prototype[key];
      };
      t.after(clean);
      for (const [key, value] of Object.entries(polluted)) {
        Object.defineProperty(prototype, key, { value, configurable: true, writable: true, enumerable: false });
      }
      let pinned: Config;
      try {
        pinned = driver.pin(login) as Config;
      } finally {
        clean();
      }
      assert.deepEqual(Object.keys(pinned), Object.keys(driver.pin(login)));
      await driver.connect(pinned);
    });
  });
}

test('pg-native is given no connection that libpq can make', async () => {
  for (const config of [pinnedPg({ host: '127.0.0.1' }, { pins }), { ssl: pinnedPg({}, { pins }).ssl }]) {
    const parameters = new ConnectionParameters({ ...config, host: '127.0.0.1' });
    const text = await called<string>((done) => parameters.getLibpqConnectionString(done));
    assert.match(text, /sslmode='certpin: /);
  }
});
