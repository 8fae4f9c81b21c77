import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { called, certificateHex, failureOf, mint, startScriptedServer, startTap } from '@certpin/testkit';
import { type Mariadb, startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { mysqlError, mysqlGreeting, mysqlOk, mysqlPacket } from '@certpin/testkit/mysql-script';
import mysql from 'mysql';
import mysql2 from 'mysql2/promise';
import mysql230 from 'mysql2-3.0/promise';
import { pinnedMysql } from '../../src/adapters/mysql.ts';
import { livePins, type PolicyOptions } from '../../src/index.ts';
import { assertMismatch, assertRefused, assertSslRequestThenTls, refusedSsl } from './mysql-checks.ts';

const require = createRequire(import.meta.url);
const right = await mint({ keyType: 'rsa' });
const impostor = await mint();
const pins = certificateHex(right);
const mariadb: Mariadb = await startMariadb({ certificate: right });
after(() => mariadb.stop());
const { host, user, password, database, port } = mariadb;
const login = { host, port, user, password, database };
const url = `mysql://${user}:${password}@${host}:${port}/${database}`;

type Row = Record<string, unknown>;
/** A configuration as a library that passes it on sees it. */
type Copied = Row & { readonly ssl: Row };

/** A copy of the package that nobody has hooked. */
function anotherMysql(name = 'mysql'): typeof mysql {
  const folder = dirname(require.resolve(name));
  const take = (): [string, NodeModule | undefined][] => {
    const files = Object.keys(require.cache).filter((file) => file.startsWith(folder + sep));
    return files.map((file) => {
      const entry = require.cache[file];
      delete require.cache[file];
      return [file, entry];
    });
  };
  const others = take();
  const driver = require(name) as typeof mysql;
  // It loads its classes when they are asked for.
  driver.createConnection({});
  driver.createPool({});
  driver.createPoolCluster();
  take();
  for (const [file, entry] of others) require.cache[file] = entry;
  return driver;
}

/** A connection that ends with the test. */
async function open(
  t: TestContext,
  config: object | string = login,
  policy: PolicyOptions = { pins },
): Promise<mysql.Connection> {
  const connection = mysql.createConnection(pinnedMysql(mysql, config as object, policy));
  connection.on('error', () => undefined);
  t.after(() => connection.destroy());
  await called((done) => connection.connect(done));
  return connection;
}

type Queryable = Pick<mysql.Connection, 'query'>;

function query(connection: Queryable, sql: string, values: unknown[] = []): Promise<Row[]> {
  return called((done) => connection.query(sql, values, done));
}

/** The cipher of the connection, as the server sees it. */
async function cipherOf(connection: Queryable): Promise<string> {
  const [row] = await query(connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'");
  return String(row?.Value);
}

const end = (pool: mysql.Pool): Promise<unknown> => called((done) => pool.end((error) => done(error ?? null)));

/** Whatever the connection ends of; the pool hears of an error. */
const ended = (connection: mysql.PoolConnection): Promise<unknown> =>
  new Promise((resolve) => connection.once('end', resolve));

/** The ways in which mysql makes a connection, of any copy of it. */
const ways = (driver: typeof mysql): [string, (config: object) => Promise<string>][] => [
  [
    'connect',
    async (config) => {
      const connection = driver.createConnection(config);
      try {
        await called((done) => connection.connect(done));
        return await cipherOf(connection);
      } finally {
        connection.destroy();
      }
    },
  ],
  [
    'query without connect',
    async (config) => {
      const connection = driver.createConnection(config);
      return cipherOf(connection).finally(() => connection.destroy());
    },
  ],
  [
    'createPool',
    async (config) => {
      const pool = driver.createPool(config);
      return cipherOf(pool).finally(() => end(pool));
    },
  ],
  [
    'PoolCluster',
    async (config) => {
      const cluster = driver.createPoolCluster({ canRetry: false });
      cluster.add('one', config);
      try {
        const connection = await called<mysql.PoolConnection>((done) => cluster.getConnection('one', done as never));
        const cipher = await cipherOf(connection);
        connection.release();
        return cipher;
      } finally {
        await called((done) => cluster.end((error) => done(error ?? null)));
      }
    },
  ],
];

describe('every way to connect', () => {
  for (const [name, connect] of ways(mysql)) {
    test(`${name}: the pinned server, encrypted`, async () => {
      assert.match(await connect(pinnedMysql(mysql, login, { pins })), /^TLS_/);
    });

    test(`${name}: another server gets nothing, and the error is ours as it is`, async (t) => {
      const relay = await startMysqlRelay({ certificate: impostor, upstream: mariadb });
      t.after(relay.close);
      const error = await failureOf(connect(pinnedMysql(mysql, { ...login, port: relay.port }, { pins })));
      assert.equal(error.fatal, true);
      assertMismatch(error, relay, password);
    });
  }

  test('connect without a callback: the error is an event', async (t) => {
    const relay = await startMysqlRelay({ certificate: impostor, upstream: mariadb });
    t.after(relay.close);
    const connection = mysql.createConnection(pinnedMysql(mysql, { ...login, port: relay.port }, { pins }));
    connection.connect();
    const [error] = await once(connection, 'error');
    assert.equal(error.code, 'ERR_PIN_MISMATCH');
    assert.equal(relay.received(), 0);
  });

  test('a second call of connect is the driver’s own error', async (t) => {
    const connection = await open(t);
    const error = await failureOf(called((done) => connection.connect(done)));
    assert.equal(error.code, 'PROTOCOL_ENQUEUE_HANDSHAKE_TWICE');
    assert.match(await cipherOf(connection), /^TLS_/);
  });

  test('a URL, with parameters, and with an odd password', async (t) => {
    assert.match(await cipherOf(await open(t, url)), /^TLS_/);
    const connection = await open(t, `${url}?multipleStatements=true&timezone=Z&charset=utf8mb4_bin`);
    const results = (await query(connection, 'SELECT 1 AS one; SELECT @@character_set_client AS set_')) as unknown;
    assert.equal((results as Row[][])[1]?.[0]?.set_, 'utf8mb4');
    assert.equal(connection.config.timezone, 'Z');
    const pool = mysql.createPool(pinnedMysql(mysql, `${url}?connectionLimit=2&queueLimit=7`, { pins }));
    assert.equal(pool.config.connectionLimit, 2);
    assert.match(await cipherOf(pool), /^TLS_/);
    await end(pool);
    const odd = 'a?b&ssl=mode#/%:@';
    await mariadb.execute(`CREATE USER odd@'%' IDENTIFIED BY '${odd}'`);
    assert.match(await cipherOf(await open(t, `mysql://odd:${encodeURIComponent(odd)}@${host}:${port}/`)), /^TLS_/);
  });

  test('what the wire carries before TLS is the SSLRequest and nothing else', async (t) => {
    const tap = await startTap(mariadb);
    t.after(tap.close);
    const connection = await open(t, { ...login, port: tap.port });
    await query(connection, 'SELECT 1');
    assertSslRequestThenTls(tap.received(), [user, database]);
  });
});

test('mysql 2.17: the pinned server, encrypted, and nothing for another one', async (t) => {
  const mysql217 = require('mysql-2.17') as typeof mysql;
  const relay = await startMysqlRelay({ certificate: impostor, upstream: mariadb });
  t.after(relay.close);
  for (const [name, connect] of ways(mysql217)) {
    assert.match(await connect(pinnedMysql(mysql217, login, { pins })), /^TLS_/, name);
    const error = await failureOf(connect(pinnedMysql(mysql217, { ...login, port: relay.port }, { pins })));
    assert.equal(error.code, 'ERR_PIN_MISMATCH', name);
  }
  assert.equal(relay.received(), 0);
});

describe('the hook', () => {
  test('leaves connections alone that certpin has not configured, encrypted or not', async () => {
    pinnedMysql(mysql, login, { pins });
    for (const [name, connect] of ways(mysql)) {
      assert.equal(await connect(login), '', name);
      assert.match(await connect({ ...login, ssl: { ca: right.certPem } }), /^TLS_/, name);
      assert.equal((await failureOf(connect({ ...login, ssl: {} }))).code, 'HANDSHAKE_SSL_ERROR', name);
    }
  });

  test('is one, however often and by however many copies of certpin it is made', async () => {
    const driver = anotherMysql();
    const prototype = Object.getPrototypeOf(driver.createConnection({}));
    const before = { ...prototype };
    pinnedMysql(driver, login, { pins });
    const { connect, ...others } = prototype;
    const { connect: own, ...otherBefore } = before;
    assert.notEqual(connect, own);
    assert.deepEqual(others, otherBefore);
    pinnedMysql(driver, login, { pins });
    assert.equal(prototype.connect, connect);
    const { pinnedMysql: built } = require('certpin/mysql') as { pinnedMysql: typeof pinnedMysql };
    assert.notEqual(built, pinnedMysql);
    const config = built(driver, login, { pins });
    assert.equal(prototype.connect, connect);
    assert.match(await (ways(driver)[0]?.[1](config) ?? ''), /^TLS_/);
  });

  test('holds where connect is wrapped around it', async (t) => {
    const driver = anotherMysql();
    pinnedMysql(driver, login, { pins });
    const prototype = Object.getPrototypeOf(driver.createConnection({}));
    const { connect } = prototype;
    prototype.connect = function wrapped(this: mysql.Connection, ...args: unknown[]) {
      return connect.apply(this, args);
    };
    const relay = await startMysqlRelay({ certificate: impostor, upstream: mariadb });
    t.after(relay.close);
    for (const [name, start] of ways(driver)) {
      assert.match(await start(pinnedMysql(driver, login, { pins })), /^TLS_/, name);
      const error = await failureOf(start(pinnedMysql(driver, { ...login, port: relay.port }, { pins })));
      assert.equal(error.code, 'ERR_PIN_MISMATCH', name);
    }
    assert.equal(relay.received(), 0);
  });

  test('refuses modules of another client, and opens nothing to find out', () => {
    for (const module of [mysql2, require('mysql2'), require('pg'), {}, null, { default: mysql }]) {
      assert.throws(() => pinnedMysql(module, login, { pins }), { code: 'ERR_CLIENT_UNSUPPORTED' });
    }
  });
});

describe('the driver works as it did', () => {
  test('changeUser', async (t) => {
    await mariadb.execute("CREATE USER other@'%' IDENTIFIED BY 'other-password'; GRANT ALL ON users.* TO other@'%'");
    const connection = await open(t);
    await called((done) => connection.changeUser({ user: 'other', password: 'other-password' }, done));
    assert.equal((await query(connection, 'SELECT CURRENT_USER() AS user'))[0]?.user, 'other@%');
    await called((done) => connection.changeUser({ user, password, database }, done));
    assert.match(await cipherOf(connection), /^TLS_/);
    const error = await failureOf(called((done) => connection.changeUser({ user: 'other', password: 'no' }, done)));
    assert.equal(error.code, 'ER_ACCESS_DENIED_ERROR');
  });

  test('parameters, a ping, statistics, a transaction, several statements at once', async (t) => {
    const connection = await open(t, { ...login, multipleStatements: true });
    const [row] = await query(connection, 'SELECT ? + ? AS sum, ? AS word', [1, 2, 'pin']);
    assert.deepEqual({ ...row }, { sum: 3, word: 'pin' });
    await called((done) => connection.ping(done));
    await called((done) => connection.statistics(done as never));
    await called((done) => connection.beginTransaction(done));
    await called((done) => connection.rollback(done));
    const results = (await query(connection, 'SELECT 1 AS one; SELECT 2 AS two')) as unknown as Row[][];
    assert.deepEqual([results[0]?.[0]?.one, results[1]?.[0]?.two], [1, 2]);
  });

  test('parameters and results of megabytes, more than one packet long', async (t) => {
    const connection = await open(t);
    for (const length of [1_000_000, 17_000_000]) {
      const [row] = await query(connection, 'SELECT LENGTH(?) AS length', ['x'.repeat(length)]);
      assert.equal(row?.length, length);
    }
    const [row] = await query(connection, "SELECT REPEAT('x', 17000000) AS big");
    assert.equal(String(row?.big).length, 17_000_000);
  });

  test('a result is streamed, with pauses, and a connection that is paused reads no more of it', async (t) => {
    const connection = await open(t);
    const sql = 'SELECT seq, REPEAT("x", 1000) AS pad FROM seq_1_to_20000';
    let rows = 0;
    const stream = connection.query(sql).stream({ highWaterMark: 5 });
    stream.on('data', (row: Row) => {
      rows++;
      assert.equal(row.seq, rows);
      if (rows % 5_000 !== 0) return;
      stream.pause();
      setImmediate(() => stream.resume());
    });
    await once(stream, 'end');
    assert.equal(rows, 20_000);
    const { _socket: socket } = connection as unknown as { _socket: Socket };
    const reading = connection.query(sql) as unknown as EventEmitter;
    await once(reading, 'result');
    connection.pause();
    assert.equal(socket.isPaused(), true);
    connection.resume();
    await once(reading, 'end');
    assert.match(await cipherOf(connection), /^TLS_/);
  });

  test('a wrong password is the server’s own error', async () => {
    for (const [name, connect] of ways(mysql)) {
      const error = await failureOf(connect(pinnedMysql(mysql, { ...login, password: 'wrong' }, { pins })));
      assert.equal(error.code, 'ER_ACCESS_DENIED_ERROR', name);
    }
  });

  test('a server that is not there is Node’s own error', async () => {
    const server = await startScriptedServer(() => undefined);
    await server.close();
    for (const [name, connect] of ways(mysql)) {
      const error = await failureOf(connect(pinnedMysql(mysql, { ...login, port: server.port }, { pins })));
      assert.equal(error.code, 'ECONNREFUSED', name);
    }
  });

  test('a pool keeps to its limit, and uses its connections again', async () => {
    const pool = mysql.createPool(pinnedMysql(mysql, { ...login, connectionLimit: 3 }, { pins }));
    const ids = await Promise.all(
      Array.from({ length: 9 }, () => query(pool, 'SELECT CONNECTION_ID() AS id, SLEEP(0.05)')),
    );
    assert.equal(new Set(ids.map(([row]) => row?.id)).size, 3);
    await end(pool);
  });

  test('a pool verifies its second connection too', async (t) => {
    const relay = await startMysqlRelay({ certificate: right, upstream: mariadb });
    t.after(relay.close);
    const pool = mysql.createPool(pinnedMysql(mysql, { ...login, port: relay.port, connectionLimit: 2 }, { pins }));
    t.after(() => end(pool));
    const first = await called<mysql.PoolConnection>((done) => pool.getConnection(done as never));
    relay.present(impostor);
    assert.equal((await failureOf(query(pool, 'SELECT 1'))).code, 'ERR_PIN_MISMATCH');
    assert.equal(relay.received(), 0);
    assert.match(await cipherOf(first), /^TLS_/);
    first.release();
  });

  test('after the server has ended its connections, the pool makes new ones', async (t) => {
    const pool = mysql.createPool(pinnedMysql(mysql, { ...login, connectionLimit: 1 }, { pins }));
    t.after(() => end(pool));
    const connection = await called<mysql.PoolConnection>((done) => pool.getConnection(done as never));
    const [row] = await query(connection, 'SELECT CONNECTION_ID() AS id');
    const lost = ended(connection);
    connection.release();
    await mariadb.execute(`KILL ${row?.id}`);
    await lost;
    assert.match(await cipherOf(pool), /^TLS_/);
  });

  test('the certificate is rotated under a running pool', async (t) => {
    const next = await mint({ keyType: 'rsa' });
    const config = pinnedMysql(mysql, { ...login, connectionLimit: 2 }, { pins: [pins, certificateHex(next)] });
    const pool = mysql.createPool(config);
    t.after(() => end(pool));
    const held = await called<mysql.PoolConnection>((done) => pool.getConnection(done as never));
    await mariadb.present(next);
    t.after(() => mariadb.present(right));
    assert.match(await cipherOf(pool), /^TLS_/);
    assert.match(await cipherOf(held), /^TLS_/);
    held.release();
    assert.equal((await failureOf(open(t))).code, 'ERR_PIN_MISMATCH');
  });

  test('a pin that goes takes its connections with it, the idle one and the one in use', async (t) => {
    const live = livePins(pins);
    const pool = mysql.createPool(pinnedMysql(mysql, { ...login, connectionLimit: 2 }, { pins: live }));
    t.after(() => end(pool));
    const take = () => called<mysql.PoolConnection>((done) => pool.getConnection(done as never));
    const [idle, held] = await Promise.all([take(), take()]);
    idle.release();
    const ends = [ended(idle), ended(held)];
    const running = failureOf(query(held, 'SELECT SLEEP(5)'));
    live.set(certificateHex(impostor));
    assert.equal((await running).code, 'ERR_PIN_MISMATCH');
    await Promise.all(ends);
    assert.equal((await failureOf(query(pool, 'SELECT 1'))).code, 'ERR_PIN_MISMATCH');
    live.set(pins);
    assert.match(await cipherOf(pool), /^TLS_/);
  });

  test('an orderly end says goodbye, and a destroyed connection leaves nothing behind', async () => {
    const config = pinnedMysql(mysql, login, { pins });
    const connection = mysql.createConnection(config);
    await query(connection, 'SELECT 1');
    await called((done) => connection.end((error) => done(error ?? null)));
    const given = mysql.createConnection(config);
    given.connect(() => assert.fail('nobody waits for it'));
    const { _socket: socket } = given as unknown as { _socket: Socket };
    given.destroy();
    if (!socket.closed) await once(socket, 'close');
  });

  test('the client’s certificate, where the server demands one', async (t) => {
    const clientCa = await mint({ ca: true, subject: 'CN=Client CA' });
    const own = await mint({ subject: `CN=${user}`, issuer: clientCa });
    const demand = { requestCert: true, rejectUnauthorized: true, ca: clientCa.certPem };
    const relay = await startMysqlRelay({ certificate: right, upstream: mariadb, ...demand });
    t.after(relay.close);
    const ssl = { key: own.keyPem, cert: own.certPem };
    assert.match(await cipherOf(await open(t, { ...login, port: relay.port, ssl })), /^TLS_/);
    await failureOf(open(t, { ...login, port: relay.port }));
    await failureOf(open(t, { ...login, port: relay.port, ssl: { key: 'no key', cert: 'no certificate' } }));
  });

  test('maxVersion and servername are the caller’s', async (t) => {
    const relay = await startMysqlRelay({ certificate: right, upstream: mariadb });
    t.after(relay.close);
    const ssl = { maxVersion: 'TLSv1.2', servername: 'db.example' };
    const connection = await open(t, { ...login, port: relay.port, ssl });
    const { _socket: socket } = connection as unknown as { _socket: { getProtocol(): string } };
    assert.equal(socket.getProtocol(), 'TLSv1.2');
    assert.deepEqual(relay.servernames, ['db.example']);
  });

  test('properties that cannot be enumerated are kept, and the given configuration is left as it is', async (t) => {
    const hidden = Object.defineProperty({ host, port, user, database }, 'password', { value: password });
    assert.ok(!Object.keys(pinnedMysql(mysql, hidden, { pins })).includes('password'));
    assert.match(await cipherOf(await open(t, Object.freeze(hidden))), /^TLS_/);
  });
});

describe('a server that lies before TLS gets the SSLRequest at most', () => {
  const greeting = mysqlGreeting();
  const authSwitch = mysqlPacket(2, Buffer.from('\xfemysql_native_password\0aaaaaaaaaaaaaaaaaaaa\0', 'latin1'));
  const afterRequest = (bytes: Buffer) => (socket: Socket) => {
    socket.write(greeting);
    socket.once('data', () => socket.write(bytes));
  };
  const together = (...packets: Buffer[]) => {
    return (socket: Socket) => void socket.write(Buffer.concat(packets));
  };
  const scripts: [string, (socket: Socket) => void, string][] = [
    ['it offers no TLS', together(mysqlGreeting({ tls: false })), 'ERR_UPGRADE_REFUSED'],
    ['OK follows its greeting', together(greeting, mysqlOk(2)), 'ERR_UPGRADE_INJECTED'],
    ['an AuthSwitchRequest follows its greeting', together(greeting, authSwitch), 'ERR_UPGRADE_INJECTED'],
    ['it greets twice', together(greeting, mysqlGreeting({ tls: false })), 'ERR_UPGRADE_INJECTED'],
    ['half a header follows its greeting', together(greeting, Buffer.of(7, 0)), 'ERR_UPGRADE_INJECTED'],
    ['it speaks HTTP', (socket) => void socket.write('HTTP/1.1 400\r\n\r\n'), 'ERR_UPGRADE_UNEXPECTED'],
    ['it greets without end', together(Buffer.from('ffffff000a', 'hex')), 'ERR_UPGRADE_UNEXPECTED'],
    ['its version has no end', together(mysqlPacket(0, Buffer.alloc(60, 10))), 'ERR_UPGRADE_UNEXPECTED'],
    ['it begins with OK', together(mysqlOk(0)), 'ERR_UPGRADE_UNEXPECTED'],
    ['it hangs up', (socket) => void socket.end(), 'ERR_CONNECTION_CLOSED'],
    ['it hangs up in its greeting', (socket) => void socket.end(greeting.subarray(0, 20)), 'ERR_CONNECTION_CLOSED'],
    ['it says nothing', () => undefined, 'ERR_CONNECT_TIMEOUT'],
    ['it greets and says nothing more', together(greeting), 'ERR_CONNECT_TIMEOUT'],
    ['it answers the SSLRequest with OK', afterRequest(mysqlOk(2)), 'ERR_SSL_'],
    ['it answers the SSLRequest with an AuthSwitchRequest', afterRequest(authSwitch), 'ERR_SSL_'],
    ['it answers the SSLRequest with an error', afterRequest(mysqlError(1045, 'denied')), 'ERR_SSL_'],
    ['it answers the SSLRequest with a hang-up', (socket) => afterHangUp(socket), 'ECONNRESET'],
  ];
  const afterHangUp = (socket: Socket): void => {
    socket.write(greeting);
    socket.once('data', () => socket.end());
  };
  for (const [name, script, code] of scripts) {
    for (const [way, connect] of ways(mysql)) {
      test(`${name} (${way})`, async (t) => {
        const server = await startScriptedServer(script);
        t.after(server.close);
        const config = { ...login, host: server.host, port: server.port };
        const connectTimeoutMs = code === 'ERR_CONNECT_TIMEOUT' ? 200 : 10_000;
        const error = await failureOf(connect(pinnedMysql(mysql, config, { pins, connectTimeoutMs })));
        assert.ok(error.code?.startsWith(code), `${error.code}: ${error.message}`);
        assert.equal(error.fatal, true);
        assertSilent(server.received());
      });
    }
  }

  /** Nothing but SSLRequest and a ClientHello. */
  function assertSilent(sent: Buffer): void {
    if (sent.length > 0) assert.equal(sent.subarray(0, 4).toString('hex'), '20000001');
    if (sent.length > 36) assert.deepEqual([...sent.subarray(36, 38), sent[41]], [0x16, 0x03, 0x01]);
    assert.ok(!sent.includes(user) && !sent.includes(password) && !sent.includes('SHOW'));
  }

  for (const [when, inject] of Object.entries({
    'with the greeting': (socket: Socket, greets: Buffer) => socket.write(Buffer.concat([greets, mysqlOk(2)])),
    'after the SSLRequest': (socket: Socket, greets: Buffer) => {
      socket.write(greets);
      socket.prependOnceListener('data', () => socket.write(mysqlOk(2)));
    },
  })) {
    test(`bytes injected ${when} of the genuine server end the attempt before its login`, async (t) => {
      const server = await startScriptedServer((socket) => {
        const genuine = connectTcp(mariadb.port, mariadb.host);
        genuine.once('data', (greets: Buffer) => {
          inject(socket, greets);
          socket.pipe(genuine).pipe(socket);
        });
        genuine.on('error', () => socket.destroy()).on('close', () => socket.destroy());
        socket.on('close', () => genuine.destroy());
      });
      t.after(server.close);
      const error = await failureOf(open(t, { ...login, host: server.host, port: server.port }));
      assert.match(error.code, /^ERR_UPGRADE_INJECTED$|^ERR_SSL_/);
      assertSilent(server.received());
    });
  }

  test('a connection that is paused takes no bytes between greeting and TLS either', async (t) => {
    let report = (): void => undefined;
    const sent = new Promise<void>((resolve) => {
      report = resolve;
    });
    const server = await startScriptedServer((socket) => {
      socket.setNoDelay(true);
      socket.write(greeting, () => socket.write(mysqlOk(2), report));
    });
    t.after(server.close);
    const config = pinnedMysql(mysql, { ...login, host: server.host, port: server.port }, { pins });
    const connection = mysql.createConnection(config);
    const refused = failureOf(called((done) => connection.connect(done)));
    connection.pause();
    await sent;
    connection.resume();
    assert.match((await refused).code, /^ERR_UPGRADE_INJECTED$|^ERR_SSL_/);
    assertSilent(server.received());
  });

  test('what the driver says before the verdict is not sent, whatever makes it speak', async (t) => {
    for (const script of [() => undefined, together(greeting)]) {
      const server = await startScriptedServer(script);
      t.after(server.close);
      const config = pinnedMysql(mysql, { ...login, host: server.host, port: server.port }, { pins });
      const connection = mysql.createConnection(config);
      const refused = failureOf(called((done) => connection.connect(done)));
      const driver = connection as unknown as { _socket: Socket; _protocol: EventEmitter };
      await once(driver._socket, script.length > 0 ? 'data' : 'connect');
      driver._protocol.emit('data', mysqlPacket(0, Buffer.from(`\x03SHOW ${password}`)));
      assert.equal((await refused).code, 'ERR_CLIENT_UNSUPPORTED');
      assertSilent(server.received());
    }
  });

  test('the driver’s own limits of time hold too, and leave no socket behind', async (t) => {
    for (const script of [() => undefined, together(greeting)]) {
      const server = await startScriptedServer(script);
      t.after(server.close);
      const target = { ...login, host: server.host, port: server.port, acquireTimeout: 100 };
      const config = pinnedMysql(mysql, target, { pins });
      const pool = mysql.createPool(config);
      t.after(() => end(pool));
      const connection = mysql.createConnection(config);
      const attempts = [query(pool, 'SHOW TABLES'), called((done) => connection.connect({ timeout: 100 }, done))];
      for (const error of await Promise.all(attempts.map(failureOf)))
        assert.equal(error.code as string, 'PROTOCOL_SEQUENCE_TIMEOUT');
      assert.equal((connection as unknown as { _socket: Socket })._socket.destroyed, true);
      assertSilent(server.received());
    }
  });

  test('a server that turns the client away is heard, and its words are said to be its own', async (t) => {
    const server = await startScriptedServer(
      (socket) => void socket.write(mysqlError(1040, '\x1b[2J\nToo many connections')),
    );
    t.after(server.close);
    for (const [name, connect] of ways(mysql)) {
      const config = pinnedMysql(mysql, { ...login, host: server.host, port: server.port }, { pins });
      const error = await failureOf(connect(config));
      assert.equal(error.code, 'ER_CON_COUNT_ERROR', name);
      assert.match(error.message, /an unverified server says, before TLS: \?\[2J\?Too many connections/);
    }
    assert.equal(server.received().length, 0);
  });

  test('what the caller throws when it hears of that is the caller’s', async (t) => {
    const server = await startScriptedServer((socket) => void socket.write(mysqlError(1040, 'Too many connections')));
    t.after(server.close);
    const config = pinnedMysql(mysql, { ...login, host: server.host, port: server.port }, { pins });
    const script = new Error('thrown by the caller');
    const heard = new Promise((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
    t.after(() => process.setUncaughtExceptionCaptureCallback(null));
    mysql.createConnection(config).connect(() => {
      throw script;
    });
    assert.equal(await heard, script);
  });

  test('a real server without TLS', async (t) => {
    const plain = await startMariadb({ certificate: undefined });
    t.after(plain.stop);
    const config = { ...login, port: plain.port, password: plain.password };
    assert.equal((await failureOf(open(t, config))).code, 'ERR_UPGRADE_REFUSED');
  });

  for (const [what, first] of Object.entries({ greeting, error: mysqlError(1040, '#08004Too many connections') })) {
    test(`a hostile ${what} brings no process down`, async (t) => {
      let at = 0;
      const server = await startScriptedServer((socket) => {
        const flipped = Buffer.from(first);
        flipped[at] = (flipped[at] ?? 0) ^ 0xff;
        socket.end(flipped);
      });
      t.after(server.close);
      const target = { ...login, host: server.host, port: server.port };
      const config = pinnedMysql(mysql, target, { pins, connectTimeoutMs: 500 });
      for (at = 0; at < first.length; at++) {
        const error = await failureOf(ways(mysql)[1]?.[1](config) as Promise<string>);
        assert.equal(typeof error.message, 'string');
      }
      assertSilent(server.received().subarray(0, 36));
      assert.ok(!server.received().includes(user) && !server.received().includes('SHOW'));
    });
  }
});

describe('a configuration that would take the pin away is refused when it is made', () => {
  const refused: [string, object | string, string][] = [
    ...refusedSsl.map(([what, ssl, option]): [string, object, string] => [what, { ...login, ssl }, option]),
    ['a configuration that is pinned already', pinnedMysql(mysql, login, { pins }), 'socketPath'],
    ['a unix socket', { ...login, socketPath: '/run/mysqld/mysqld.sock' }, 'socketPath'],
    ['ssl in a URL', `${url}?ssl=false`, 'url ssl'],
    ['a profile in a URL', `${url}?compress=true&ssl=Amazon+RDS`, 'url ssl'],
    ['ssl in a URL, spelt otherwise', `${url}?s%73l={"ca":"x"}`, 'url ssl'],
    ['ssl-mode in a URL', `${url}?ssl-mode=DISABLED`, 'url ssl-mode'],
    ['socketPath in a URL', `${url}?socketPath=/x`, 'url socketPath'],
    ['a charset that is none, in a URL', `${url}?charset=${password}`, 'url'],
    ['a URL with a password that was not encoded', `mysql://login:${password}?ssl=${password}@${host}/`, 'url ssl'],
    ['no configuration', null as never, 'config'],
  ];
  for (const [what, config, option] of refused) {
    test(what, () => assertRefused(() => pinnedMysql(mysql, config as object, { pins }), option, password));
  }

  test('a bad pin, an unknown policy', () => {
    assert.throws(() => pinnedMysql(mysql, login, { pins: 'ab' }), { code: 'ERR_PIN_INVALID' });
    assert.throws(() => pinnedMysql(mysql, login, { pins, pin: 'x' } as never), { code: 'ERR_OPTION_INVALID' });
  });
});

describe('copies of the configuration', () => {
  const complete: Record<string, (config: Copied) => object> = {
    'as it is': (config) => config,
    'a spread': (config) => ({ ...config, connectionLimit: 1 }),
    'a copy of every level': (config) => ({ ...config, ssl: { ...config.ssl } }),
    'a selection that holds ssl': ({ ssl, ...config }) => ({ ...select(config), ssl }),
  };
  const select = (config: Row): Row => ({
    ...{ host: config.host, port: config.port, user: config.user, password: config.password },
  });
  const poor: Record<string, (config: Copied) => object> = {
    'a copy through JSON': (config) => JSON.parse(JSON.stringify(config)),
    'a structured clone': (config) => structuredClone({ ...config, ssl: { ...config.ssl } }),
    'a copy that lost ssl': ({ ssl: _, ...config }) => config,
    'a copy through JSON that lost its socketPath': ({ socketPath: _, ...config }) =>
      JSON.parse(JSON.stringify(config)),
    'a selection that holds a JSON copy of ssl': ({ ssl, ...config }) => ({
      ...select(config),
      ssl: JSON.parse(JSON.stringify(ssl)),
    }),
  };
  const pinned = (config: object): Copied => pinnedMysql(mysql, config, { pins }) as object as Copied;

  const ofMysql2 = (driver: typeof mysql2): [string, (config: object) => Promise<unknown>][] => [
    ['createConnection', (config) => driver.createConnection(config)],
    [
      'createPool',
      (config) => {
        const pool = driver.createPool(config);
        return pool.query('SELECT 1').finally(() => pool.end());
      },
    ],
  ];
  const unhooked = {
    'another mysql': ways(anotherMysql()),
    'mysql 2.17': ways(anotherMysql('mysql-2.17')),
    mysql2: ofMysql2(mysql2),
    'mysql2 3.0': ofMysql2(mysql230 as unknown as typeof mysql2),
  };

  for (const [copy, make] of Object.entries(complete)) {
    test(`${copy}, in the hooked driver: pinned`, async (t) => {
      const relay = await startMysqlRelay({ certificate: impostor, upstream: mariadb });
      t.after(relay.close);
      for (const [name, connect] of ways(mysql)) {
        assert.match(await connect(make(pinned(login))), /^TLS_/, name);
        const wrong = make(pinned({ ...login, port: relay.port }));
        assert.equal((await failureOf(connect(wrong))).code, 'ERR_PIN_MISMATCH', name);
      }
      assert.equal(relay.received(), 0);
    });
  }

  for (const [copy, make] of Object.entries({ ...complete, ...poor })) {
    for (const [driver, connects] of Object.entries({ ...unhooked, ...(copy in poor ? { mysql: ways(mysql) } : {}) })) {
      test(`${copy}, in ${driver}, not hooked: no login, and an ordinary error`, async (t) => {
        // Not even to the right one: its certificate was not compared.
        const relay = await startMysqlRelay({ certificate: right, upstream: mariadb });
        t.after(relay.close);
        for (const [name, connect] of connects) {
          const error: NodeJS.ErrnoException = await failureOf(connect(make(pinned({ ...login, port: relay.port }))));
          assert.match(String(error.code), /^(ENOTDIR|ENOENT|EACCES|HANDSHAKE_SSL_ERROR)$/, `${name}: ${error.stack}`);
          if (error.code !== 'HANDSHAKE_SSL_ERROR') assert.match(error.message, /use the copy of mysql that/);
        }
        assert.equal(relay.received(), 0);
      });
    }
  }

  test('a copy without its pin trusts no CA, not even those that the process trusts', async (t) => {
    const ca = await mint({ ca: true, subject: 'CN=Trusted CA' });
    const relay = await startMysqlRelay({ certificate: await mint({ issuer: ca }), upstream: mariadb });
    t.after(relay.close);
    const trusted = join(tmpdir(), `certpin-trusted-${process.pid}.pem`);
    writeFileSync(trusted, ca.certPem);
    t.after(() => rmSync(trusted));
    const { ssl } = pinnedMysql(mysql, login, { pins });
    const loginWith = async (options: object): Promise<string> => {
      const config = JSON.stringify({ ...login, port: relay.port, ssl: options });
      const script = `const connection = require(${JSON.stringify(require.resolve('mysql'))}).createConnection(${config});
        connection.connect((error) => { console.log(error ? error.code : 'logged in'); connection.destroy(); });`;
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: trusted };
      return (await promisify(execFile)(process.execPath, ['-e', script], { env })).stdout.trim();
    };
    assert.equal(await loginWith({}), 'logged in');
    const received = relay.received();
    assert.equal(await loginWith(ssl), 'HANDSHAKE_SSL_ERROR');
    assert.equal(relay.received(), received);
  });
});
