// Drivers of SQL Server that certpin's own tests do not have: for another Node, or too old for certpin/mssql.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import process from 'node:process';
import { describe, type TestContext, test } from 'node:test';
import { certificateHex, failureOf, mint } from '@certpin/testkit';
import { watchProcess } from '@certpin/testkit/conformance-records';
import { encryption, startTdsServer, type TdsServerOptions } from '@certpin/testkit/tds';
import { findCertpinError } from 'certpin';
import { pinnedMssql, pinnedTedious } from 'certpin/mssql';
import { createTediousConnection } from '../../../packages/certpin/src/drivers/tedious-events.ts';
import { readScriptTls } from '../../../packages/certpin/src/inline/script-options.ts';
import { createLeafPolicy } from '../../../packages/certpin/src/leaf/policy.ts';
import { connectTedious, openTedious, type Tedious } from '../../../packages/certpin/test/adapters/tedious-database.ts';
import { findPackage, requirePackage, supportsNode } from './packages.ts';

const right = await mint();
const impostor = await mint();
const pins = certificateHex(right);
const secret = 'a-very-secret-password';
const authentication = { type: 'default', options: { userName: 'app', password: secret } } as const;

async function serve(t: TestContext, options: Partial<TdsServerOptions> = {}) {
  const server = await startTdsServer({ certificate: right, ...options });
  t.after(server.close);
  return server;
}

const configFor = ({ port }: { port: number }, options: object = {}) => ({
  server: '127.0.0.1',
  authentication,
  options: { port, database: 'app', connectTimeout: 20_000, ...options },
});

/** The client, where it is for this Node. */
function clientFor(alias: string): unknown {
  const found = findPackage(alias);
  if (found === undefined) throw new Error(`${alias} is not installed`);
  return supportsNode(found, process.version) ? requirePackage(alias) : undefined;
}

const liars: [string, Partial<TdsServerOptions>, string][] = [
  ['has another certificate', { certificate: impostor }, 'ERR_PIN_MISMATCH'],
  ['would encrypt the login only', { answer: encryption.off }, 'ERR_UPGRADE_REFUSED'],
  ['does not encrypt', { answer: encryption.notSupported }, 'ERR_UPGRADE_REFUSED'],
  ['says a number that there is not', { answer: 0x81 }, 'ERR_UPGRADE_REFUSED'],
];

for (const major of [16, 20]) {
  const driver = clientFor(`tedious-${major}`) as Tedious | undefined;
  if (driver === undefined) continue;
  describe(`tedious ${major}`, () => {
    for (const strict of [false, true])
      test(`reads a row from the right server${strict ? ', TDS 8' : ''}`, async (t) => {
        const server = await serve(t, { strict });
        const config = pinnedTedious(configFor(server, strict ? { encrypt: 'strict' } : {}), { pins });
        const database = await openTedious(driver, new driver.Connection(config));
        assert.equal(await database.ask('a row'), 'a row');
        await database.close();
      });

    for (const [what, options, code] of liars)
      test(`a server that ${what} gets no login`, async (t) => {
        const server = await serve(t, options);
        const connection = new driver.Connection(pinnedTedious(configFor(server), { pins }));
        const error = await failureOf(connectTedious(connection));
        // 16 keeps the text alone.
        if (major === 16) assert.match(error.message, /pin mismatch|the SQL Server refuses TLS/);
        else assert.equal(findCertpinError(error)?.code, code);
        assert.equal(server.received(), 0);
      });
  });
}

describe('tedious 15', () => {
  const driver = clientFor('tedious-15') as Tedious | undefined;
  test('is refused when the connection is made: what it throws at an answer would end the process', {
    skip: driver === undefined && 'it is for another Node',
  }, () => {
    const make = (): unknown =>
      createTediousConnection(
        driver?.Connection as never,
        configFor({ port: 1 }),
        createLeafPolicy({ pins }),
        0,
        readScriptTls,
        'pinnedTedious',
      );
    assert.throws(make, { code: 'ERR_CLIENT_UNSUPPORTED', message: /newer than 11; require tedious@11\.0\.3/ });
  });
});

{
  const driver = clientFor('tedious-11') as Tedious;
  const open = (place: { port: number }, options: object = {}) =>
    createTediousConnection<InstanceType<Tedious['Connection']>>(
      driver.Connection as never,
      configFor(place, options),
      createLeafPolicy({ pins }),
      0,
      readScriptTls,
      'pinnedTedious',
    );

  // It gives Node the host as the server name, and Node 26 accepts no address for it. The platform has Node 22 and 18.
  const skip = Number(process.versions.node.split('.')[0]) >= 26 && 'tedious 11 names an address as the server name';
  describe('tedious 11: guarded by its events', { skip }, () => {
    for (const options of [{}, { answer: encryption.required }, { maxVersion: 'TLSv1.3' as const }])
      test(`reads a row from the right server, ${JSON.stringify(options)}`, async (t) => {
        const server = await serve(t, options);
        const database = await openTedious(driver, open(server));
        assert.equal(await database.ask('a row'), 'a row');
        await database.close();
      });

    const injections: typeof liars = [
      [
        'puts the beginning of a packet behind the handshake',
        { behind: Buffer.from('0401', 'hex') },
        'ERR_UPGRADE_INJECTED',
      ],
    ];
    for (const [what, options, code] of [...liars, ...injections])
      test(`a server that ${what} gets no login, and nothing reaches the process`, async (t) => {
        const watched = watchProcess();
        t.after(watched.stop);
        const server = await serve(t, options);
        const connection = open(server);
        let told = 0;
        const error = await new Promise<Error>((resolve) => {
          connection.on('connect', (failure?: Error) => {
            told++;
            resolve(failure as Error);
          });
          connection.connect();
        });
        await new Promise((resolve) => setTimeout(resolve, 50));
        assert.equal(findCertpinError(error)?.code, code);
        assert.deepEqual([server.received(), server.logins.length, told], [0, 0, 1]);
        assert.deepEqual(watched.events, []);
      });

    test('a server that injects behind its answer gets no login', async (t) => {
      const server = await serve(t, { injects: Buffer.from('x') });
      await failureOf(connectTedious(open(server)));
      assert.equal(server.received(), 0);
    });

    test('is followed to the server that another one leads to, and tells a wrong one nothing', async (t) => {
      for (const certificate of [right, impostor]) {
        const other = await serve(t, { certificate });
        const first = await serve(t, { routesTo: { host: '127.0.0.1', port: other.port } });
        const outcome = await connectTedious(open(first)).catch((error) => findCertpinError(error)?.code);
        assert.equal(outcome, certificate === right ? undefined : 'ERR_PIN_MISMATCH');
        assert.equal(other.logins.length, certificate === right ? 1 : 0);
      }
    });

    for (const says of ['0401000800000100', '0401000c00000100ffffffff', '0401000e0000010000000601ffff'])
      test(`a server whose answer the driver cannot read gets no login, the first or the second: ${says}`, async (t) => {
        const watched = watchProcess();
        t.after(watched.stop);
        const liar = await serve(t, { says: Buffer.from(says, 'hex') });
        const first = await serve(t, { routesTo: { host: '127.0.0.1', port: liar.port } });
        for (const server of [liar, first]) {
          const error = await failureOf(connectTedious(open(server)));
          assert.equal(findCertpinError(error)?.code, 'ERR_UPGRADE_UNEXPECTED');
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
        assert.deepEqual([first.logins.length, liar.received(), watched.events], [1, 0, []]);
      });

    test('a server whose answer never ends is given up before the driver has kept much of it', async (t) => {
      const packet = Buffer.concat([Buffer.from('0400100000000100', 'hex'), Buffer.alloc(4_088)]);
      const server = await serve(t, { says: Buffer.concat(Array(1_000).fill(packet)) });
      const error = findCertpinError(await failureOf(connectTedious(open(server))));
      assert.equal(error?.code, 'ERR_UPGRADE_UNEXPECTED');
      assert.match(error.message, /too much/);
    });

    test('nobody hears what the driver tells, which holds the login', async (t) => {
      const server = await serve(t);
      const connection = open(server);
      const heard: string[] = [];
      connection.on('debug', (text) => heard.push(text));
      await connectTedious(connection);
      connection.close();
      assert.deepEqual(heard, []);
    });

    test('is refused with options that would take the pin away, and a driver that does not tell', () => {
      const place = { port: 1 };
      for (const options of [
        { encrypt: false },
        { encrypt: 'strict' },
        { trustServerCertificate: true },
        { debug: {} },
      ])
        assert.throws(() => open(place, options), { code: 'ERR_OPTION_INVALID' });
      const silent = class extends EventEmitter {};
      assert.throws(
        () =>
          createTediousConnection(silent as never, configFor(place), createLeafPolicy({ pins }), 0, readScriptTls, 'x'),
        { code: 'ERR_CLIENT_UNSUPPORTED' },
      );
    });

    test('does not connect with a configuration of certpin/mssql, which needs a newer one', async (t) => {
      const server = await serve(t);
      const config = pinnedTedious(configFor(server), { pins });
      await failureOf(connectTedious(new driver.Connection(config)));
      assert.deepEqual([server.prelogins.length, server.received()], [0, 0]);
    });
  });
}

interface Mssql {
  readonly ConnectionPool: new (
    config: object,
  ) => {
    connect(): Promise<unknown>;
    query(text: string): Promise<{ recordset: { answer: string }[] }>;
    close(): Promise<void>;
  };
}

describe('mssql 10', () => {
  const { ConnectionPool } = requirePackage('mssql-10') as Mssql;
  const pool = (port: number) =>
    new ConnectionPool(pinnedMssql({ server: '127.0.0.1', port, user: 'app', password: secret }, { pins }));

  test('reads a row from the right server', async (t) => {
    const own = pool((await serve(t)).port);
    await own.connect();
    t.after(() => own.close());
    assert.equal((await own.query("SELECT 'a row' AS answer")).recordset[0]?.answer, 'a row');
  });

  for (const [what, options] of liars)
    test(`a server that ${what} gets no login`, async (t) => {
      const server = await serve(t, options);
      const error = await failureOf(pool(server.port).connect());
      assert.match(error.message, /pin mismatch|the SQL Server refuses TLS/);
      assert.equal(server.received(), 0);
    });
});

test('mssql 7: its tedious is too old, and it does not connect', async (t) => {
  const { ConnectionPool } = requirePackage('mssql-7') as Mssql;
  const server = await serve(t);
  const config = pinnedMssql({ server: '127.0.0.1', port: server.port, user: 'app', password: secret }, { pins });
  await failureOf(new ConnectionPool(config).connect());
  assert.deepEqual([server.prelogins.length, server.received()], [0, 0]);
});
