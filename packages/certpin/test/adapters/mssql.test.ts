import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { certificateHex, failureOf, mint, startScriptedServer } from '@certpin/testkit';
import { askingClient } from '@certpin/testkit/clients';
import { conformanceCases, type ObservedAdapter } from '@certpin/testkit/conformance';
import { watchProcess } from '@certpin/testkit/conformance-records';
import { requirePackage } from '@certpin/testkit/debian';
import { encryption, startTdsServer, type TdsServerOptions } from '@certpin/testkit/tds';
import mssql from 'mssql';
import mssql11 from 'mssql-11';
import tedious from 'tedious';
import tedious18Module from 'tedious-18';
import { pinnedMssql, pinnedTedious } from '../../src/adapters/mssql.ts';
import { type CertpinError, findCertpinError } from '../../src/index.ts';
import { ATTEMPT_CHANNEL, type ConnectionAttempt } from '../../src/tls/index.ts';
import type { PolicyInput } from '../../src/tls/pinner-of.ts';
import { connectTedious, openTedious, type Tedious } from './tedious-database.ts';

// The SQL Server of these tests is a scripted one, which FreeTDS takes for a server.

const tedious18 = tedious18Module as unknown as Tedious;
const right = await mint({ keyType: 'rsa' });
const impostor = await mint();
const pins = certificateHex(right);
const secret = 'a-very-secret-password';
const authentication = { type: 'default', options: { userName: 'app', password: secret } } as const;

async function serve(t: TestContext, options: Partial<TdsServerOptions> = {}) {
  const server = await startTdsServer({ certificate: right, ...options });
  t.after(server.close);
  return server;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

const configFor = ({ host, port }: Place, options: object = {}) => ({
  server: host,
  authentication,
  options: { port, database: 'app', ...options },
});

/** Connects, asks, and closes. */
async function ask(driver: Tedious, config: object, text = 'a row'): Promise<unknown> {
  const database = await openTedious(driver, new driver.Connection(config as never));
  try {
    return await database.ask(text);
  } finally {
    await database.close();
  }
}

const clients: Record<string, (place: Place, policy: PolicyInput, options?: object) => Promise<unknown>> = {
  'tedious 19': (place, policy, options) => ask(tedious, pinnedTedious(configFor(place, options), policy)),
  'tedious 18': (place, policy, options) => ask(tedious18, pinnedTedious(configFor(place, options), policy)),
  ...Object.fromEntries(
    Object.entries({ 'mssql 12': mssql, 'mssql 11': mssql11 }).map(([name, { ConnectionPool }]) => [
      name,
      async ({ host, port }: Place, policy: PolicyInput, options: object = {}) => {
        const config = { server: host, port, user: 'app', password: secret, database: 'app', options };
        const pool = await new ConnectionPool(pinnedMssql(config, policy)).connect();
        try {
          return (await pool.request().input('text', 'a row').query('SELECT @text AS answer')).recordset[0].answer;
        } finally {
          await pool.close();
        }
      },
    ]),
  ),
};

test('FreeTDS takes the scripted server for a SQL Server: it logs in over TLS and reads a row', async (t) => {
  const server = await serve(t, { password: secret });
  const args = ['-H', server.host, '-p', String(server.port), '-U', 'app', '-P', secret, '-o', 'q'];
  const env = { ...process.env, TDSVER: '7.4' };
  const child = execFile(requirePackage('freetds-bin', 'tsql'), args, { env });
  let said = '';
  child.stdout?.on('data', (text: string) => {
    said += text;
  });
  child.stdin?.end("SELECT 'a row' AS answer\ngo\nexit\n");
  await once(child, 'close');
  assert.match(said, /^answer\na row\n/);
  assert.equal(server.handshakes(), 1);
  assert.equal(server.logins[0]?.password, secret);
});

for (const [name, run] of Object.entries(clients)) {
  describe(name, () => {
    for (const [what, options] of [
      ['ENCRYPTION ON', {}],
      ['ENCRYPTION REQ', { answer: encryption.required }],
    ] as const)
      test(`reads a row from the right server, ${what}`, async (t) => {
        const server = await serve(t, { ...options, password: secret });
        assert.equal(await run(server, { pins }), 'a row');
        assert.deepEqual([server.logins[0]?.user, server.logins[0]?.database], ['app', 'app']);
      });

    test('tells a wrong server nothing, over TDS 7 and TDS 8, and its error holds ours', async (t) => {
      for (const strict of [false, true]) {
        const server = await serve(t, { certificate: impostor, strict });
        const error = await failureOf(run(server, { pins }, strict ? { encrypt: 'strict' } : {}));
        assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
        assert.equal(server.received(), 0);
        assert.ok(!`${error.message}${JSON.stringify(error)}`.includes(secret));
      }
    });

    const liars: [string, Partial<TdsServerOptions>, string][] = [
      ['would encrypt the login only (OFF)', { answer: encryption.off }, 'ERR_UPGRADE_REFUSED'],
      ['does not encrypt (NOT_SUP)', { answer: encryption.notSupported }, 'ERR_UPGRADE_REFUSED'],
      ['says a number that there is not', { answer: 0x81 }, 'ERR_UPGRADE_REFUSED'],
      ['answers in HTTP', { says: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') }, 'ERR_UPGRADE_UNEXPECTED'],
      ['injects a byte behind its answer', { injects: Buffer.from('\x04') }, 'ERR_UPGRADE_INJECTED'],
    ];
    for (const [what, options, code] of liars)
      test(`a server that ${what} gets no login`, async (t) => {
        const server = await serve(t, options);
        assert.equal(findCertpinError(await failureOf(run(server, { pins })))?.code, code);
        assert.deepEqual([server.received(), server.logins.length, server.prelogins.length], [0, 0, 1]);
      });

    test('an error of the login is handed on as it is', async (t) => {
      const server = await serve(t, { password: 'another' });
      const error = await failureOf(run(server, { pins }));
      assert.match(error.message, /^Login failed for user 'app'/);
      assert.equal(findCertpinError(error), undefined);
    });
  });
}

describe('TLS', () => {
  const protocolOf = async (t: TestContext, options: Partial<TdsServerOptions>): Promise<string | null> => {
    const server = await serve(t, options);
    const secured = once(server.server, 'secureConnection') as Promise<[TLSSocket]>;
    await ask(tedious, pinnedTedious(configFor(server, options.strict ? { encrypt: 'strict' } : {}), { pins }));
    return (await secured)[0].getProtocol();
  };

  test('is 1.2 in packets of TDS, where the server knows 1.3 too', async (t) => {
    assert.equal(await protocolOf(t, { maxVersion: 'TLSv1.3' }), 'TLSv1.2');
  });

  test('is what both know in TDS 8', async (t) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal(await protocolOf(t, { strict: true, maxVersion }), maxVersion);
  });

  test('is asked for tds/8.0 in TDS 8', async (t) => {
    const server = await serve(t, { strict: true });
    const secured = once(server.server, 'secureConnection') as Promise<[TLSSocket]>;
    await ask(tedious, pinnedTedious(configFor(server, { encrypt: 'strict' }), { pins }));
    assert.equal((await secured)[0].alpnProtocol, 'tds/8.0');
  });

  test('TDS 8: the driver logs in whatever the server says of ENCRYPTION inside TLS', async (t) => {
    for (const answer of Object.values(encryption)) {
      const server = await serve(t, { strict: true, answer });
      assert.equal(await ask(tedious, pinnedTedious(configFor(server, { encrypt: 'strict' }), { pins })), 'a row');
    }
  });

  test('is never resumed in packets of TDS, and its records are no longer than a packet', async (t) => {
    const server = await serve(t);
    const config = pinnedTedious(configFor(server, { packetSize: 512 }), { pins, resumption: 'own' });
    for (let round = 0; round < 3; round++) await ask(tedious, config, 'x'.repeat(1500));
    assert.deepEqual(server.resumptions, [false, false, false]);
    const overhead = 8 + 16; // of AES-GCM
    assert.ok(Math.max(...server.records) <= 512 + overhead, String(server.records));
    assert.ok(server.records.some((length) => length === 512 + overhead));
  });
});

test('of the driver’s PRELOGIN one byte is changed, and a login with a token passes', async (t) => {
  const own = await startScriptedServer(() => undefined);
  t.after(own.close);
  const plain = new tedious.Connection({ ...configFor(own), options: { port: own.port, encrypt: false } });
  plain.on('error', () => undefined);
  plain.connect(() => undefined);
  while (own.received().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  plain.close();

  const server = await serve(t);
  const token = { type: 'azure-active-directory-access-token', options: { token: 'a.b.c' } } as const;
  await ask(tedious, pinnedTedious({ ...configFor(server), authentication: token }, { pins }));
  const [said = Buffer.alloc(0)] = server.prelogins;
  const driver = own.received().subarray(8);
  const traceStart = driver.readUInt16BE(5 * 5 + 1); // TRACEID is random
  const changed = [...driver.keys()].filter(
    (at) => said[at] !== driver[at] && (at < traceStart || at >= traceStart + 36),
  );
  assert.deepEqual(
    changed.map((at) => [driver[at], said[at]]),
    [[2, 1]],
  );
  assert.ok(server.logins[0]?.federated?.includes(Buffer.from('a.b.c', 'utf16le')));
});

describe('a server that leads to another one', () => {
  const hosts = { localhost: { pins }, '127.0.0.1': { pins: certificateHex(impostor) } };

  test('is followed under the policy of the other host', async (t) => {
    const other = await serve(t, { certificate: impostor });
    const first = await serve(t, { routesTo: { host: '127.0.0.1', port: other.port } });
    const place = { host: 'localhost', port: first.port };
    for (const driver of [tedious, tedious18])
      assert.equal(await ask(driver, pinnedTedious(configFor(place), { hosts })), 'a row');
    assert.equal(other.logins.length, 2);
  });

  test('a wrong one, and one without pins, are told nothing', async (t) => {
    const other = await serve(t);
    const first = await serve(t, { routesTo: { host: '127.0.0.1', port: other.port } });
    const place = { host: 'localhost', port: first.port };
    const policies: [PolicyInput, string][] = [
      [{ hosts }, 'ERR_PIN_MISMATCH'],
      [{ hosts: { localhost: { pins } } }, 'ERR_HOST_UNPINNED'],
    ];
    for (const [policy, code] of policies) {
      const error = await failureOf(ask(tedious, pinnedTedious(configFor(place), policy)));
      assert.equal(findCertpinError(error)?.code, code);
    }
    assert.deepEqual([other.received(), other.logins.length], [0, 0]);
  });
});

test('a host without pins is not called, and nothing reaches the process', async (t) => {
  const watched = watchProcess();
  t.after(watched.stop);
  const server = await serve(t);
  const config = pinnedTedious(configFor(server), { hosts: { 'other.example': { pins } } });
  const error = await failureOf(ask(tedious, config));
  assert.equal(findCertpinError(error)?.code, 'ERR_HOST_UNPINNED');
  assert.equal(server.prelogins.length, 0);
  assert.deepEqual(watched.events, []);
});

test('a connection that the driver gives up is closed, once, without an error of ours', async (t) => {
  const watched = watchProcess();
  t.after(watched.stop);
  const closed: Promise<unknown>[] = [];
  const silent = await startScriptedServer((socket) => void closed.push(once(socket, 'close')));
  t.after(silent.close);
  for (const encrypt of [true, 'strict'] as const) {
    const config = pinnedTedious(configFor(silent, { encrypt, connectTimeout: 100 }), { pins });
    const error = await failureOf(connectTedious(new tedious.Connection(config)));
    assert.equal((error as { code?: string }).code, 'ETIMEOUT');
    assert.equal(findCertpinError(error), undefined);
  }
  // Aborted before anything was connected.
  const { connector } = pinnedTedious(configFor(silent), { pins }).options;
  const call = connector as unknown as (...args: unknown[]) => Promise<{ destroyed: boolean }>;
  assert.equal((await call(silent, undefined, AbortSignal.abort())).destroyed, true);
  await Promise.all(closed);
  assert.deepEqual(watched.events, []);
});

test('a named instance is looked up by the driver, and called under the policy of its host', async (t) => {
  const { createSocket } = await import('node:dgram');
  const host = '127.7.14.34';
  const server = await serve(t, { host });
  const browser = createSocket('udp4').bind(1434, host);
  await once(browser, 'listening');
  t.after(() => browser.close());
  browser.on('message', (_, { address, port }) => {
    const text = `ServerName;DB;InstanceName;SQLEXPRESS;IsClustered;No;Version;16.0;tcp;${server.port};;`;
    browser.send(Buffer.concat([Buffer.from([5, text.length, 0]), Buffer.from(text)]), port, address);
  });
  const { port: _, ...options } = configFor(server).options;
  const config = { ...configFor(server), options: { ...options, instanceName: 'SQLEXPRESS' } };
  assert.equal(await ask(tedious, pinnedTedious(config, { pins })), 'a row');
  const wrong = await failureOf(ask(tedious, pinnedTedious(config, { pins: certificateHex(impostor) })));
  assert.equal(findCertpinError(wrong)?.code, 'ERR_PIN_MISMATCH');
});

test('attempts are told of', async (t) => {
  const attempts: ConnectionAttempt[] = [];
  const hear = (attempt: unknown): void => void attempts.push(attempt as ConnectionAttempt);
  subscribe(ATTEMPT_CHANNEL, hear);
  t.after(() => unsubscribe(ATTEMPT_CHANNEL, hear));
  const [server, wrong] = [await serve(t), await serve(t, { certificate: impostor })];
  await ask(tedious, pinnedTedious(configFor(server), { pins }));
  await failureOf(ask(tedious, pinnedTedious(configFor(wrong), { pins })));
  assert.deepEqual(
    attempts.map(({ client, outcome, port, code }) => [client, outcome, port, code]),
    [
      ['mssql', 'opened', server.port, undefined],
      ['mssql', 'refused', wrong.port, 'ERR_PIN_MISMATCH'],
    ],
  );
});

test('a pool under load survives a certificate that is swapped back and forth', async (t) => {
  const server = await serve(t);
  const { host, port } = server;
  const config = {
    server: host,
    port,
    user: 'app',
    password: secret,
    database: 'app',
    pool: { max: 5, idleTimeoutMillis: 1 },
  };
  const pool = await new mssql.ConnectionPool(pinnedMssql(config, { pins })).connect();
  pool.on('error', () => undefined);
  t.after(() => pool.close());
  const open = new Set<TLSSocket>();
  server.server.on('secureConnection', (socket) => void open.add(socket));
  const query = () => pool.request().input('text', 'a row').query('SELECT @text AS answer');
  for (let round = 0; round < 4; round++) {
    server.present(impostor);
    for (const socket of open) socket.destroy();
    open.clear();
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, query));
    assert.ok(outcomes.some(({ status }) => status === 'rejected'));
    assert.equal(server.received(), 0);
    server.present(right);
    await Promise.allSettled([query()]);
    const answers = await Promise.all(Array.from({ length: 10 }, query));
    assert.ok(answers.every(({ recordset }) => recordset[0].answer === 'a row'));
  }
});

describe('the configuration', () => {
  const place = { host: '127.0.0.1', port: 1433 };
  const refused: [string, object, string][] = [
    ['encrypt: false', { encrypt: false }, 'encrypt'],
    ['another encrypt', { encrypt: 'yes' }, 'encrypt'],
    ['trustServerCertificate', { trustServerCertificate: true }, 'trustServerCertificate'],
    ['a connector', { connector: () => undefined }, 'connector'],
    ['rejectUnauthorized', { cryptoCredentialsDetails: { rejectUnauthorized: false } }, 'rejectUnauthorized'],
    ['an unknown TLS option', { cryptoCredentialsDetails: { certificate: 'x' } }, 'certificate'],
    ['TLS 1.1', { cryptoCredentialsDetails: { minVersion: 'TLSv1.1' } }, 'minVersion'],
    ['TLS 1.3 in packets of TDS', { cryptoCredentialsDetails: { minVersion: 'TLSv1.3' } }, 'minVersion'],
  ];
  for (const [what, options, option] of refused)
    test(`is refused with ${what}`, () => {
      const invalid = (error: CertpinError<'ERR_OPTION_INVALID'>) =>
        error.code === 'ERR_OPTION_INVALID' && error.details.option === option && !error.message.includes(secret);
      assert.throws(() => pinnedTedious(configFor(place, options), { pins }), invalid);
      assert.throws(() => pinnedMssql({ server: 'x', password: secret, options }, { pins }), invalid);
    });

  test('of mssql is refused with what stands beside its options, and with the native driver', () => {
    for (const beside of [{ encrypt: false }, { trustServerCertificate: true }, { connectionString: 'Server=x' }])
      assert.throws(() => pinnedMssql({ server: 'x', ...beside }, { pins }), {
        code: 'ERR_OPTION_INVALID',
        details: { option: Object.keys(beside)[0] },
      });
    assert.throws(() => pinnedMssql({ connectionString: 'Server=x' }, { pins }), {
      message: /^pinnedMssql: .*`connectionString`.*parseConnectionString/,
    });
    assert.throws(() => pinnedMssql({ server: 'x', driver: 'msnodesqlv8' }, { pins }), {
      code: 'ERR_CLIENT_UNSUPPORTED',
    });
    assert.match(pinnedMssql({ server: 'x' }, { pins }).connectionString, /native driver cannot be pinned/);
  });

  test('may stand in a connection string, which mssql reads', async (t) => {
    const server = await serve(t, { password: secret });
    const text = (more: string) =>
      `Server=127.0.0.1,${server.port};Database=app;User Id=app;Password=${secret};${more}`;
    for (const { ConnectionPool } of [mssql, mssql11]) {
      const parse = (more: string) =>
        (ConnectionPool as unknown as { parseConnectionString(text: string): object }).parseConnectionString(
          text(more),
        );
      const pool = new ConnectionPool(pinnedMssql(parse('Encrypt=true'), { pins }) as never);
      await (await pool.connect()).close();
      for (const more of ['Encrypt=false', 'TrustServerCertificate=true'])
        assert.throws(() => pinnedMssql(parse(more), { pins }), { code: 'ERR_OPTION_INVALID' });
    }
    assert.throws(
      () => pinnedMssql(text('') as never, { pins }),
      (error: Error) => {
        assert.match(error.message, /parseConnectionString/);
        return !error.message.includes(secret);
      },
    );
  });

  test('of the caller is not written into, and what is certpin’s own is not written over', async (t) => {
    const server = await serve(t);
    const given = Object.freeze({ ...configFor(server), options: Object.freeze(configFor(server).options) });
    const pinned = pinnedTedious(given, { pins });
    assert.equal(await ask(tedious, pinned), 'a row');
    for (const key of ['connector', 'encrypt', 'localAddress'])
      assert.throws(() => Object.assign(pinned.options, { [key]: undefined }), { code: 'ERR_OPTION_INVALID' });
    assert.throws(() => Object.assign(pinned, { options: {} }), { code: 'ERR_OPTION_INVALID' });
    assert.equal(await ask(tedious, { ...pinned, options: { ...pinned.options } }), 'a row');
  });

  const lost: [string, (pinned: { options: object }) => object, RegExp][] = [
    ['through JSON', (pinned) => JSON.parse(JSON.stringify(pinned)), /certpin:the-connector-was-lost/],
    [
      'with another connector, none',
      (pinned) => ({ ...pinned, options: { ...pinned.options, connector: undefined } }),
      /certpin:the-connector-was-lost/,
    ],
    [
      'through JSON, and TLS of the driver',
      (pinned) => {
        const copy = JSON.parse(JSON.stringify(pinned));
        return { ...copy, options: { ...copy.options, encrypt: true, trustServerCertificate: true } };
      },
      /certpin:the-connector-was-lost/,
    ],
    [
      'with TLS of the driver inside',
      (pinned) => ({ ...pinned, options: { ...pinned.options, encrypt: true, trustServerCertificate: true } }),
      /`encrypt` is not what certpin has set/,
    ],
    [
      'with TDS 8 of the driver inside',
      (pinned) => ({ ...pinned, options: { ...pinned.options, encrypt: 'strict', trustServerCertificate: true } }),
      /does not begin as TDS does/,
    ],
  ];
  for (const [what, copy, message] of lost)
    test(`that lost its pin says nothing: ${what}`, async (t) => {
      const server = await serve(t, { certificate: impostor });
      for (const driver of [tedious, tedious18]) {
        const config = copy(pinnedTedious({ ...configFor(server), authentication }, { pins }));
        const error = await failureOf(ask(driver, { ...config, authentication }));
        // The driver tries every address of a name, and keeps the errors of all of them.
        const { errors = [] } = (error.cause ?? {}) as { errors?: Error[] };
        assert.match([error, ...errors].map((one) => one.message).join(' '), message);
      }
      assert.deepEqual([server.received(), server.prelogins.length], [0, 0]);
    });

  test('a local address is called from', async (t) => {
    const addresses: string[] = [];
    const strict = await serve(t, { strict: true });
    strict.server.on('secureConnection', (socket) => addresses.push(String(socket.remoteAddress)));
    const options = { encrypt: 'strict', localAddress: '127.0.0.9' };
    await ask(tedious, pinnedTedious(configFor(strict, options), { pins }));
    assert.deepEqual(addresses, ['127.0.0.9']);
  });
});

/** The drivers' own TLS, in the configurations that people write, against the same suite: it has to find what is wrong with them. */
describe('a configuration without a pin fails the suite', () => {
  const naive = (options: object, answer?: number): ObservedAdapter => ({
    name: 'tedious, unpinned',
    protocol: 'tds',
    pools: true,
    onWrongServer: () => undefined,
    startServer: (given) => startTdsServer({ ...given, ...(answer === undefined ? {} : { answer }) }),
    createClient: (target) =>
      askingClient(() =>
        openTedious(
          tedious,
          new tedious.Connection(configFor({ ...target, host: 'localhost' }, { encrypt: true, ...options })),
        ),
      ),
  });
  const caseOf = (name: string) => conformanceCases.find((one) => one.name === name) ?? assert.fail(name);
  const wrong = caseOf('another key under the same name is refused');

  test('trustServerCertificate: the password reaches whoever answers', async () => {
    const failure = await failureOf(wrong.run(naive({ trustServerCertificate: true })));
    assert.equal((failure as { kind?: string }).kind, 'leaked');
  });

  test('encrypt, at a server that says OFF: the password leaves in plaintext', async () => {
    const failure = await failureOf(wrong.run(naive({}, encryption.off)));
    assert.equal((failure as { kind?: string }).kind, 'leaked');
  });

  test('encrypt with the ordinary verification: the right self-signed server is refused', async () => {
    const failure = await failureOf(caseOf('a self-signed certificate connects by its certificate pin').run(naive({})));
    assert.equal((failure as { kind?: string }).kind, 'refused-the-right-server');
  });
});
