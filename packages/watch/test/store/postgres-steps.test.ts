// The accident this prevents: two machines do the same at once, and half of one is kept, or one of them is told what the other was told.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { mint } from '@certpin/testkit';
import { type Postgres, startPostgres } from '@certpin/testkit/postgres';
import { Client, type ClientConfig } from 'pg';
import { openPostgresStore, type PostgresStore } from '../../src/store/postgres.ts';
import type { WatchedTarget } from '../../src/store/store.ts';
import type { Transition } from '../../src/types.ts';
import { openQueue } from '../../src/workers/queue.ts';
import { createDatabase } from './database.ts';

let postgres: Postgres;
before(async () => {
  postgres = await startPostgres({ certificate: await mint() });
});
after(() => postgres.stop());

async function open(t: TestContext, config: ClientConfig, watches = true): Promise<PostgresStore> {
  const store = await openPostgresStore(config as never, { watches, name: 'store' });
  t.after(() => store.close());
  return store;
}

async function connect(t: TestContext, config: ClientConfig): Promise<Client> {
  const client = new Client(config);
  await client.connect();
  t.after(() => client.end());
  return client;
}

/** So many connections of the store stand and wait for a lock. */
async function areWaiting(client: Client, count: number): Promise<void> {
  const sql = `SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'`;
  for (let tries = 0; tries < 600; tries++) {
    if ((await client.query(sql)).rows[0].count >= count) return;
    await wait(20);
  }
  assert.fail(`${count} connections do not wait for a lock`);
}

function target(key: string, given: Partial<WatchedTarget> = {}): WatchedTarget {
  const own = { id: null, servername: null, note: null, line: 1, pins: [], intervalMs: 3_600_000, isHere: false };
  return { key, label: key, text: `text of ${key}`, ...own, ...given };
}

async function* from(...targets: readonly WatchedTarget[]): AsyncGenerator<WatchedTarget> {
  yield* targets;
}

test('two senders ask for the message of one receiver: one has it, and the other has none', async (t) => {
  const config = await createDatabase(postgres);
  const store = await open(t, config);
  const transition: Transition = {
    ...{
      id: randomUUID(),
      at: 1,
      kind: 'network-lost' as const,
      key: null,
      label: null,
      targetId: null,
      servername: null,
    },
    ...{ from: null, to: null, remark: null, reason: 'x', mutedBy: null, addresses: [], endsAt: null },
  };
  await store.recordWatcher({}, [{ transition, receivers: ['ops'] }]);
  // Nobody gets at the row, so both come as far as they can.
  const other = await connect(t, config);
  await other.query('BEGIN');
  await other.query('SELECT * FROM certpin.outbox FOR UPDATE');
  const claim = () => store.claimMessage({ receiver: 'ops', now: 2, leaseUntil: 90, max: 9, ripeAt: 2 });
  const both = Promise.all([claim(), claim()]);
  both.catch(() => undefined);
  const reader = await connect(t, config);
  await areWaiting(reader, 2);
  await other.query('COMMIT');
  const found = (await both).filter((one) => one !== undefined);
  assert.deepEqual(
    found.map(({ transitions }) => transitions.length),
    [1],
  );
  assert.equal((await reader.query('SELECT count(*)::int AS count FROM certpin.message')).rows[0].count, 1);
});

test('a step that another one has crossed is begun again: a deadlock', async (t) => {
  const config = await createDatabase(postgres);
  const store = await open(t, config);
  await store.recordWatcher({ startedAt: 1, caughtUpAt: 1 });
  const other = await connect(t, config);
  // It never looks for a deadlock itself. So it is the step that the server ends.
  await other.query("SET deadlock_timeout = '1h'");
  await other.query('BEGIN');
  await other.query("UPDATE certpin.watcher SET value = '2' WHERE name = 'caughtUpAt'");
  const step = store.recordWatcher({ startedAt: 3, caughtUpAt: 3 }); // it has the first row, and waits for the second
  step.catch(() => undefined);
  await areWaiting(await connect(t, config), 1);
  await other.query("UPDATE certpin.watcher SET value = '2' WHERE name = 'startedAt'");
  await other.query('COMMIT');
  await step;
  const { startedAt, caughtUpAt } = await store.watcher();
  assert.deepEqual([startedAt, caughtUpAt], [3, 3]);
});

test('a step that another one has crossed is begun again: a serialization failure', async (t) => {
  const config = await createDatabase(postgres);
  const admin = await connect(t, config);
  await admin.query(`ALTER DATABASE ${config.database} SET default_transaction_isolation = 'repeatable read'`);
  const store = await open(t, config);
  await store.recordWatcher({ startedAt: 1 });
  const other = await connect(t, config);
  await other.query('BEGIN');
  await other.query("UPDATE certpin.watcher SET value = '2' WHERE name = 'startedAt'");
  const step = store.recordWatcher({ startedAt: 3 });
  step.catch(() => undefined);
  await areWaiting(admin, 1);
  await other.query('COMMIT');
  await step;
  assert.equal((await store.watcher()).startedAt, 3);
});

test('two read a pins file into one database at once: no half of the one is mixed with the other', async (t) => {
  const config = await createDatabase(postgres);
  const store = await open(t, config);
  const second = await open(t, config, false);
  const names = (letter: string) => Array.from({ length: 600 }, (_, index) => target(`${letter}${index}`));
  let goOn = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let isHeld = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    isHeld = resolve;
  });
  const first = store.importTargets(
    (async function* () {
      const all = names('a');
      yield* all.slice(0, 550); // more than are written at once
      isHeld();
      await held;
      yield* all.slice(550);
    })(),
    1,
  );
  await stopped;
  const other = second.importTargets(from(...names('b')), 2);
  await Promise.race([other, areWaiting(await connect(t, config), 1)]);
  goOn();
  await Promise.all([first, other]);
  const { total } = await store.targets({ limit: 1 });
  const { total: ofSecond } = await store.targets({ search: 'b', limit: 1 });
  assert.deepEqual([total, ofSecond], [600, 600]);
});

test('a pins file is read while a worker writes: neither is ended by the other', async (t) => {
  const config = await createDatabase(postgres);
  const store = await open(t, config);
  await store.importTargets(from(target('a'), target('b')), 1);
  const worker = await connect(t, config);
  await worker.query("SET deadlock_timeout = '1h'");
  await worker.query('BEGIN');
  await worker.query("UPDATE certpin.target SET reason = 'x' WHERE key = 'b'");
  const reading = store.importTargets(from(target('a', { line: 2 }), target('b', { line: 2 })), 2);
  reading.catch(() => undefined);
  await areWaiting(await connect(t, config), 1);
  await worker.query("UPDATE certpin.target SET reason = 'x' WHERE key = 'a'");
  await worker.query('COMMIT');
  await reading;
  assert.deepEqual(
    (await store.targets({ sort: 'label' })).rows.map(({ line, reason }) => [line, reason]),
    [
      [2, 'x'],
      [2, 'x'],
    ],
  );
});

test('files and unix sockets stand in no shard; who has them asks for them', async (t) => {
  const store = await open(t, await createDatabase(postgres));
  const file = target('file /etc/x.pem', { isHere: true });
  const here = [file, target('unix /run/x', { isHere: true })];
  // The first shard of two has only those.
  await store.importTargets(from(...here, target('a'), target('b'), target('c')), 1);
  const { rows } = await store.pool.query('SELECT number, key FROM certpin.target ORDER BY number');
  const shardOf = (key: string) => Math.floor(rows.find((row) => row.key === key).number / 2);
  const shards = await store.dueShards(1, 2);
  assert.deepEqual(shards, [...new Set(['a', 'b', 'c'].map(shardOf))]);
  const keys = async (shard: number) => (await store.dueOfShard(shard, 2, 1)).map(({ row }) => row.key);
  assert.deepEqual((await Promise.all([0, 1, 2, 3].map(keys))).flat(), ['a', 'b', 'c']);
  const dueHere = async (at: number, limit: number, ...without: string[]) =>
    (await store.dueHere(at, limit, new Set(without))).map(({ row }) => row.key);
  assert.deepEqual(await dueHere(1, 9), [file.key, 'unix /run/x']);
  assert.deepEqual(await dueHere(1, 1), [file.key]);
  assert.deepEqual(await dueHere(1, 9, file.key), ['unix /run/x']);
  assert.deepEqual(await dueHere(0, 9), [], 'before they are due');
});

test('a schema that belongs to somebody else is refused: that one could have anything done in it', async (t) => {
  for (const schema of ['certpin', 'certpin_queue']) {
    const config = await createDatabase(postgres);
    const admin = await connect(t, config);
    const [owner, user] = [`${config.database}_${schema}_owner`, `${config.database}_${schema}_user`];
    await admin.query(`CREATE ROLE ${owner}`);
    await admin.query(`CREATE ROLE ${user} LOGIN PASSWORD 'x'`);
    await admin.query(`GRANT CREATE ON DATABASE ${config.database} TO ${user}`);
    await admin.query(`CREATE SCHEMA ${schema} AUTHORIZATION ${owner}`);
    // Whatever may be done there: it is about who can change it.
    await admin.query(`GRANT ALL ON SCHEMA ${schema} TO ${user}`);
    const own = { ...config, user, password: 'x' };
    for (const watches of [true, false]) {
      await assert.rejects(openPostgresStore(own as never, { watches, name: 'store' }), {
        code: 'ERR_STORE',
        mayPass: false,
        message: `store: the schema ${schema} belongs to ${owner}, and not to this user: ALTER SCHEMA ${schema} OWNER TO the user of certpin, or name another database`,
      });
    }
    const { rows } = await admin.query(
      "SELECT count(*)::int AS count FROM pg_class WHERE relnamespace::regnamespace::text LIKE 'certpin%'",
    );
    assert.equal(rows[0].count, 0, 'nothing was made there');
    // A member of the role that owns it is no stranger.
    await admin.query(`GRANT ${owner} TO ${user}`);
    const store = await openPostgresStore(own as never, { watches: true, name: 'store' });
    const queue = await openQueue(store.pool, { plans: true, log: () => undefined });
    await queue.close();
    await store.close();
  }
});
