import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { after, describe, type TestContext, test } from 'node:test';
import { certificateHex, failureOf, mint, startScriptedServer, startTap } from '@certpin/testkit';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import pg from 'pg';
import pg88 from 'pg-8.8';
import pg89 from 'pg-8.9';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import { pinnedPg } from '../../src/adapters/pg.ts';
import { CertpinError, type PolicyOptions } from '../../src/index.ts';

const right = await mint({ keyType: 'rsa' });
const impostor = await mint();
const clientCa = await mint({ ca: true, subject: 'CN=Client CA' });
const pins = certificateHex(right);
const postgres: Postgres = await startPostgres({ certificate: right, clientCa });
after(() => postgres.stop());
const { user, password, database, port } = postgres;
const login = { host: 'localhost', port, user, password, database };
const url = `postgres://${user}:${password}@localhost:${port}/${database}`;

/** A connected client that ends with the test. */
async function open(t: TestContext, config: object = login, policy: PolicyOptions = { pins }): Promise<pg.Client> {
  const client = new pg.Client(pinnedPg(config, policy));
  client.on('error', () => undefined);
  t.after(() => client.end());
  await client.connect();
  return client;
}

/** Whether the server sees this connection as encrypted. */
async function isEncrypted(client: Pick<pg.Client, 'query'>): Promise<boolean> {
  const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
  return rows[0].ssl;
}

for (const [version, driver] of Object.entries({ 'pg 8.23': pg, 'pg 8.9': pg89 as typeof pg })) {
  describe(version, () => {
    test('a client reaches the pinned server, encrypted', async () => {
      const client = new driver.Client(pinnedPg(login, { pins }));
      await client.connect();
      assert.equal(await isEncrypted(client), true);
      await client.end();
    });

    test('a pool opens five connections at once', async () => {
      const pool = new driver.Pool(pinnedPg({ ...login, max: 5 }, { pins }));
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => pool.query('SELECT pg_backend_pid() AS pid, pg_sleep(0.1)')),
      );
      assert.equal(new Set(answers.map(({ rows }) => rows[0].pid)).size, 5);
      await pool.end();
    });

    for (const [how, connect] of Object.entries({
      'client, promise': (config: object) => new driver.Client(config).connect(),
      'client, callback': (config: object) =>
        new Promise<void>((resolve, reject) => {
          new driver.Client(config).connect((error: Error | undefined) => (error ? reject(error) : resolve()));
        }),
      'pool, promise': (config: object) => new driver.Pool(config).query('SELECT 1'),
      'pool, callback': (config: object) =>
        new Promise<void>((resolve, reject) => {
          new driver.Pool(config).query('SELECT 1', (error: Error | undefined) => (error ? reject(error) : resolve()));
        }),
    })) {
      test(`another server gets nothing, and the error is ours as it is (${how})`, async (t) => {
        const relay = await startPostgresRelay({ certificate: impostor, upstream: postgres });
        t.after(relay.close);
        const error = await failureOf(connect(pinnedPg({ ...login, port: relay.port }, { pins })) as Promise<unknown>);
        assert.ok(error instanceof CertpinError);
        assert.equal(error.code, 'ERR_PIN_MISMATCH');
        assert.match(error.message, new RegExp(`^pin mismatch for localhost:${relay.port}`));
        assert.equal(relay.received(), 0);
        assert.ok(!`${error.message}${JSON.stringify(error)}${error.stack}`.includes(password));
      });
    }
  });
}

test('pg 8.8, which knows no stream factory, says which version it takes', async () => {
  const error = await failureOf((async () => new pg88.Client(pinnedPg(login, { pins })).connect())());
  assert.equal(error.code, 'ERR_CLIENT_UNSUPPORTED');
  assert.match(error.message, /needs pg 8\.9 or newer/);
});

describe('the driver works as it did', () => {
  test('SCRAM channel binding binds to the pinned certificate', async (t) => {
    const client = new pg.Client(pinnedPg({ ...login, enableChannelBinding: true }, { pins }));
    t.after(() => client.end());
    const { connection } = client as unknown as { connection: Record<string, (...args: string[]) => void> };
    const mechanisms: unknown[] = [];
    const send = connection.sendSASLInitialResponseMessage as (...args: string[]) => void;
    connection.sendSASLInitialResponseMessage = (mechanism = '', response = '') => {
      mechanisms.push(mechanism);
      send.call(connection, mechanism, response);
    };
    await client.connect();
    assert.deepEqual(mechanisms, ['SCRAM-SHA-256-PLUS']);
  });

  test('a wrong password is the server’s own error', async () => {
    const error = await failureOf(new pg.Client(pinnedPg({ ...login, password: 'wrong' }, { pins })).connect());
    assert.equal(error.code, '28P01');
  });

  test('parameters and results of megabytes pass', async (t) => {
    const client = await open(t);
    const big = 'x'.repeat(5_000_000);
    const { rows } = await client.query('SELECT $1::text AS big, length($1) AS length', [big]);
    assert.equal(rows[0].length, big.length);
    assert.equal(rows[0].big, big);
  });

  test('COPY in and out', async (t) => {
    const client = await open(t);
    await client.query('CREATE TEMP TABLE copied (id int, word text)');
    const lines = Array.from({ length: 50_000 }, (_, id) => `${id}\tword ${id}\n`);
    await pipeline(lines, client.query(copyFrom('COPY copied FROM STDIN')));
    assert.equal(await text(client.query(copyTo('COPY copied TO STDOUT'))), lines.join(''));
  });

  test('LISTEN and NOTIFY', async (t) => {
    const [listener, speaker] = [await open(t), await open(t)];
    await listener.query('LISTEN rotation');
    const heard = once(listener, 'notification');
    await speaker.query("NOTIFY rotation, 'now'");
    const [message] = await heard;
    assert.equal(message.payload, 'now');
  });

  test('a cursor reads row by row', async (t) => {
    const client = await open(t);
    const cursor = client.query(new Cursor('SELECT generate_series(1, 1000) AS n'));
    assert.equal((await cursor.read(10)).length, 10);
    assert.equal((await cursor.read(990)).length, 990);
    await cursor.close();
  });

  test('a cancel request goes over a pinned connection of its own', async (t) => {
    const client = await open(t);
    const tap = await startTap(postgres);
    t.after(tap.close);
    const query = new pg.Query('SELECT pg_sleep(30)');
    const failed = once(query as never, 'error');
    client.query(query);
    while ((await isQueryRunning(t, 'SELECT pg_sleep(30)')) === false);
    const canceller = new pg.Client(pinnedPg({ ...login, port: tap.port }, { pins })) as unknown as {
      cancel(client: unknown, query: unknown): void;
    };
    canceller.cancel(client, query);
    const [error] = await failed;
    assert.equal(error.code, '57014');
    assert.equal(tap.received().subarray(0, 8).toString('hex'), '0000000804d2162f');
    assert.equal(tap.received()[8], 0x16, 'TLS from the ninth byte on: the secret key of the session was not readable');
  });

  test('a connection that the server ends is an error event, and the pool makes a new one', async (t) => {
    const pool = new pg.Pool(pinnedPg({ ...login, max: 1 }, { pins }));
    t.after(() => pool.end());
    const killer = await open(t);
    const { rows } = await pool.query('SELECT pg_backend_pid() AS pid');
    const lost = once(pool, 'error');
    await killer.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    await lost;
    assert.equal(await isEncrypted(pool), true);
  });

  test('a client that is ended while it connects leaves nothing behind', async () => {
    const client = new pg.Client(pinnedPg(login, { pins }));
    client.connect().catch(() => undefined);
    await client.end();
    assert.equal((client as unknown as { connection: { stream: Duplex } }).connection.stream.destroyed, true);
  });

  test('mutual TLS: the key and the certificate stand in `ssl`', async (t) => {
    const own = await mint({ subject: `CN=${user}`, issuer: clientCa });
    const config = { ...login, database: 'mtls' };
    const ssl = { key: own.keyPem, cert: own.certPem };
    assert.equal(await isEncrypted(await open(t, { ...config, ssl })), true);
    const hidden = Object.defineProperty({ cert: own.certPem }, 'key', { value: own.keyPem }); // as pg leaves it in a pool
    assert.equal(await isEncrypted(await open(t, { ...config, ssl: hidden })), true);
    const error = await failureOf(open(t, config));
    assert.match(error.message, /client certificate/);
  });

  test('properties that pg hides are kept', async (t) => {
    const config = Object.defineProperty({ ...login, password: undefined }, 'password', { value: password });
    assert.equal(Object.keys(config).includes('password'), true);
    const hidden = Object.defineProperty({ host: 'localhost', port, user, database }, 'password', { value: password });
    assert.equal(await isEncrypted(await open(t, hidden)), true);
  });

  test('a password function is asked after the verdict only', async (t) => {
    let asked = 0;
    const ask = (): string => {
      asked++;
      return password;
    };
    const config = { ...login, password: ask };
    const relay = await startPostgresRelay({ certificate: impostor, upstream: postgres });
    t.after(relay.close);
    await failureOf(new pg.Client(pinnedPg({ ...config, port: relay.port }, { pins })).connect());
    assert.equal(asked, 0);
    await open(t, config);
    assert.equal(asked, 1);
  });

  test('the certificate is rotated under a running pool', async (t) => {
    const next = await mint({ keyType: 'rsa' });
    const pool = new pg.Pool(pinnedPg({ ...login, idleTimeoutMillis: 1 }, { pins: [pins, certificateHex(next)] }));
    t.after(() => pool.end());
    await pool.query('SELECT 1');
    await postgres.present(next);
    t.after(() => postgres.present(right));
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(await isEncrypted(pool), true);
    const error = await failureOf(new pg.Client(pinnedPg(login, { pins })).connect());
    assert.equal(error.code, 'ERR_PIN_MISMATCH');
  });
});

async function isQueryRunning(t: TestContext, query: string): Promise<boolean> {
  const client = await open(t);
  const { rows } = await client.query("SELECT 1 FROM pg_stat_activity WHERE query = $1 AND state = 'active'", [query]);
  return rows.length > 0;
}

describe('sslnegotiation=direct (PostgreSQL 17)', () => {
  async function firstBytes(t: TestContext, config: (port: number) => string | object): Promise<Buffer> {
    const tap = await startTap(postgres);
    t.after(tap.close);
    const client = new pg.Client(pinnedPg(config(tap.port) as object, { pins }));
    await client.connect();
    assert.equal(await isEncrypted(client), true);
    await client.end();
    return tap.received();
  }

  test('by default the upgrade request goes first', async (t) => {
    const bytes = await firstBytes(t, (port) => ({ ...login, port }));
    assert.equal(bytes.subarray(0, 9).toString('hex'), '0000000804d2162f16');
  });

  const direct: [string, (port: number) => string | object][] = [
    ['in the configuration', (port) => ({ ...login, port, sslnegotiation: 'direct' })],
    ['in a connection string', (port) => `${url.replace(/:\d+\//, `:${port}/`)}?sslnegotiation=direct`],
    [
      'among other parameters of a connection string',
      (port) => ({
        connectionString: `${url.replace(/:\d+\//, `:${port}/`)}?application_name=a&sslnegotiation=direct&fallback_application_name=b`,
      }),
    ],
  ];
  for (const [where, config] of direct) {
    test(where, async (t) => {
      assert.equal((await firstBytes(t, config))[0], 0x16);
    });
  }

  test('in the environment', async (t) => {
    process.env.PGSSLNEGOTIATION = 'direct';
    t.after(() => delete process.env.PGSSLNEGOTIATION);
    assert.equal((await firstBytes(t, (port) => ({ ...login, port })))[0], 0x16);
  });

  test('a server with the right certificate, but for another protocol, gets nothing', async (t) => {
    const relay = await startPostgresRelay({ certificate: right, upstream: postgres });
    t.after(relay.close);
    const config = { ...login, port: relay.port, sslnegotiation: 'direct' as const };
    const error = await failureOf(new pg.Client(pinnedPg(config, { pins })).connect());
    assert.equal(error.code, 'ERR_UPGRADE_UNEXPECTED');
    assert.match(error.message, /ALPN/);
    assert.equal(relay.received(), 0);
  });

  test('in the environment, where a copy keeps nothing but `ssl` and `stream`', async (t) => {
    process.env.PGSSLNEGOTIATION = 'direct';
    t.after(() => delete process.env.PGSSLNEGOTIATION);
    const { ssl, stream } = pinnedPg(login, { pins });
    const client = new pg.Client({ ...login, ssl, stream } as object);
    await client.connect();
    assert.equal(await isEncrypted(client), true);
    await client.end();
  });

  test('an impostor gets nothing either', async (t) => {
    const relay = await startPostgresRelay({
      certificate: impostor,
      upstream: postgres,
      ALPNProtocols: ['postgresql'],
    });
    t.after(relay.close);
    const config = { ...login, port: relay.port, sslnegotiation: 'direct' as const };
    assert.equal((await failureOf(new pg.Client(pinnedPg(config, { pins })).connect())).code, 'ERR_PIN_MISMATCH');
    assert.equal(relay.received(), 0);
  });
});

describe('a server that lies before TLS gets the upgrade request and nothing else', () => {
  const SSL_REQUEST = '0000000804d2162f';
  const scripts: [string, (socket: Socket) => void, string][] = [
    ['it refuses TLS', (socket) => void socket.once('data', () => socket.write('N')), 'ERR_UPGRADE_REFUSED'],
    [
      'it answers with an error',
      (socket) => void socket.once('data', () => socket.write('E\0\0\0\x10Mpassword?')),
      'ERR_UPGRADE_UNEXPECTED',
    ],
    [
      'it speaks HTTP',
      (socket) => void socket.once('data', () => socket.write('HTTP/1.1 400\r\n\r\n')),
      'ERR_UPGRADE_UNEXPECTED',
    ],
    [
      'bytes are injected behind its consent',
      (socket) => void socket.once('data', () => socket.write('SR\0\0\0\x08\0\0\0\0')),
      'ERR_UPGRADE_INJECTED',
    ],
    ['it speaks first', (socket) => void socket.write('R\0\0\0\x08\0\0\0\0'), 'ERR_UPGRADE_UNEXPECTED'],
    ['it hangs up', (socket) => void socket.once('data', () => socket.destroy()), 'ERR_CONNECTION_CLOSED'],
    ['it says nothing', () => undefined, 'ERR_CONNECT_TIMEOUT'],
    [
      'it consents and says nothing more',
      (socket) => void socket.once('data', () => socket.write('S')),
      'ERR_CONNECT_TIMEOUT',
    ],
  ];
  for (const [name, script, code] of scripts) {
    test(name, async (t) => {
      const server = await startScriptedServer(script);
      t.after(server.close);
      // Whoever answers has time for it.
      const connectTimeoutMs = code === 'ERR_CONNECT_TIMEOUT' ? 200 : 20_000;
      const config = pinnedPg({ ...login, host: server.host, port: server.port }, { pins, connectTimeoutMs });
      const error = await failureOf(new pg.Client(config).connect());
      assert.equal(error.code, code);
      const sent = server.received();
      assert.ok(SSL_REQUEST.startsWith(sent.subarray(0, 8).toString('hex')));
      // After consent the client may begin TLS, of which a ClientHello is the first message: nothing that an application wrote.
      if (sent.length > 8) assert.deepEqual([...sent.subarray(8, 10), sent[13]], [0x16, 0x03, 0x01]);
      assert.ok(!sent.includes(user));
      assert.ok(!error.message.includes('password?'), 'what was said in plaintext is not repeated');
    });
  }

  test('plaintext after the consent, in a packet of its own, is no TLS', async (t) => {
    const server = await startScriptedServer((socket) => {
      socket.once('data', () => {
        socket.write('S');
        setTimeout(() => socket.write('R\0\0\0\x08\0\0\0\0'), 10);
      });
    });
    t.after(server.close);
    const error = await failureOf(
      new pg.Client(pinnedPg({ ...login, host: server.host, port: server.port }, { pins })).connect(),
    );
    assert.match(error.code, /^(ERR_SSL_|EPROTO)/);
    assert.ok(!server.received().includes(user));
  });

  test('the time limit of pg counts too', async (t) => {
    const server = await startScriptedServer(() => undefined);
    t.after(server.close);
    const config = { ...login, host: server.host, port: server.port, connectionTimeoutMillis: 50 };
    const error = await failureOf(new pg.Client(pinnedPg(config, { pins })).connect());
    assert.match(error.message, /timeout/);
  });
});

describe('a configuration that would weaken or duplicate the TLS is refused at once', () => {
  const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];
  const strings = [
    ...modes.map((mode) => `sslmode=${mode}`),
    ...[
      'ssl=true',
      'ssl=0',
      'sslcert=a',
      'sslkey=a',
      'sslrootcert=a',
      'uselibpqcompat=true',
      'application_name=x&sslmode=disable',
    ],
    ...['SSLMODE=disable', '%73slmode=disable', 'a=b#?sslmode=disable', 'sslnegotiation=direct&sslmode=disable'],
  ];
  for (const parameters of strings) {
    test(`a connection string with ${parameters}`, () => {
      for (const config of [`${url}?${parameters}`, { connectionString: `${url}?${parameters}` }]) {
        assert.throws(
          () => pinnedPg(config as string, { pins }),
          (error: CertpinError) => {
            assert.equal(error.code, 'ERR_OPTION_INVALID');
            assert.match(error.message, /from the connection string/);
            assert.ok(!error.message.includes(password));
            return true;
          },
        );
      }
    });
  }

  const configs: [string, object, RegExp][] = [
    ['ssl: false', { ssl: false }, /there is always TLS/],
    ["ssl: 'no-verify'", { ssl: 'no-verify' }, /must be an object/],
    ['rejectUnauthorized: false', { ssl: { rejectUnauthorized: false } }, /the pin decides/],
    ['rejectUnauthorized: true', { ssl: { rejectUnauthorized: true } }, /the pin decides/],
    ['checkServerIdentity', { ssl: { checkServerIdentity: () => undefined } }, /the pin decides/],
    ['an unknown TLS option', { ssl: { certt: 'x' } }, /did you mean `cert`\?/],
    ['an old TLS version', { ssl: { minVersion: 'TLSv1' } }, /must be 'TLSv1.2'/],
    ['a stream', { stream: () => undefined }, /makes the stream itself/],
    ['an unknown negotiation', { sslnegotiation: 'maybe' }, /'postgres' or 'direct'/],
  ];
  for (const [name, options, message] of configs) {
    test(name, () => {
      assert.throws(() => pinnedPg({ ...login, ...options }, { pins }), { code: 'ERR_OPTION_INVALID', message });
    });
  }

  test('no pin, a pin of the wrong length, an unknown switch', () => {
    assert.throws(() => pinnedPg(login, {} as never), { code: 'ERR_OPTION_INVALID' });
    assert.throws(() => pinnedPg(login, { pins: pins.slice(2) }), { code: 'ERR_PIN_INVALID' });
    assert.throws(() => pinnedPg(login, { pins, hostname: 'check' } as never), { code: 'ERR_OPTION_INVALID' });
  });

  test('ssl: true means what happens anyway', async (t) => {
    assert.equal(await isEncrypted(await open(t, { ...login, ssl: true })), true);
  });
});

describe('nothing outside the configuration takes the pin away', () => {
  for (const ssl of [false, true, undefined, { rejectUnauthorized: false }]) {
    test(`a copy that says ssl: ${JSON.stringify(ssl)} is as pinned as before`, async (t) => {
      const client = new pg.Client({ ...pinnedPg(login, { pins }), ssl } as object);
      await client.connect();
      assert.equal(await isEncrypted(client), true);
      await client.end();
      const relay = await startPostgresRelay({ certificate: impostor, upstream: postgres });
      t.after(relay.close);
      const wrong = new pg.Client({ ...pinnedPg({ ...login, port: relay.port }, { pins }), ssl } as object);
      assert.equal((await failureOf(wrong.connect())).code, 'ERR_PIN_MISMATCH');
      assert.equal(relay.received(), 0);
    });
  }

  for (const mode of ['disable', 'no-verify', 'prefer']) {
    test(`PGSSLMODE=${mode}`, async (t) => {
      process.env.PGSSLMODE = mode;
      t.after(() => delete process.env.PGSSLMODE);
      assert.equal(await isEncrypted(await open(t)), true);
      const relay = await startPostgresRelay({ certificate: impostor, upstream: postgres });
      t.after(relay.close);
      const error = await failureOf(open(t, { ...login, port: relay.port }));
      assert.equal(error.code, 'ERR_PIN_MISMATCH');
      assert.equal(relay.received(), 0);
    });
  }

  test('the native client, selected by the environment, is refused', (t) => {
    process.env.NODE_PG_FORCE_NATIVE = '1';
    t.after(() => delete process.env.NODE_PG_FORCE_NATIVE);
    assert.throws(() => pinnedPg(login, { pins }), { code: 'ERR_CLIENT_UNSUPPORTED' });
  });

  test('a configuration that went through JSON has lost its stream: it is no plaintext login, and knows no password', async () => {
    for (const config of [login, url]) {
      const text = JSON.stringify(pinnedPg(config as object, { pins }));
      assert.ok(!text.includes(password));
      const revived = { ...login, ...JSON.parse(text) };
      const error = await failureOf(new pg.Client(revived).connect());
      assert.equal(error.code, 'ERR_TLS_INVALID_PROTOCOL_VERSION');
      assert.match(error.message, /certpin: the pinned stream was lost/);
    }
  });

  test('a unix socket is refused, for there is no TLS on one', async () => {
    for (const host of ['/var/run/postgresql', '/']) {
      const error = await failureOf(new pg.Client(pinnedPg({ ...login, host }, { pins })).connect());
      assert.equal(error.code, 'ERR_OPTION_INVALID');
      assert.match(error.message, /a unix socket has no TLS/);
    }
    const error = await failureOf(new pg.Client(pinnedPg(`${url}?host=/tmp`, { pins })).connect());
    assert.match(error.message, /a unix socket has no TLS/);
  });

  test('a connection string connects, also with an odd password', async (t) => {
    assert.equal(await isEncrypted(await open(t, { connectionString: url })), true);
    const admin = await open(t);
    await admin.query("CREATE ROLE odd LOGIN PASSWORD 'a?b&ssl mode=#%'");
    const odd = `postgres://odd:${encodeURIComponent('a?b&ssl mode=#%')}@localhost:${port}/${database}`;
    const client = new pg.Client(pinnedPg(odd, { pins }));
    await client.connect();
    assert.equal(await isEncrypted(client), true);
    await client.end();
  });
});
