import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { certificateHex, failureOf, mint, startScriptedServer, startTap } from '@certpin/testkit';
import { type Postgres, type RelayedConnection, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import postgres from 'postgres';
import { pinnedPostgres } from '../../src/adapters/postgres.ts';
import { CertpinError } from '../../src/index.ts';
import type { GuardOptions } from '../../src/tls/index.ts';

const right = await mint({ keyType: 'rsa' });
const impostor = await mint();
const clientCa = await mint({ ca: true, subject: 'CN=Client CA' });
const pins = certificateHex(right);
const server: Postgres = await startPostgres({ certificate: right, clientCa });
after(() => server.stop());
const { user, password, database, port } = server;
const login = { host: 'localhost', port, user, password, database };
const url = `postgres://${user}:${password}@localhost:${port}/${database}`;

/** A client that ends with the test. */
function open(t: TestContext, options: object | string = login, policy: GuardOptions = { pins }): postgres.Sql {
  const sql = postgres({ ...pinnedPostgres(options as object, policy), onnotice: () => undefined } as object);
  t.after(() => sql.end({ timeout: 1 }));
  return sql;
}

async function isEncrypted(sql: postgres.Sql): Promise<boolean> {
  const [row] = await sql`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
  return row?.ssl;
}

function signal(): { give: () => void; given: Promise<void> } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { give, given };
}

function withEnvironment(t: TestContext, values: Record<string, string>): void {
  Object.assign(process.env, values);
  t.after(() => {
    for (const name of Object.keys(values)) delete process.env[name];
  });
}

describe('the driver works as it did', () => {
  test('the pinned server is reached, encrypted', async (t) => {
    assert.equal(await isEncrypted(open(t)), true);
  });

  test('a URL says where', async (t) => {
    const sql = open(t, `${url}?application_name=login&max=2&prepare=false`);
    assert.equal(await isEncrypted(sql), true);
    const [row] = await sql`SELECT current_setting('application_name') AS name`;
    assert.equal(row?.name, 'login');
    assert.equal(sql.options.max, '2');
    assert.equal(sql.options.prepare, false);
  });

  test('a URL whose user is called like its host', async (t) => {
    const admin = open(t);
    await admin`CREATE ROLE localhost LOGIN PASSWORD 'localhost'`;
    const sql = open(t, `postgres://localhost:localhost@localhost:${port}/${database}`);
    const [row] = await sql`SELECT current_user AS name`;
    assert.equal(row?.name, 'localhost');
  });

  test('a URL may hold odd passwords and several hosts', async (t) => {
    const odd = "a?b&ssl mode=#%@:/'";
    const admin = open(t);
    await admin.unsafe(`CREATE ROLE odd LOGIN PASSWORD '${odd.replace("'", "''")}'`);
    const text = `postgresql://odd:${encodeURIComponent(odd)}@127.0.0.1:1,localhost:${port}/${database}`;
    assert.equal(await isEncrypted(open(t, text)), true);
  });

  test('five connections at once', async (t) => {
    const sql = open(t, { ...login, max: 5 });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => sql`SELECT pg_backend_pid() AS pid, pg_sleep(0.1)`),
    );
    assert.equal(new Set(answers.map(([row]) => row?.pid)).size, 5);
  });

  test('a wrong password is the server’s own error', async (t) => {
    const error = await failureOf(open(t, { ...login, password: 'wrong' })`SELECT 1`);
    assert.equal(error.code, '28P01');
  });

  test('parameters and results of megabytes pass', async (t) => {
    const big = 'x'.repeat(5_000_000);
    const [row] = await open(t)`SELECT ${big}::text AS big, length(${big}) AS length`;
    assert.equal(row?.length, big.length);
    assert.equal(row?.big, big);
  });

  test('transactions, cursors, LISTEN and NOTIFY', async (t) => {
    const sql = open(t);
    await sql.begin(async (transaction) => {
      await transaction`CREATE TEMP TABLE rotated (id int)`;
      await transaction`INSERT INTO rotated VALUES (1), (2)`;
    });
    let rows = 0;
    for await (const batch of sql`SELECT generate_series(1, 1000) AS n`.cursor(100)) rows += batch.length;
    assert.equal(rows, 1000);
    const heard = new Promise(
      (resolve) => void sql.listen('rotation', resolve, () => void sql.notify('rotation', 'now')),
    );
    assert.equal(await heard, 'now');
  });

  test('a cancel request goes over a pinned connection of its own', async (t) => {
    const tap = await startTap(server);
    t.after(tap.close);
    const sql = open(t, { ...login, port: tap.port, max: 1, fetch_types: false });
    const query = sql`SELECT pg_sleep(30)`.execute();
    const watcher = open(t);
    while (
      (await watcher`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%' AND state = 'active'`)
        .length === 0
    );
    query.cancel();
    assert.equal((await failureOf(query)).code, '57014');
    // CancelRequest carries the secret key of the session: its code must not be readable on the wire.
    assert.equal(tap.received().includes(Buffer.from('04d2162e', 'hex')), false);
    assert.equal(
      tap.received().toString('hex').split('0000000804d2162f').length - 1,
      2,
      'two connections, both upgraded',
    );
  });

  test('a connection that the server ends is made anew', async (t) => {
    const lost = signal();
    const sql = open(t, { ...login, max: 1, onclose: lost.give });
    const [row] = await sql`SELECT pg_backend_pid() AS pid`;
    await open(t)`SELECT pg_terminate_backend(${row?.pid})`;
    await lost.given;
    assert.equal(await isEncrypted(sql), true);
  });

  test('the certificate is rotated under a running client', async (t) => {
    const next = await mint({ keyType: 'rsa' });
    const lost = signal();
    const sql = open(t, { ...login, max: 1, onclose: lost.give }, { pins: [pins, certificateHex(next)] });
    const [row] = await sql`SELECT pg_backend_pid() AS pid`;
    await server.present(next);
    t.after(() => server.present(right));
    await open(t, login, { pins: certificateHex(next) })`SELECT pg_terminate_backend(${row?.pid})`;
    await lost.given;
    assert.equal(await isEncrypted(sql), true);
    assert.equal((await failureOf(open(t)`SELECT 1`)).code, 'ERR_PIN_MISMATCH');
  });

  test('mutual TLS: the key and the certificate stand in `ssl`', async (t) => {
    const own = await mint({ subject: `CN=${user}`, issuer: clientCa });
    const options = { ...login, database: 'mtls' };
    assert.equal(await isEncrypted(open(t, { ...options, ssl: { key: own.keyPem, cert: own.certPem } })), true);
    assert.match((await failureOf(open(t, options)`SELECT 1`)).message, /client certificate/);
  });

  test('a client that is ended while it connects leaves no session behind', async (t) => {
    const sql = postgres({ ...pinnedPostgres(login, { pins }), connection: { application_name: 'abandoned' } });
    const query = sql`SELECT 1`.catch((error) => error.code);
    await sql.end({ timeout: 0 });
    assert.equal(await query, 'CONNECTION_DESTROYED');
    const watcher = open(t);
    for (let rows = 1; rows > 0; ) {
      rows = (await watcher`SELECT 1 FROM pg_stat_activity WHERE application_name = 'abandoned'`).length;
    }
  });

  test('sslnegotiation=direct begins with TLS', async (t) => {
    const tap = await startTap(server);
    t.after(tap.close);
    for (const options of [
      { ...login, port: tap.port, sslnegotiation: 'direct' },
      `${url.replace(`:${port}`, `:${tap.port}`)}?sslnegotiation=direct`,
    ]) {
      assert.equal(await isEncrypted(open(t, options)), true);
    }
    assert.equal(tap.received()[0], 0x16);
    assert.equal(tap.received().includes(Buffer.from('0000000804d2162f', 'hex')), false);
  });
});

describe('a connection that ends while the driver asks for the array types', () => {
  /** ErrorResponse of a server that is shut down (57P01), and of one that refuses the question (42501). */
  const says = (severity: string, code: string): Buffer => {
    const fields = Buffer.from(`S${severity}\0V${severity}\0C${code}\0Msaid by the server\0\0`);
    const header = Buffer.from('E\0\0\0\0');
    header.writeUInt32BE(fields.length + 4, 1);
    return Buffer.concat([header, fields]);
  };
  const ways: [string, (connection: RelayedConnection) => unknown, RegExp][] = [
    ['it is reset', ({ tcp }) => tcp.resetAndDestroy(), /^(ECONNRESET|CONNECTION_CLOSED)$/],
    ['it is closed', ({ tls }) => tls.end(), /^CONNECTION_CLOSED$/],
    ['it is cut off', ({ tcp }) => tcp.destroy(), /^(ECONNRESET|CONNECTION_CLOSED)$/],
    ['garbage comes in place of TLS', ({ tcp }) => tcp.end('\x17\x03\x03\0\x05hello'), /^(ERR_SSL_|EPROTO|ECONNRESET)/],
    [
      'it is reset in the middle of a message',
      ({ tls, tcp }) => tls.write(Buffer.from('T\0\0\x01'), () => setImmediate(() => tcp.resetAndDestroy())),
      /^(ECONNRESET|CONNECTION_CLOSED)$/,
    ],
    ['the server is shut down', ({ tls }) => tls.end(says('FATAL', '57P01')), /^57P01$/],
    ['the server refuses the question', ({ tls }) => tls.write(says('ERROR', '42501')), /^42501$/],
  ];
  for (const [how, end, code] of ways) {
    test(`${how}: the query fails, the process does not, and the next query is answered`, async (t) => {
      const events: unknown[] = [];
      const record = (error: unknown): void => void events.push(error);
      process.on('unhandledRejection', record).on('uncaughtException', record);
      t.after(() => process.off('unhandledRejection', record).off('uncaughtException', record));
      let attacks = 2;
      const relay = await startPostgresRelay({
        certificate: right,
        upstream: server,
        intercept: (said, connection) => {
          if (!said.includes('b.typarray') || attacks-- <= 0) return false;
          end(connection);
          return true;
        },
      });
      t.after(relay.close);
      const sql = open(t, { ...login, port: relay.port, max: 1 });
      for (let attempt = 0; attempt < 2; attempt++) {
        assert.match((await failureOf(sql`SELECT 1 AS one`)).code, code);
      }
      assert.deepEqual([...(await sql`SELECT ARRAY[1, 2] AS list`)], [{ list: [1, 2] }], 'the types are known then');
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(events, []);
    });
  }

  test('a failure of a query that the application makes is not taken for that', async (t) => {
    const relay = await startPostgresRelay({
      certificate: right,
      upstream: server,
      intercept: (said, { tcp }) => {
        if (!said.includes('attacked')) return false;
        tcp.resetAndDestroy();
        return true;
      },
    });
    t.after(relay.close);
    for (const fetch_types of [true, false]) {
      const sql = open(t, { ...login, port: relay.port, max: 1, fetch_types });
      assert.match((await failureOf(sql`SELECT 'attacked' AS word`)).code, /^(ECONNRESET|CONNECTION_CLOSED)$/);
      assert.match((await failureOf(sql`SELECT 'attacked' AS word`)).code, /^(ECONNRESET|CONNECTION_CLOSED)$/);
    }
  });
});

describe('another server gets nothing', () => {
  for (const [how, options] of Object.entries({
    options: (to: number) => ({ ...login, port: to }),
    'a URL': (to: number) => url.replace(`:${port}`, `:${to}`),
    'a list of hosts': (to: number) => ({ ...login, host: ['localhost', '127.0.0.1'], port: [to, to] }),
    'an option that the driver prefers': (to: number) => ({
      ...login,
      hostname: 'localhost',
      host: 'db.invalid',
      port: to,
    }),
  })) {
    test(`and the error is ours, given ${how}`, async (t) => {
      const relay = await startPostgresRelay({ certificate: impostor, upstream: server });
      t.after(relay.close);
      const error = await failureOf(open(t, options(relay.port))`SELECT 1`);
      assert.ok(error instanceof CertpinError);
      assert.equal(error.code, 'ERR_PIN_MISMATCH');
      assert.match(error.message, new RegExp(`^pin mismatch for localhost:${relay.port}`));
      assert.equal(relay.received(), 0);
      assert.ok(!`${error.message}${JSON.stringify(error)}${error.stack}`.includes(password));
    });
  }

  test('nor when the environment would have TLS another way', async (t) => {
    withEnvironment(t, { PGSSLMODE: 'disable', PGSSL: 'disable', PGSSLNEGOTIATION: '', PGSOCKET: 'x' });
    const relay = await startPostgresRelay({ certificate: impostor, upstream: server });
    t.after(relay.close);
    assert.equal((await failureOf(open(t, { ...login, port: relay.port })`SELECT 1`)).code, 'ERR_PIN_MISMATCH');
    assert.equal(relay.received(), 0);
    assert.equal(await isEncrypted(open(t)), true);
  });

  test('the environment may say where', async (t) => {
    withEnvironment(t, { PGHOST: 'localhost', PGPORT: String(port) });
    assert.equal(await isEncrypted(open(t, { user, password, database })), true);
  });

  test('and the next host is asked, with the same pins', async (t) => {
    const relay = await startPostgresRelay({ certificate: impostor, upstream: server });
    t.after(relay.close);
    const silent = await startScriptedServer(() => undefined);
    t.after(silent.close);
    const hosts = { ...login, host: `127.0.0.1:${relay.port},127.0.0.1:${silent.port},127.0.0.1:1,localhost:${port}` };
    assert.equal(await isEncrypted(open(t, hosts, { pins, connectTimeoutMs: 2_000 })), true);
    assert.equal(relay.received(), 0);
  });
});

test('sslnegotiation=direct: a server with the right certificate, but for another protocol, gets nothing', async (t) => {
  for (const upstream of [{}, { ALPNProtocols: ['h2', 'http/1.1'] }]) {
    const relay = await startPostgresRelay({ certificate: right, upstream: server, ...upstream });
    t.after(relay.close);
    for (const host of ['localhost', `localhost:${relay.port},127.0.0.1:${relay.port}`]) {
      const sql = open(t, { ...login, host, port: relay.port, sslnegotiation: 'direct' });
      const error = await failureOf(sql`SELECT 1`);
      assert.match(
        error.code,
        'ALPNProtocols' in upstream ? /^(ERR_UPGRADE_UNEXPECTED|ERR_SSL_|ECONNRESET)/ : /^ERR_UPGRADE_UNEXPECTED$/,
      );
    }
    assert.equal(relay.received(), 0);
  }
});

describe('a server that lies before TLS gets the upgrade request and nothing else', () => {
  for (const [name, answer, code] of [
    ['it refuses TLS', 'N', 'ERR_UPGRADE_REFUSED'],
    ['it answers with an error', 'E\0\0\0\x10Mpassword?', 'ERR_UPGRADE_UNEXPECTED'],
    ['bytes are injected behind its consent', 'SR\0\0\0\x08\0\0\0\0', 'ERR_UPGRADE_INJECTED'],
    ['it says nothing', '', 'ERR_CONNECT_TIMEOUT'],
  ] as const) {
    test(name, async (t) => {
      const liar = await startScriptedServer((socket) => {
        socket.once('data', () => socket.write(answer));
      });
      t.after(liar.close);
      // Whoever answers has time for it.
      const connectTimeoutMs = code === 'ERR_CONNECT_TIMEOUT' ? 1_000 : 20_000;
      const sql = open(t, { ...login, host: liar.host, port: liar.port }, { pins, connectTimeoutMs });
      assert.equal((await failureOf(sql`SELECT 1`)).code, code);
      assert.equal(liar.received().toString('hex'), '0000000804d2162f');
    });
  }
});

describe('options that would weaken or duplicate the TLS are refused at once', () => {
  for (const parameters of [
    'sslmode=disable',
    'sslmode=prefer',
    'ssl=false',
    'ssl=require',
    'sslrootcert=system',
    'SSLMODE=disable',
    '%73slmode=disable',
    'max=1&sslmode=allow',
  ]) {
    test(`a URL with ${parameters}`, () => {
      assert.throws(
        () => pinnedPostgres(`${url}?${parameters}`, { pins }),
        (error: CertpinError) => {
          assert.equal(error.code, 'ERR_OPTION_INVALID');
          assert.match(error.message, /from the URL/);
          assert.ok(!error.message.includes(password));
          return true;
        },
      );
    });
  }

  const cases: [string, object | string, RegExp][] = [
    ['ssl: false', { ssl: false }, /there is always TLS/],
    ["ssl: 'require'", { ssl: 'require' }, /must be an object/],
    ["ssl: 'prefer'", { ssl: 'prefer' }, /must be an object/],
    ['rejectUnauthorized: false', { ssl: { rejectUnauthorized: false } }, /the pin decides/],
    ['an unknown TLS option', { ssl: { certt: 'x' } }, /did you mean `cert`\?/],
    ['a socket', { socket: () => undefined }, /makes the socket itself/],
    ['a path', { path: '/run/postgresql/.s.PGSQL.5432' }, /a unix socket has no TLS/],
    ['a host that is a path', { host: '/run/postgresql' }, /a unix socket has no TLS/],
    ['a URL of a unix socket', 'postgres://%2Frun%2Fpostgresql/app', /a unix socket has no TLS/],
    ['a URL that cannot be read', 'postgres://app:hunter2%@db:5432/app', /cannot be read/],
    ['another scheme', 'mysql://app:hunter2@db/app', /must begin with postgres/],
    ['a port that is none', { port: 'hunter2' }, /a port is not a number/],
    ['several hosts and a session attribute', { host: 'a,b', target_session_attrs: 'primary' }, /needs one host/],
    ['an unknown negotiation', { sslnegotiation: 'maybe' }, /'postgres' or 'direct'/],
  ];
  for (const [name, options, message] of cases) {
    test(name, () => {
      assert.throws(
        () => pinnedPostgres(options as object, { pins }),
        (error: CertpinError) => {
          assert.equal(error.code, 'ERR_OPTION_INVALID');
          assert.match(error.message, message);
          assert.ok(!`${error.message}${error.stack}`.includes('hunter2'));
          return true;
        },
      );
    });
  }

  test('no pin', () => {
    assert.throws(() => pinnedPostgres(login, {} as never), { code: 'ERR_OPTION_INVALID' });
  });

  test('JSON makes no plaintext login of it', () => {
    const copy = JSON.parse(JSON.stringify(pinnedPostgres(login, { pins })));
    assert.equal(copy.ssl, true);
    assert.equal('password' in copy, false);
  });

  test('beside a URL the pinned options win, whatever its parameters say', async (t) => {
    const relay = await startPostgresRelay({ certificate: impostor, upstream: server });
    t.after(relay.close);
    const parameters =
      'socket=&path=&ssl=disable&sslmode=disable&host=elsewhere&hostname=elsewhere&sslnegotiation=direct';
    const text = `postgres://${user}:${password}@127.0.0.1:${relay.port}/${database}?${parameters}`;
    const sql = postgres(text, pinnedPostgres({ ...login, port: relay.port }, { pins }) as object);
    t.after(() => sql.end({ timeout: 1 }));
    assert.equal((await failureOf(sql`SELECT 1`)).code, 'ERR_PIN_MISMATCH');
    assert.equal(relay.received(), 0);
  });

  test('a lost connection is named by its server', async (t) => {
    const lost = signal();
    const sql = open(t, { ...login, max: 1, onclose: lost.give });
    const [row] = await sql`SELECT pg_backend_pid() AS pid`;
    const waiting = failureOf(sql`SELECT pg_sleep(30)`);
    await open(t)`SELECT pg_terminate_backend(${row?.pid})`;
    assert.doesNotMatch((await waiting).message, /certpin/);
    await lost.given;
    assert.deepEqual([sql.options.host, sql.options.port, sql.options.path], [['localhost'], [port], false]);
  });
});
