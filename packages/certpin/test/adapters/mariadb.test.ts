import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { called, certificateHex, failureOf, mint, startScriptedServer, startTap } from '@certpin/testkit';
import { type Mariadb, startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import {
  announceVersion,
  lyingMysqlServers,
  mysqlError,
  mysqlGreeting,
  startRedirectingServer,
  startSha2Server,
  startSwitchingServer,
} from '@certpin/testkit/mysql-script';
import type { Connection, ImportFileConfig, Pool } from 'mariadb';
import { pinnedMariadb } from '../../src/adapters/mariadb.ts';
import { type CertpinError, findCertpinError, livePins, type PolicyOptions } from '../../src/index.ts';
import { callbacks, isNewest, mariadb } from './mariadb-of-node.ts';
import {
  assertMismatch,
  assertRefused,
  assertSslRequestThenTls,
  meetHostileGreetings,
  refusedSsl,
} from './mysql-checks.ts';

const require = createRequire(import.meta.url);
type Promised = typeof import('mariadb');
type Callbacks = typeof import('mariadb/callback');
type CallbackConnection = import('mariadb/callback').Connection & { connect(done: unknown): void };

/** The oldest version that works, and the last of every minor version since; only the newest knows `import`. */
const versions: readonly (readonly [name: string, promised: Promised, callbacks: Callbacks])[] = [
  ['3.2', require('mariadb-3.2'), require('mariadb-3.2/callback')],
  ['3.3', require('mariadb-3.3'), require('mariadb-3.3/callback')],
  ['3.4', require('mariadb-3.4'), require('mariadb-3.4/callback')],
  ...(isNewest
    ? ([
        ['3.5, required', require('mariadb'), require('mariadb/callback')],
        ['3.5, imported', mariadb, callbacks],
      ] as const)
    : []),
];

const right = await mint({ keyType: 'rsa' });
const impostor = await mint();
const pins = certificateHex(right);
const server: Mariadb = await startMariadb({ certificate: right });
after(() => server.stop());
const { host, user, password, database, port } = server;
// The connector's own limit is one second, and these machines are busy.
const login = { host, port, user, password, database, connectTimeout: 10_000 };
const url = `mariadb://${user}:${password}@${host}:${port}/${database}?connectTimeout=10000`;

/** A connection that ends with the test. */
async function open(
  t: TestContext,
  config: object | string = login,
  policy: PolicyOptions = { pins },
): Promise<Connection> {
  const connection = await mariadb.createConnection(pinnedMariadb(config as object, policy));
  connection.on('error', () => undefined);
  t.after(() => connection.end().catch(() => undefined));
  return connection;
}

/** A pool that ends with the test. */
function openPool(t: TestContext, config: object, policy: PolicyOptions = { pins }): Pool {
  const pool = mariadb.createPool(pinnedMariadb({ connectionLimit: 2, ...config }, policy));
  t.after(() => pool.end());
  return pool;
}

/** The cipher of the connection, as the server sees it. */
async function cipherOf(connection: { query(sql: string): Promise<unknown> }): Promise<string> {
  const rows = (await connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")) as { Value: string }[];
  return rows[0]?.Value ?? '';
}

const sql = "SHOW SESSION STATUS LIKE 'Ssl_cipher'";
type Rows = { Value: string }[];
const folder = mkdtempSync(join(tmpdir(), 'certpin-import-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'import.sql');
writeFileSync(file, 'CREATE OR REPLACE TABLE imported (cipher TEXT); INSERT INTO imported VALUES (1);');

for (const [version, promised, callbacks] of versions) {
  describe(`mariadb ${version}: every way to connect`, () => {
    const ways: [string, (config: object) => Promise<string | undefined>][] = [
      [
        'createConnection, promise',
        async (config) => {
          const connection = await promised.createConnection(config);
          return cipherOf(connection).finally(() => connection.end());
        },
      ],
      [
        'createConnection, callback',
        async (config) => {
          // The types do not know `connect`, the manual does.
          const connection = callbacks.createConnection(config) as CallbackConnection;
          await called((done) => connection.connect(done));
          const rows = await called<Rows>((done) => connection.query(sql, done as never));
          await called((done) => connection.end(done as never));
          return rows[0]?.Value;
        },
      ],
      [
        'importFile',
        async (config) => {
          await promised.importFile({ ...config, file } as ImportFileConfig);
          return `TLS_ ${await server.execute('SELECT * FROM users.imported; DROP TABLE users.imported')}`;
        },
      ],
    ];
    const pools: typeof ways = [
      [
        'createPool, promise',
        async (config) => {
          const pool = promised.createPool(config);
          return cipherOf(pool).finally(() => pool.end());
        },
      ],
      [
        'createPool, callback',
        async (config) => {
          const pool = callbacks.createPool(config);
          const rows = called<Rows>((done) => pool.query(sql, done as never));
          return (await rows.finally(() => called((done) => pool.end(done as never))))[0]?.Value;
        },
      ],
      [
        'createPoolCluster',
        async (config) => {
          const cluster = promised.createPoolCluster({ canRetry: false });
          cluster.add('one', config);
          const connected = cluster.getConnection('one').then(async (connection) => {
            const cipher = await cipherOf(connection);
            await connection.release();
            return cipher;
          });
          return connected.finally(() => cluster.end());
        },
      ],
    ];
    // The connector tells of a refusal when the time for a connection has run out. A refusal itself needs a part of it, also on a busy machine.
    const impatient = { connectionLimit: 1, acquireTimeout: 5_000, initializationTimeout: 2_000 };

    for (const [name, connect] of [...ways, ...pools]) {
      test(`${name}: the pinned server, encrypted`, async () => {
        const config = pinnedMariadb({ ...login, connectionLimit: 1 }, { pins });
        assert.match((await connect(config)) as string, /^TLS_/);
      });
    }

    for (const [name, connect] of ways) {
      test(`${name}: another server gets nothing, and the error is ours as it is`, async (t) => {
        const relay = await startMysqlRelay({ certificate: impostor, upstream: server });
        t.after(relay.close);
        const error = await failureOf(connect(pinnedMariadb({ ...login, port: relay.port }, { pins })));
        assertMismatch(error, relay, password);
      });
    }

    // Each waits for the time to run out, so they wait together.
    describe('a pool', { concurrency: true }, () => {
      for (const [name, connect] of pools) {
        test(`${name}: another server gets nothing, and the error leads to ours`, async (t) => {
          const relay = await startMysqlRelay({ certificate: impostor, upstream: server });
          t.after(relay.close);
          const heard: Error[] = [];
          const logger = { error: (error: Error) => heard.push(error) };
          const config = { ...login, ...impatient, port: relay.port, logger };
          const error = await failureOf(connect(pinnedMariadb(config, { pins })));
          assert.equal(error.code, 'ER_GET_CONNECTION_TIMEOUT');
          // 3.2 hands on the text and no `cause`.
          if (version === '3.2') assert.match(error.message, /pin mismatch for 127\.0\.0\.1/);
          else assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
          assert.equal((heard[0] as CertpinError).code, 'ERR_PIN_MISMATCH', 'the logger hears of it at once');
          assert.equal(relay.received(), 0);
          assert.ok(!`${error.message}${JSON.stringify(error)}${error.stack}`.includes(password));
        });
      }
    });

    test('a server that announces 11.4.2: the pinned one connects, another one gets nothing', async (t) => {
      const rewriteGreeting = (greeting: Buffer): Buffer => announceVersion(greeting, '11.4.2-MariaDB');
      for (const certificate of [right, impostor]) {
        const relay = await startMysqlRelay({ certificate, upstream: server, rewriteGreeting });
        const tap = await startTap(relay);
        t.after(() => Promise.all([relay.close(), tap.close()]));
        const attempt = promised.createConnection(pinnedMariadb({ ...login, port: tap.port }, { pins }));
        if (certificate === right) {
          const connection = await attempt;
          assert.match(connection.serverVersion() ?? '', /11\.4\.2/);
          assert.match(await cipherOf(connection), /^TLS_/);
          await connection.end();
        } else {
          assert.equal((await failureOf(attempt)).code, 'ERR_PIN_MISMATCH');
          assert.equal(relay.received(), 0);
        }
        assert.ok(!tap.received().includes(user) && !tap.received().includes(database));
      }
    });

    test('a greeting that asks for the password itself: another server does not get it', async (t) => {
      const rewriteGreeting = (): Buffer => mysqlGreeting({ plugin: 'mysql_clear_password' });
      const relay = await startMysqlRelay({ certificate: impostor, upstream: server, rewriteGreeting });
      const tap = await startTap(relay);
      t.after(() => Promise.all([relay.close(), tap.close()]));
      await failureOf(promised.createConnection(pinnedMariadb({ ...login, port: tap.port }, { pins })));
      assert.equal(relay.received(), 0);
      assert.ok(!tap.received().includes(user) && !tap.received().includes(password));
    });

    for (const plugin of ['caching_sha2_password', 'sha256_password', 'mysql_clear_password'] as const) {
      test(`${plugin}, which asks for the password itself: the pinned server gets it, another one does not`, async (t) => {
        for (const certificate of [right, impostor]) {
          const asking = await startSwitchingServer(certificate, plugin, 'asked-password');
          t.after(asking.close);
          const target = { host: asking.host, port: asking.port, user, password: 'asked-password' };
          const attempt = promised.createConnection(pinnedMariadb({ ...target, connectTimeout: 10_000 }, { pins }));
          if (certificate === right) {
            const connection = await attempt.catch((reason) => reason);
            assert.ok(asking.receivedText().includes('asked-password\0'), String(connection));
            // What 3.2 makes of the answer to a clear-text password is its own affair.
            if (version === '3.2' && plugin === 'mysql_clear_password') continue;
            await connection.ping();
            connection.destroy();
          } else {
            assert.equal((await failureOf(attempt)).code, 'ERR_PIN_MISMATCH');
            assert.equal(asking.received(), 0);
          }
        }
      });
    }

    test('a copy that has lost its stream says nothing to anybody', async (t) => {
      const pinned = pinnedMariadb(login, { pins });
      const { user, password, ...nameless } = structuredClone({ ...pinned, stream: undefined });
      const copies = [JSON.parse(JSON.stringify(pinned)), { ...pinned, stream: undefined }];
      copies.push({ ...nameless, user, password });
      for (const certificate of [right, impostor]) {
        const relay = await startMysqlRelay({ certificate, upstream: server });
        const tap = await startTap(relay);
        t.after(() => Promise.all([relay.close(), tap.close()]));
        for (const lost of copies) {
          const error = await failureOf(promised.createConnection({ ...lost, port: tap.port }));
          assert.equal(error.code, 'ERR_TLS_INVALID_PROTOCOL_VERSION');
          assert.match(error.message, /certpin: the pinned stream was lost/);
        }
        const pool = promised.createPool({ ...copies[0], acquireTimeout: 200, port: tap.port });
        assert.equal((await failureOf(pool.getConnection())).code, 'ER_GET_CONNECTION_TIMEOUT');
        await pool.end();
        // SSLRequest at most, which names nobody.
        assert.ok(tap.received().length % 36 === 0 && !tap.received().includes(user));
        assert.deepEqual([relay.received(), relay.handshakes()], [0, 0]);
      }
    });

    test('a copy with other TLS options, or a permitted redirect, is as pinned as before', async (t) => {
      const elsewhere = await startTap(server);
      t.after(elsewhere.close);
      const target = `mariadb://${elsewhere.host}:${elsewhere.port}`;
      const redirecting = await startRedirectingServer(right, target);
      t.after(redirecting.close);
      const config = { ...pinnedMariadb({ ...login, port: redirecting.port }, { pins }) };
      for (const copy of [config, { ...config, permitRedirect: true, ssl: true }]) {
        const connection = await promised.createConnection(copy).catch((reason) => reason);
        assert.ok(redirecting.received() > 0, String(connection));
        // What 3.3 makes of a redirect that is not permitted is its own affair.
        if (version === '3.3') continue;
        await connection.ping();
        connection.destroy();
      }
      assert.equal(elsewhere.received().length, 0);
      const relay = await startMysqlRelay({ certificate: impostor, upstream: server });
      t.after(relay.close);
      const astray = { ...config, port: relay.port, ssl: Object.fromEntries([['rejectUnauthorized', false]]) };
      assert.equal((await failureOf(promised.createConnection(astray))).code, 'ERR_PIN_MISMATCH');
      assert.equal(relay.received(), 0);
    });

    test('a connection string is read as the connector reads it', (t) => {
      t.mock.method(console, 'log', () => undefined);
      const parameters = 'compress=true&connectTimeout=2500&timezone=%2B02:00&multipleStatements=false&bulk=false';
      const text = `mariadb://us%40er:p%40ss+w%2Frd@db.example.com:3307/d%20b?${parameters}&charset=latin1&debugLen=9`;
      const rest = (config: string | object): object => {
        const { stream, ssl, permitRedirect, logger, ...others } = promised.defaultOptions(config);
        return others;
      };
      const { stream, ssl, permitRedirect, ...options } = pinnedMariadb(text, { pins });
      assert.deepEqual(rest(options), rest(text));
    });
  });
}

describe('the driver works as it did', () => {
  test('a connection string, for a connection and for a pool', async (t) => {
    assert.match(await cipherOf(await open(t, url)), /^TLS_/);
    assert.match(await cipherOf(await open(t, `${url}&multipleStatements=true&compress=true`)), /^TLS_/);
    const pool = mariadb.createPool(pinnedMariadb(`${url}&connectionLimit=1`, { pins }));
    t.after(() => pool.end());
    assert.match(await cipherOf(pool), /^TLS_/);
    assert.equal(pool.totalConnections(), 1);
    const odd = 'a?b&ssl=mode#/%';
    await server.execute(`CREATE USER odd@'%' IDENTIFIED BY '${odd}'`);
    const text = `mariadb://odd:${encodeURIComponent(odd)}@${host}:${port}/information_schema`;
    assert.match(await cipherOf(await open(t, text)), /^TLS_/);
  });

  test('what the wire carries before TLS is the SSLRequest and nothing else', async (t) => {
    const tap = await startTap(server);
    t.after(tap.close);
    const connection = await open(t, { ...login, port: tap.port });
    await connection.query('SELECT 1');
    assertSslRequestThenTls(tap.received(), [user, database]);
  });

  test('prepared statements', async (t) => {
    const connection = await open(t);
    const rows = await connection.execute('SELECT ? + ? AS sum, ? AS word', [1, 2, 'pin']);
    assert.deepEqual([Number(rows[0]?.sum), rows[0]?.word], [3, 'pin']);
    const prepared = await connection.prepare('SELECT ? AS word');
    assert.equal((await prepared.execute(['again']))[0]?.word, 'again');
    prepared.close();
  });

  test('a batch', async (t) => {
    const connection = await open(t);
    await connection.query('CREATE TEMPORARY TABLE batched (id INT, word TEXT)');
    const rows = Array.from({ length: 5_000 }, (_, id) => [id, 'x'.repeat(100)]);
    await connection.batch('INSERT INTO batched VALUES (?, ?)', rows);
    const [count] = await connection.query('SELECT COUNT(*) AS count FROM batched');
    assert.equal(Number(count.count), 5_000);
  });

  test('changeUser', async (t) => {
    await server.execute("CREATE USER other@'%' IDENTIFIED BY 'other-password'; GRANT ALL ON users.* TO other@'%'");
    const connection = await open(t);
    await connection.changeUser({ user: 'other', password: 'other-password' });
    assert.equal((await connection.query('SELECT CURRENT_USER() AS user'))[0]?.user, 'other@%');
    await connection.changeUser({ user, password, database });
    assert.match(await cipherOf(connection), /^TLS_/);
  });

  test('compression', async (t) => {
    const connection = await open(t, { ...login, compress: true });
    const big = 'x'.repeat(300_000);
    assert.equal((await connection.query('SELECT ? AS big', [big]))[0]?.big, big);
    assert.equal((await connection.query("SHOW SESSION STATUS LIKE 'Compression'"))[0]?.Value, 'ON');
  });

  test('several statements at once', async (t) => {
    const connection = await open(t, { ...login, multipleStatements: true });
    const results = await connection.query('SELECT 1 AS one; SELECT 2 AS two');
    assert.deepEqual([results[0][0]?.one, results[1][0]?.two], [1, 2]);
  });

  test('without pipelining', async (t) => {
    const connection = await open(t, { ...login, pipelining: false });
    const answers = await Promise.all([1, 2, 3].map((value) => connection.query('SELECT ? AS value', [value])));
    assert.deepEqual(
      answers.map(([row]) => row.value),
      [1, 2, 3],
    );
  });

  test('parameters and results of megabytes, more than one packet long', async (t) => {
    const connection = await open(t, { ...login, maxAllowedPacket: 64 * 1024 * 1024 });
    for (const length of [1_000_000, 17_000_000]) {
      assert.equal((await connection.query('SELECT LENGTH(?) AS length', ['x'.repeat(length)]))[0]?.length, length);
    }
    assert.equal((await connection.query("SELECT REPEAT('x', 5000000) AS big"))[0]?.big.length, 5_000_000);
  });

  test('a result is streamed, with pauses', async (t) => {
    const connection = await open(t);
    let rows = 0;
    for await (const row of connection.queryStream('SELECT seq, REPEAT("x", 1000) AS pad FROM seq_1_to_20000')) {
      rows++;
      assert.equal(Number(row.seq), rows);
      if (rows % 5_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(rows, 20_000);
  });

  test('a socketTimeout ends a connection on which nothing moves', async (t) => {
    const connection = await open(t, { ...login, socketTimeout: 100 });
    assert.equal((await failureOf(connection.query('SELECT SLEEP(60)'))).code, 'ER_SOCKET_TIMEOUT');
  });

  test('a wrong password is the server’s own error', async (t) => {
    const error = await failureOf(open(t, { ...login, password: 'wrong' }));
    assert.equal(error.code, 'ER_ACCESS_DENIED_ERROR');
    const pool = openPool(t, { ...login, password: 'wrong', acquireTimeout: 3_000 });
    const { cause } = await failureOf(pool.query('SELECT 1'));
    assert.equal((cause as CertpinError).code, 'ER_ACCESS_DENIED_ERROR');
  });

  test('a pool keeps to its limit, and uses its connections again', async (t) => {
    const pool = openPool(t, { ...login, connectionLimit: 3 });
    const answers = await Promise.all(
      Array.from({ length: 9 }, () => pool.query('SELECT CONNECTION_ID() AS id, SLEEP(0.05)')),
    );
    assert.ok(new Set(answers.map(([row]) => row.id)).size <= 3);
  });

  test('after the server was restarted, the pool makes a new connection', async (t) => {
    // One connection: the connector rejects a promise of its own, which nobody awaits, where a server goes while a
    // further connection of the pool is still setting its session up.
    const pool = openPool(t, { ...login, connectionLimit: 1 });
    const connection = await pool.getConnection();
    assert.match(await cipherOf(connection), /^TLS_/);
    const lost = new Promise((resolve) => connection.on('error', resolve));
    await server.restart();
    await lost;
    await connection.release();
    assert.match(await cipherOf(pool), /^TLS_/);
  });

  test('the certificate is rotated under a running pool', async (t) => {
    const next = await mint({ keyType: 'rsa' });
    const pool = openPool(t, login, { pins: [pins, certificateHex(next)] });
    const held = await pool.getConnection();
    await server.present(next);
    t.after(() => server.present(right));
    assert.match(await cipherOf(pool), /^TLS_/);
    assert.match(await cipherOf(held), /^TLS_/);
    await held.release();
    assert.equal((await failureOf(open(t))).code, 'ERR_PIN_MISMATCH');
  });

  test('a pin that is withdrawn closes the pooled connections', async (t) => {
    const live = livePins(pins);
    const pool = openPool(t, { ...login, connectionLimit: 1, acquireTimeout: 3_000 }, { pins: live });
    const connection = await pool.getConnection();
    const closed = new Promise<Error>((resolve) => connection.on('error', resolve));
    live.set(certificateHex(impostor));
    assert.equal(findCertpinError(await closed)?.code, 'ERR_PIN_MISMATCH');
    await connection.release();
    assert.equal(findCertpinError(await failureOf(pool.query('SELECT 1')))?.code, 'ERR_PIN_MISMATCH');
    live.set(pins);
    assert.match(await cipherOf(pool), /^TLS_/);
  });

  test('a connection that is given up while it connects leaves nothing behind', async (t) => {
    const silent = await startScriptedServer(() => undefined);
    t.after(silent.close);
    const target = { ...login, host: silent.host, port: silent.port, connectTimeout: 50 };
    const error = await failureOf(open(t, target));
    assert.equal(error.code, 'ER_CONNECTION_TIMEOUT');
  });

  test('a certificate of the client, where the server demands one', async (t) => {
    const clientCa = await mint({ ca: true, subject: 'CN=Client CA' });
    const own = await mint({ subject: `CN=${user}`, issuer: clientCa });
    const demand = { requestCert: true, rejectUnauthorized: true, ca: clientCa.certPem };
    const relay = await startMysqlRelay({ certificate: right, upstream: server, ...demand });
    t.after(relay.close);
    const ssl = { key: own.keyPem, cert: own.certPem };
    assert.match(await cipherOf(await open(t, { ...login, port: relay.port, ssl })), /^TLS_/);
    await failureOf(open(t, { ...login, port: relay.port }));
  });

  test('caching_sha2_password in the greeting already', async (t) => {
    const asking = await startSha2Server(right, 'sha2-password');
    t.after(asking.close);
    // The connector answers every greeting in the manner of mysql_native_password and waits for the switch.
    const target = { host: asking.host, port: asking.port, user, password: 'sha2-password' };
    assert.equal((await failureOf(open(t, target))).code, 'ER_AUTHENTICATION_BAD_PACKET');
    assert.ok(!asking.receivedText().includes('sha2-password\0'));
  });

  test('properties that cannot be enumerated are kept', async (t) => {
    const hidden = Object.defineProperty({ ...login, password: undefined }, 'password', {
      value: password,
      enumerable: false,
    });
    assert.ok(!Object.keys(pinnedMariadb(hidden, { pins })).includes('password'));
    assert.match(await cipherOf(await open(t, hidden)), /^TLS_/);
  });
});

describe('a server that lies before TLS gets the SSLRequest at most', { concurrency: true }, () => {
  for (const [name, script, code] of lyingMysqlServers) {
    for (const kind of ['connection', 'pool'] as const) {
      test(`${name} (${kind})`, async (t) => {
        const liar = await startScriptedServer(script);
        t.after(liar.close);
        // Whoever answers has time for it. A pool tells of it when its own time is over.
        const connectTimeoutMs = code === 'ERR_CONNECT_TIMEOUT' ? 200 : 10_000;
        const target = { ...login, host: liar.host, port: liar.port, acquireTimeout: 2_000, connectionLimit: 1 };
        const config = pinnedMariadb(target, { pins, connectTimeoutMs });
        let error: Error;
        if (kind === 'connection') {
          error = await failureOf(mariadb.createConnection(config));
        } else {
          const pool = mariadb.createPool(config);
          error = (await failureOf(pool.query('SELECT 1'))).cause as Error;
          await pool.end();
        }
        assert.ok((error as CertpinError).code?.startsWith(code), `${error}`);
        const sent = liar.received();
        if (sent.length > 0) assert.equal(sent.subarray(0, 4).toString('hex'), '20000001');
        assert.ok(!sent.includes(user) && !sent.includes(password) && !sent.includes('SELECT'));
      });
    }
  }

  test('a server that turns the client away is heard, and its words are said to be its own', async (t) => {
    const full = await startScriptedServer(
      (socket) => void socket.write(mysqlError(1040, '\x1b[2J\nToo many connections')),
    );
    t.after(full.close);
    const error = await failureOf(open(t, { ...login, host: full.host, port: full.port }));
    assert.equal(error.code, 'ER_CON_COUNT_ERROR');
    assert.match(error.message, /an unverified server says, before TLS: \?\[2J\?Too many connections/);
    assert.equal(full.received().length, 0);
  });

  for (const [version, promised] of versions) {
    test(`a hostile greeting brings no process down (mariadb ${version})`, () =>
      meetHostileGreetings(
        (place) => promised.createConnection(pinnedMariadb({ ...login, ...place }, { pins, connectTimeoutMs: 500 })),
        user,
      ));
  }
});

describe('a configuration that would take the pin away is refused when it is made', () => {
  const unix = `mariadb://${user}:${password}@${host}/${database}?socketPath=/run/mysqld/mysqld.sock`;
  const refused: [string, object | string, string][] = [
    ...refusedSsl.map(([what, ssl, option]): [string, object, string] => [what, { ...login, ssl }, option]),
    ['ssl as a word', { ...login, ssl: 'true' }, 'ssl'],
    ['a stream', { ...login, stream: () => undefined }, 'stream'],
    ['a configuration that is pinned already', pinnedMariadb(login, { pins }), 'stream'],
    ['a unix socket', { ...login, socketPath: '/run/mysqld/mysqld.sock' }, 'socketPath'],
    ['a permitted redirect', { ...login, permitRedirect: true }, 'permitRedirect'],
    ['ssl in a connection string', `${url}&ssl=true`, 'connectionString ssl'],
    ['ssl without a value', `${url}&ssl`, 'connectionString ssl'],
    ['stream in a connection string', `${url}&stream=1`, 'connectionString stream'],
    ['a unix socket in a connection string', unix, 'connectionString socketPath'],
    ['a redirect in a connection string', `${url}&permitRedirect=true`, 'permitRedirect'],
    ['a word for a boolean', `${url}&compress=yes`, 'connectionString'],
    ['a word for a number', `${url}&connectionLimit=many`, 'connectionString'],
    ['a list that is none', `${url}&connectAttributes=${password}`, 'connectionString'],
    ['another host among the parameters', `${url}&host=elsewhere`, 'connectionString'],
    ['another protocol', url.replace('mariadb:', 'postgres:'), 'connectionString'],
    ['no database', `mariadb://${user}:${password}@${host}`, 'connectionString'],
    ['a percent sign alone', `mariadb://${user}:%zz${password}@${host}/users`, 'connectionString'],
    ['a password that was not encoded', `mariadb://${user}:a?${password}@${host}/users`, 'connectionString'],
    ['no configuration', null as never, 'config'],
  ];
  for (const [what, config, option] of refused) {
    test(what, () => assertRefused(() => pinnedMariadb(config as object, { pins }), option, password));
  }

  test('a bad pin, an unknown policy', () => {
    assert.throws(() => pinnedMariadb(login, { pins: 'ab' }), { code: 'ERR_PIN_INVALID' });
    assert.throws(() => pinnedMariadb(login, { pins, pin: 'x' } as never), { code: 'ERR_OPTION_INVALID' });
  });
});
