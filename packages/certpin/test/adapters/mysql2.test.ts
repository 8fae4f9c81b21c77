import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, describe, type TestContext, test } from 'node:test';
import { called, certificateHex, failureOf, mint, publicKeyPin, startScriptedServer, startTap } from '@certpin/testkit';
import { type Mariadb, startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { lyingMysqlServers, mysqlError, startSha2Server } from '@certpin/testkit/mysql-script';
import callbacks from 'mysql2';
import mysql from 'mysql2/promise';
import mysql30 from 'mysql2-3.0/promise';
import { pinnedMysql2 } from '../../src/adapters/mysql2.ts';
import { CertpinError, livePins, type PolicyOptions } from '../../src/index.ts';
import {
  assertMismatch,
  assertRefused,
  assertSslRequestThenTls,
  meetHostileGreetings,
  refusedSsl,
} from './mysql-checks.ts';

const right = await mint({ keyType: 'rsa' });
const impostor = await mint();
const pins = certificateHex(right);
const mariadb: Mariadb = await startMariadb({ certificate: right });
after(() => mariadb.stop());
const { host, user, password, database, port } = mariadb;
const login = { host, port, user, password, database };
const uri = `mysql://${user}:${password}@${host}:${port}/${database}`;

/** A connection that ends with the test. */
async function open(
  t: TestContext,
  config: object = login,
  policy: PolicyOptions = { pins },
): Promise<mysql.Connection> {
  const connection = await mysql.createConnection(pinnedMysql2(config, policy));
  connection.on('error', () => undefined);
  t.after(() => connection.end().catch(() => undefined));
  return connection;
}

/** The cipher of the connection, as the server sees it. */
async function cipherOf(connection: Pick<mysql.Connection, 'query'>): Promise<string> {
  const [rows] = await connection.query<mysql.RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
  return rows[0]?.Value;
}

describe('every way to connect', () => {
  const ways: [string, (config: object) => Promise<unknown>][] = [
    [
      'createConnection, promise',
      async (config) => {
        const connection = await mysql.createConnection(config);
        const cipher = await cipherOf(connection);
        await connection.end();
        return cipher;
      },
    ],
    [
      'createConnection, callback',
      async (config) => {
        const connection = callbacks.createConnection(config);
        await called((done) => connection.connect(done));
        const cipher = await cipherOf(connection.promise());
        connection.end();
        return cipher;
      },
    ],
    [
      'createConnection, query without connect',
      async (config) => {
        const connection = callbacks.createConnection(config);
        connection.on('error', () => undefined);
        const rows = await called<{ Value: string }[]>((done) =>
          connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'", done as never),
        );
        connection.end();
        return rows[0]?.Value;
      },
    ],
    [
      'createPool, promise',
      async (config) => {
        const pool = mysql.createPool(config);
        return cipherOf(pool).finally(() => pool.end());
      },
    ],
    [
      'createPool, callback',
      async (config) => {
        const pool = callbacks.createPool(config);
        return cipherOf(pool.promise()).finally(() => called((done) => pool.end(done as never)));
      },
    ],
    [
      'createPoolCluster',
      async (config) => {
        const cluster = mysql.createPoolCluster({ canRetry: false });
        cluster.add('one', config);
        const connection = await cluster.getConnection('one');
        const cipher = await cipherOf(connection);
        connection.release();
        await cluster.end();
        return cipher;
      },
    ],
  ];
  for (const [name, connect] of ways) {
    test(`${name}: the pinned server, encrypted`, async () => {
      assert.match((await connect(pinnedMysql2(login, { pins }))) as string, /^TLS_/);
    });

    test(`${name}: another server gets nothing, and the error is ours as it is`, async (t) => {
      const relay = await startMysqlRelay({ certificate: impostor, upstream: mariadb });
      t.after(relay.close);
      const error = await failureOf(connect(pinnedMysql2({ ...login, port: relay.port }, { pins })));
      assertMismatch(error, relay, password);
    });
  }

  test('a URI, alone, in the configuration, and with an odd password', async (t) => {
    assert.match(await cipherOf(await open(t, uri as never)), /^TLS_/);
    assert.match(await cipherOf(await open(t, { uri })), /^TLS_/);
    assert.match(await cipherOf(await open(t, { uri: `${uri}?multipleStatements=true` })), /^TLS_/);
    const odd = 'a?b&ssl=mode#/%';
    await mariadb.execute(`CREATE USER odd@'%' IDENTIFIED BY '${odd}'`);
    const address = `mysql://odd:${encodeURIComponent(odd)}@${host}:${port}`;
    assert.match(await cipherOf(await open(t, { uri: address })), /^TLS_/);
  });

  test('what the wire carries before TLS is the SSLRequest and nothing else', async (t) => {
    const tap = await startTap(mariadb);
    t.after(tap.close);
    const connection = await open(t, { ...login, port: tap.port });
    await connection.query('SELECT 1');
    assertSslRequestThenTls(tap.received(), [user, database]);
  });
});

test('mysql2 3.0: the pinned server, encrypted, and nothing for another one', async (t) => {
  const relay = await startMysqlRelay({ certificate: impostor, upstream: mariadb });
  t.after(relay.close);
  const connection = await mysql30.createConnection(pinnedMysql2(login, { pins }));
  assert.match(await cipherOf(connection as unknown as mysql.Connection), /^TLS_/);
  await connection.end();
  const pool = mysql30.createPool(pinnedMysql2({ ...login, port: relay.port }, { pins }));
  assert.equal((await failureOf(pool.query('SELECT 1'))).code, 'ERR_PIN_MISMATCH');
  await pool.end();
  assert.equal(relay.received(), 0);
});

describe('the driver works as it did', () => {
  test('prepared statements', async (t) => {
    const connection = await open(t);
    const [rows] = await connection.execute<mysql.RowDataPacket[]>('SELECT ? + ? AS sum, ? AS word', [1, 2, 'pin']);
    assert.deepEqual([Number(rows[0]?.sum), rows[0]?.word], [3, 'pin']);
  });

  test('changeUser', async (t) => {
    await mariadb.execute("CREATE USER other@'%' IDENTIFIED BY 'other-password'; GRANT ALL ON users.* TO other@'%'");
    const connection = await open(t);
    await connection.changeUser({ user: 'other', password: 'other-password' });
    const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT CURRENT_USER() AS user');
    assert.equal(rows[0]?.user, 'other@%');
    await connection.changeUser({ user, password, database });
    assert.match(await cipherOf(connection), /^TLS_/);
  });

  test('compression', async (t) => {
    const connection = await open(t, { ...login, compress: true });
    const big = 'x'.repeat(300_000);
    const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT ? AS big', [big]);
    assert.equal(rows[0]?.big, big);
    const [status] = await connection.query<mysql.RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Compression'");
    assert.equal(status[0]?.Value, 'ON');
  });

  test('several statements at once', async (t) => {
    const connection = await open(t, { ...login, multipleStatements: true });
    const [results] = await connection.query<mysql.RowDataPacket[][]>('SELECT 1 AS one; SELECT 2 AS two');
    assert.deepEqual([results[0]?.[0]?.one, results[1]?.[0]?.two], [1, 2]);
  });

  test('parameters and results of megabytes, more than one packet long', async (t) => {
    const connection = await open(t);
    for (const length of [1_000_000, 17_000_000]) {
      const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT LENGTH(?) AS length', ['x'.repeat(length)]);
      assert.equal(rows[0]?.length, length);
    }
    const [rows] = await connection.query<mysql.RowDataPacket[]>("SELECT REPEAT('x', 5000000) AS big");
    assert.equal(rows[0]?.big.length, 5_000_000);
  });

  test('a result is streamed, with pauses', async () => {
    const connection = callbacks.createConnection(pinnedMysql2(login, { pins }));
    let rows = 0;
    for await (const row of connection.query('SELECT seq, REPEAT("x", 1000) AS pad FROM seq_1_to_20000').stream()) {
      rows++;
      assert.equal(row.seq, rows);
      if (rows % 5_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(rows, 20_000);
    connection.end();
  });

  test('a wrong password is the server’s own error', async (t) => {
    const error = await failureOf(open(t, { ...login, password: 'wrong' }));
    assert.equal(error.code, 'ER_ACCESS_DENIED_ERROR');
    const pool = mysql.createPool(pinnedMysql2({ ...login, password: 'wrong' }, { pins }));
    assert.equal((await failureOf(pool.query('SELECT 1'))).code, 'ER_ACCESS_DENIED_ERROR');
    await pool.end();
  });

  test('a pool keeps to its limit, and uses its connections again', async () => {
    const pool = mysql.createPool(pinnedMysql2({ ...login, connectionLimit: 3 }, { pins }));
    const answers = await Promise.all(
      Array.from({ length: 9 }, () => pool.query<mysql.RowDataPacket[]>('SELECT CONNECTION_ID() AS id, SLEEP(0.05)')),
    );
    assert.equal(new Set(answers.map(([rows]) => rows[0]?.id)).size, 3);
    await pool.end();
  });

  test('after the server has ended a connection, the pool makes a new one', async (t) => {
    const pool = mysql.createPool(pinnedMysql2({ ...login, connectionLimit: 1 }, { pins }));
    t.after(() => pool.end());
    const connection = await pool.getConnection();
    const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
    const lost = once(connection.connection, 'error');
    await mariadb.execute(`KILL ${rows[0]?.id}`);
    await lost;
    connection.release();
    assert.match(await cipherOf(pool), /^TLS_/);
  });

  test('the certificate is rotated under a running pool', async (t) => {
    const next = await mint({ keyType: 'rsa' });
    const config = pinnedMysql2({ ...login, connectionLimit: 2 }, { pins: [pins, certificateHex(next)] });
    const pool = mysql.createPool(config);
    t.after(() => pool.end());
    const held = await pool.getConnection();
    await mariadb.present(next);
    t.after(() => mariadb.present(right));
    assert.match(await cipherOf(pool), /^TLS_/);
    assert.match(await cipherOf(held), /^TLS_/);
    held.release();
    assert.equal((await failureOf(open(t))).code, 'ERR_PIN_MISMATCH');
  });

  test('a connection that is given up while it connects leaves nothing behind', async () => {
    const connection = callbacks.createConnection(pinnedMysql2(login, { pins }));
    const { stream } = connection as unknown as { stream: Socket };
    connection.on('error', () => undefined);
    connection.destroy();
    if (!stream.closed) await once(stream, 'close');
    assert.equal(stream.destroyed, true);
  });

  test('a certificate of the client, where the server demands one', async (t) => {
    const clientCa = await mint({ ca: true, subject: 'CN=Client CA' });
    const own = await mint({ subject: `CN=${user}`, issuer: clientCa });
    const demand = { requestCert: true, rejectUnauthorized: true, ca: clientCa.certPem };
    const relay = await startMysqlRelay({ certificate: right, upstream: mariadb, ...demand });
    t.after(relay.close);
    const ssl = { key: own.keyPem, cert: own.certPem };
    assert.match(await cipherOf(await open(t, { ...login, port: relay.port, ssl })), /^TLS_/);
    await failureOf(open(t, { ...login, port: relay.port }));
  });

  test('properties that cannot be enumerated are kept', async (t) => {
    const hidden = Object.defineProperty({ host, port, user, database }, 'password', { value: password });
    assert.ok(!Object.keys(pinnedMysql2(hidden, { pins })).includes('password'));
    assert.match(await cipherOf(await open(t, hidden)), /^TLS_/);
  });
});

describe('pins that change at run time', async () => {
  const next = await mint({ keyType: 'rsa' });
  const nextPin = certificateHex(next);
  const limit = { timeout: 30_000 }; // a connection that stays would be waited for
  const idOf = async (source: Pick<mysql.Connection, 'query'>): Promise<number> => {
    const [rows] = await source.query<mysql.RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
    return rows[0]?.id;
  };
  /** A statement that runs until its connection ends, and is at the server when this returns. */
  const occupy = async (source: Pick<mysql.Connection, 'query'>): Promise<{ failure: Promise<Error> }> => {
    const failure = failureOf(source.query('SELECT SLEEP(60) AS occupied'));
    const running = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(60)%'";
    while ((await mariadb.execute(running)).trim() !== '1');
    return { failure };
  };

  test('a pool loses its connections, idle and busy, and goes on with the next pin', limit, async (t) => {
    const live = livePins(pins);
    const pool = mysql.createPool(pinnedMysql2({ ...login, connectionLimit: 2 }, { pins: live }));
    t.after(() => pool.end());
    const lost: Promise<CertpinError[]>[] = [];
    pool.on('connection', (connection) => void lost.push(once(connection, 'error') as Promise<CertpinError[]>));
    await Promise.all([pool.query('SELECT SLEEP(0.05)'), pool.query('SELECT SLEEP(0.05)')]);
    const { failure } = await occupy(pool);

    live.set(nextPin);
    const busy = await failure;
    assert.ok(busy instanceof CertpinError);
    assert.equal(busy.code, 'ERR_PIN_MISMATCH');
    assert.equal(lost.length, 2);
    for (const [error] of await Promise.all(lost)) assert.equal(error?.code, 'ERR_PIN_MISMATCH');
    assert.equal((await failureOf(pool.query('SELECT 1'))).code, 'ERR_PIN_MISMATCH');

    await mariadb.present(next);
    t.after(() => mariadb.present(right));
    assert.match(await cipherOf(pool), /^TLS_/);
  });

  test('a connection whose pin still holds stays, while its neighbour goes', limit, async (t) => {
    const live = livePins([pins, nextPin]);
    const pool = mysql.createPool(pinnedMysql2({ ...login, connectionLimit: 2 }, { pins: live }));
    t.after(() => pool.end());
    const old = await pool.getConnection();
    await mariadb.present(next);
    t.after(() => mariadb.present(right));
    const renewed = await pool.getConnection();
    const [oldId, renewedId] = [await idOf(old), await idOf(renewed)];

    live.set([await publicKeyPin(right), nextPin]);
    assert.deepEqual([await idOf(old), await idOf(renewed)], [oldId, renewedId]);

    const lost = once(old.connection, 'error');
    live.set(nextPin);
    assert.equal((await lost)[0].code, 'ERR_PIN_MISMATCH');
    assert.equal(await idOf(renewed), renewedId);
    // The driver knows the connection as closed, and says so in its own words.
    assert.match((await failureOf(old.query('SELECT 1'))).message, /closed state/);
    old.release();
    renewed.release();
    assert.equal(await idOf(pool), renewedId);
  });

  test('a connection outside of a pool: the statement under way, else the event', limit, async (t) => {
    for (const isBusy of [true, false]) {
      const live = livePins(pins);
      const connection = await mysql.createConnection(pinnedMysql2(login, { pins: live }));
      t.after(() => connection.end().catch(() => undefined));
      const busy = isBusy ? (await occupy(connection)).failure : undefined;
      const lost = once(connection, 'error');
      live.set(nextPin);
      const error = await (busy ?? lost.then(([reason]) => reason));
      assert.ok(error instanceof CertpinError);
      assert.equal(error.code, 'ERR_PIN_MISMATCH');
    }
  });
});

describe('methods of authentication', () => {
  test('mysql_native_password, and a switch to it', async (t) => {
    await mariadb.execute(
      "CREATE USER native@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('native-password')",
    );
    const connection = await open(t, { ...login, user: 'native', password: 'native-password', database: undefined });
    assert.match(await cipherOf(connection), /^TLS_/);
  });

  test('caching_sha2_password with the password itself, over several packets', async (t) => {
    const server = await startSha2Server(right, 'sha2-password');
    t.after(server.close);
    const config = { host: server.host, port: server.port, user, password: 'sha2-password' };
    const connection = await open(t, config);
    await connection.ping();
    assert.ok(server.receivedText().includes('sha2-password\0'));
    await connection.end();
  });

  test('caching_sha2_password: another server does not get it', async (t) => {
    const server = await startSha2Server(impostor, 'sha2-password');
    t.after(server.close);
    const config = { host: server.host, port: server.port, user, password: 'sha2-password' };
    assert.equal((await failureOf(open(t, config))).code, 'ERR_PIN_MISMATCH');
    assert.equal(server.received(), 0);
  });
});

describe('a server that lies before TLS gets the SSLRequest at most', () => {
  for (const [name, script, code] of lyingMysqlServers) {
    for (const kind of ['connection', 'pool'] as const) {
      test(`${name} (${kind})`, async (t) => {
        const server = await startScriptedServer(script);
        t.after(server.close);
        const target = { ...login, host: server.host, port: server.port, enableCleartextPlugin: true };
        const connectTimeoutMs = code === 'ERR_CONNECT_TIMEOUT' ? 200 : 10_000;
        const config = pinnedMysql2(target, { pins, connectTimeoutMs });
        const pool = mysql.createPool(config);
        t.after(() => pool.end());
        const error = await failureOf(kind === 'pool' ? pool.query('SELECT 1') : mysql.createConnection(config));
        assert.ok(error.code?.startsWith(code), `${error.code}: ${error.message}`);
        const sent = server.received();
        if (sent.length > 0) assert.equal(sent.subarray(0, 4).toString('hex'), '20000001');
        if (sent.length > 36) assert.deepEqual([...sent.subarray(36, 38), sent[41]], [0x16, 0x03, 0x01]);
        assert.ok(!sent.includes(user) && !sent.includes(password) && !sent.includes('SELECT'));
      });
    }
  }

  test('a server that turns the client away is heard, and its words are said to be its own', async (t) => {
    const server = await startScriptedServer(
      (socket) => void socket.write(mysqlError(1040, '\x1b[2J\nToo many connections')),
    );
    t.after(server.close);
    const config = pinnedMysql2({ ...login, host: server.host, port: server.port }, { pins });
    const pool = mysql.createPool(config);
    t.after(() => pool.end());
    for (const attempt of [mysql.createConnection(config), pool.query('SELECT 1')]) {
      const error = await failureOf(attempt);
      assert.equal(error.code, 'ER_CON_COUNT_ERROR');
      assert.match(error.message, /an unverified server says, before TLS: \?\[2J\?Too many connections/);
    }
    assert.equal(server.received().length, 0);
  });

  test('a hostile greeting brings no process down', () =>
    meetHostileGreetings(
      (place) => mysql.createConnection(pinnedMysql2({ ...login, ...place }, { pins, connectTimeoutMs: 500 })),
      user,
    ));
});

describe('a configuration that would take the pin away is refused when it is made', () => {
  const refused: [string, object | string, string][] = [
    ...refusedSsl.map(([what, ssl, option]): [string, object, string] => [what, { ...login, ssl }, option]),
    ['verifyIdentity', { ...login, ssl: { verifyIdentity: false } }, 'verifyIdentity'],
    ['a stream', { ...login, stream: () => undefined }, 'stream'],
    ['a unix socket', { ...login, socketPath: '/run/mysqld/mysqld.sock' }, 'socketPath'],
    ['ssl in a URI', `${uri}?ssl={"ca":"x"}`, 'uri ssl'],
    ['ssl in a URI of the configuration', { uri: `${uri}?compress=true&ssl=Amazon+RDS` }, 'uri ssl'],
    ['ssl-mode in a URI', `${uri}?ssl-mode=DISABLED`, 'uri ssl-mode'],
    ['socketPath in a URI', `${uri}?socketPath=/x`, 'uri socketPath'],
    ['stream in a URI', `${uri}?stream=1`, 'uri stream'],
    ['a URI that is none', { uri: 5 }, 'uri'],
    ['no configuration', null as never, 'config'],
  ];
  for (const [what, config, option] of refused) {
    test(what, () => assertRefused(() => pinnedMysql2(config as object, { pins }), option, password));
  }

  test('a bad pin, an unknown policy', () => {
    assert.throws(() => pinnedMysql2(login, { pins: 'ab' }), { code: 'ERR_PIN_INVALID' });
    assert.throws(() => pinnedMysql2(login, { pins, pin: 'x' } as never), { code: 'ERR_OPTION_INVALID' });
  });

  test('a configuration that has lost its stream connects nowhere', async (t) => {
    const relay = await startMysqlRelay({ certificate: impostor, upstream: mariadb });
    t.after(relay.close);
    const pinned = pinnedMysql2({ ...login, port: relay.port }, { pins });
    for (const lost of [JSON.parse(JSON.stringify(pinned)), { ...pinned, stream: undefined }]) {
      const error = await failureOf(mysql.createConnection(lost));
      assert.match(String(error.code), /^(ENOTDIR|ENOENT|EACCES)$/);
    }
    assert.equal(relay.received(), 0);
    assert.equal(relay.handshakes(), 0);
  });
});
