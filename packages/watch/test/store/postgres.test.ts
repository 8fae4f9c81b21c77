import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, type Minted, mint, startScriptedServer, startTlsServer } from '@certpin/testkit';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { readConfig } from '../../src/config/read-config.ts';
import { createSecretReader } from '../../src/config/secret.ts';
import { openStoreAt } from '../../src/store/open.ts';
import { openPostgresStore } from '../../src/store/postgres.ts';
import type { StoreError } from '../../src/store/store-error.ts';
import { createDatabase } from './database.ts';

const bin = fileURLToPath(new URL('../../../cli/bin/certpin.cjs', import.meta.url));

let postgres: Postgres;
let certificate: Minted;
before(async () => {
  certificate = await mint();
  postgres = await startPostgres({ certificate });
});
after(() => postgres.stop());

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-store-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A pins file in which a PostgreSQL server stands. */
function writeStorePins(folder: string, port: number, minted: Minted): string {
  const path = join(folder, 'store.pins.json');
  const entry = { target: `postgres://localhost:${port}`, pins: [certificateHex(minted)] };
  writeFileSync(path, JSON.stringify({ version: 1, targets: [entry] }));
  return path;
}

test('a store is named without a password, and on another machine with a pins file', (t) => {
  const folder = makeFolder(t);
  const read = (store: string, storePinsFile?: string) => readConfig({ store, storePinsFile }).store;
  const place = { port: 5432, database: 'certpin', user: undefined, password: undefined, pinsFile: undefined };
  assert.deepEqual(read('postgres://localhost/certpin'), { postgres: { ...place, host: 'localhost' } });
  assert.deepEqual(read('postgresql://me%40x@[::1]:6/c'), {
    postgres: { ...place, host: '::1', port: 6, user: 'me@x', database: 'c' },
  });
  assert.deepEqual(read('postgres:///certpin?host=/run/postgresql&port=5433&user=w'), {
    postgres: { ...place, host: '/run/postgresql', port: 5433, user: 'w' },
  });
  assert.deepEqual(read('postgres://db.example.com/certpin', join(folder, 'p.json')), {
    postgres: { ...place, host: 'db.example.com', pinsFile: join(folder, 'p.json') },
  });
  const refused: readonly (readonly [RegExp, string, string?])[] = [
    [/needs a pin: --store-pins-file/, 'postgres://db.example.com/certpin'],
    [/needs a pin/, 'postgres://10.0.0.1/certpin'],
    [/a password in it would be shown/, 'postgres://me:hunter2@localhost/certpin'],
    [/nothing else/, 'postgres://localhost/certpin?sslmode=disable&password=hunter2'],
    [/nothing else/, 'postgres://localhost/certpin?host=/run&password=hunter2'],
    [/names no host/, 'postgres://localhost/certpin?host=/run'],
    [/names no host/, 'postgres:///certpin'],
    [/names no database/, 'postgres://localhost'],
    [/has no TLS/, 'postgres:///certpin?host=/run', 'p.json'],
    // No address, so a name that a resolver answers.
    [/needs a pin/, 'postgres://127.0.0.300/certpin'],
    [/needs a pin/, 'postgres://127.0.0.1.example.com/certpin'],
    [/a port is a number/, 'postgres://localhost:0/certpin'],
    [/a port is a number/, 'postgres:///certpin?host=/run&port=70000'],
    [/a port is a number/, 'postgres:///certpin?host=/run&port='],
    [/nothing else/, 'postgres:///certpin?host=/run&host=/tmp'],
    [/nothing else/, 'postgres://localhost/certpin#x'],
    [/no host has/, 'postgres://h%0AUser=root/certpin', 'p.json'],
    [/needs no pins file/, 'sqlite:watch.db', 'p.json'],
    [/is sqlite:PATH or postgres:/, 'mysql://me:hunter2@localhost/x'],
    [/is sqlite:PATH or postgres:/, 'postgres://me:hunter2@local host/x'],
  ];
  for (const [words, store, pins] of refused) {
    assert.throws(
      () => read(store, pins),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_CONFIG');
        assert.match(error.message, words, store);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      },
    );
  }
});

test('the store is reached under its pins; a wrong server hears no user and no password', async (t) => {
  const folder = makeFolder(t);
  const { database } = await createDatabase(postgres);
  const impostor = await startPostgresRelay({ certificate: await mint(), upstream: postgres, host: 'localhost' });
  t.after(() => impostor.close());
  const configFile = join(folder, 'certpin.watch.json');
  const open = (port: number) => {
    const config = {
      store: `postgres://postgres@localhost:${port}/${database}`,
      storePinsFile: 'store.pins.json',
      storePassword: { env: 'STORE_PASSWORD' },
    };
    writeFileSync(configFile, JSON.stringify(config));
    const readSecret = createSecretReader(folder, { STORE_PASSWORD: postgres.password });
    return openStoreAt(readConfig({ config: configFile }).store, { watches: true, readSecret });
  };
  writeStorePins(folder, impostor.port, certificate);
  await assert.rejects(open(impostor.port), { code: 'ERR_STORE' });
  assert.equal(impostor.received(), 0);
  await assert.rejects(open(postgres.port), /the pins of the store: .*is not in/, 'the server has no entry');
  writeStorePins(folder, postgres.port, certificate);
  const store = await open(postgres.port);
  assert.equal((await store.watcher()).fileReadAt, null);
  await store.close();
});

test('without TLS, localhost has to be this machine, whatever a resolver says; and the server of the store stands in its pins once', async (t) => {
  const folder = makeFolder(t);
  const { database } = await createDatabase(postgres);
  const open = (store: string, storePinsFile?: string) => {
    const readSecret = createSecretReader(folder, {});
    return openStoreAt(readConfig({ store, storePinsFile }).store, { watches: true, readSecret });
  };
  const heard = await startScriptedServer((socket) => socket.resume());
  t.after(() => heard.close());
  const real = dns.lookup;
  t.mock.method(dns, 'lookup', ((host: string, options: object, done: (...values: unknown[]) => void) => {
    if (host === 'localhost')
      return done(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '192.0.2.1', family: 4 },
      ]);
    return real(host, options, done as never);
  }) as never);
  await assert.rejects(open(`postgres://w@localhost:${heard.port}/${database}`), {
    code: 'ERR_STORE',
    message: new RegExp(
      `^postgres://w@localhost:${heard.port}/${database}: localhost is 192\\.0\\.2\\.1 here, and not this machine`,
    ),
  });
  assert.equal(heard.received().length, 0);
  t.mock.reset();
  const twice = writeStorePins(folder, postgres.port, certificate);
  const entry = { target: `postgres://localhost:${postgres.port}`, pins: [certificateHex(certificate)] };
  const targets = [entry, { ...entry, servername: 'other.example' }];
  writeFileSync(twice, JSON.stringify({ version: 1, targets }));
  await assert.rejects(
    open(`postgres://w@localhost:${postgres.port}/${database}`, twice),
    /stands in it under several names/,
  );
});

test('a connection that is reset in the middle of a step: a failure that may pass, and the process goes on', async (t) => {
  const { database, user, password } = await createDatabase(postgres);
  let isArmed = false;
  const relay = createServer((client) => {
    const server = connect(postgres.port, postgres.host);
    for (const socket of [client, server]) socket.on('error', () => undefined);
    server.pipe(client);
    client.on('close', () => server.destroy());
    client.on('data', (chunk) => {
      server.write(chunk);
      if (isArmed && chunk.includes('BEGIN')) client.resetAndDestroy();
    });
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.after(() => relay.close());
  const { port } = relay.address() as AddressInfo;
  const config = { host: '127.0.0.1', port, user, password, database };
  const store = await openPostgresStore(config as never, { watches: true, name: 'store' });
  t.after(() => store.close());
  isArmed = true;
  await assert.rejects(store.recordWatcher({ startedAt: 1 }), { code: 'ERR_STORE', mayPass: true });
  isArmed = false;
  await store.recordWatcher({ startedAt: 2 });
  assert.equal((await store.watcher()).startedAt, 2);
});

test('what somebody else has written into the store is named, and is no end without a word', async (t) => {
  const store = await openPostgresStore(await createDatabase(postgres), { watches: true, name: 'store' });
  t.after(() => store.close());
  await store.pool.query("INSERT INTO certpin.watcher VALUES ('caughtUpAt', 'x')");
  await assert.rejects(store.watcher(), {
    code: 'ERR_STORE',
    message: 'store: something in it cannot be read, so somebody else has written to it',
  });
});

test('a second watcher is refused; who only reads is not, and finds a store that a watcher has made', async (t) => {
  const config = await createDatabase(postgres);
  const reads = { watches: false, name: 'store' };
  await assert.rejects(openPostgresStore(config, reads), /no watcher has run with this store/);
  const first = await openPostgresStore(config, { watches: true, name: 'store' });
  t.after(() => first.close());
  await assert.rejects(
    openPostgresStore(config, { watches: true, name: 'store' }),
    /another certpin watch uses this store/,
  );
  const reader = await openPostgresStore(config, reads);
  await reader.setMute({ key: 'a', until: 2, reason: 'r', since: 0 });
  assert.equal((await first.mutes(1)).length, 1);
  await reader.close();
});

test('a database that a newer certpin has made is left alone', async () => {
  const config = await createDatabase(postgres);
  const store = await openPostgresStore(config, { watches: true, name: 'store' });
  await store.close();
  const { Client } = (await import('pg')).default;
  const client = new Client(config);
  await client.connect();
  await client.query('UPDATE certpin.version SET steps = steps + 1');
  await client.end();
  for (const watches of [true, false])
    await assert.rejects(openPostgresStore(config, { watches, name: 'store' }), /a newer certpin has made this store/);
});

test('the server of the store restarts: what fails may pass, and the watcher has its lock again', async (t) => {
  const own = await startPostgres({ certificate });
  t.after(() => own.stop());
  const config = await createDatabase(own);
  const store = await openPostgresStore(config, { watches: true, name: 'store' });
  t.after(() => store.close());
  await store.recordWatcher({ startedAt: 1 });
  await own.restart();
  // A connection that was idle has ended; one that a query gets may not know it yet.
  for (let tries = 0; ; tries++) {
    try {
      assert.equal(await store.nextDueAt(), null);
      break;
    } catch (error) {
      assert.deepEqual([(error as StoreError).code, (error as StoreError).mayPass], ['ERR_STORE', true]);
      assert.ok(tries < 20, `each of its few connections may fail once: ${(error as Error).message}`);
    }
  }
  assert.equal((await store.watcher()).startedAt, 1);
  await assert.rejects(openPostgresStore(config, { watches: true, name: 'store' }), /another certpin watch/);
});

test('the command, with the store on PostgreSQL: one cycle, status and mute; then a watcher and its worker', {
  timeout: 180_000,
}, async (t) => {
  const folder = makeFolder(t);
  const server = await startTlsServer({ certificate });
  t.after(() => server.close());
  const target = `127.0.0.1:${server.port}`;
  const targets = [{ target, pins: [certificateHex(certificate)] }];
  writeFileSync(join(folder, 'certpin.json'), JSON.stringify({ version: 1, targets }));
  writeFileSync(join(folder, 'certpin.watch.json'), '{ "listen": { "address": "none" }, "expiresWithin": "0d" }');
  const { database } = await createDatabase(postgres);
  writeStorePins(folder, postgres.port, certificate);
  const place = [
    '--store',
    `postgres://postgres@localhost:${postgres.port}/${database}`,
    '--store-pins-file',
    'store.pins.json',
  ];
  const begin = (argv: readonly string[]) => {
    const env = { ...process.env, PGPASSWORD: postgres.password };
    const child = spawn(process.execPath, [bin, 'watch', ...argv, ...place], { cwd: folder, env });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk;
      });
    }
    const ended = once(child, 'close').then(([code]) => {
      assert.ok(!said.includes(postgres.password));
      return { code: code as number, said };
    });
    const until = async (words: RegExp): Promise<void> => {
      while (!words.test(said))
        await Promise.race([once(child.stderr, 'data'), ended.then(() => assert.match(said, words))]);
    };
    return { child, ended, until };
  };
  const run = (argv: readonly string[]) => begin(argv).ended;
  const nothing = await run(['status']);
  assert.equal(nothing.code, 2);
  assert.match(nothing.said, /no watcher has run/);
  assert.match((await run(['--once'])).said, new RegExp(`^holds +${target} +29 days left\n`));
  assert.match((await run(['mute', target, '--until', '2h'])).said, /^muted until/);
  server.present(await mint());
  assert.equal((await run(['--once', '-q'])).code, 1);
  assert.match((await run(['status'])).said, /^drift .*muted until/);
  const unit = await run(['--print-unit']);
  assert.match(unit.said, /"?--store"? "?postgres:\/\/postgres@localhost:.*--store-pins-file/);
  const early = await run(['--worker']);
  assert.equal(early.code, 2);
  assert.match(early.said, /nobody plans with this store yet/);
  const more = [...targets, { ...targets[0], servername: 'other.example' }];
  writeFileSync(join(folder, 'certpin.json'), JSON.stringify({ version: 1, targets: more }));
  const watcher = begin([]);
  await watcher.until(/"event":"shard-done"/);
  const worker = begin(['--worker']);
  await worker.until(/"event":"worker-started"/);
  for (const { child, ended } of [worker, watcher]) {
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
  }
});
