import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { certificateHex, mint } from '@certpin/testkit';
import { type Postgres, startPostgres } from '@certpin/testkit/postgres';
import { watchAsWorker } from '../../src/workers/worker.ts';
import { plan, type Stage, startNames } from './stage.ts';

let postgres: Postgres;
before(async () => {
  postgres = await startPostgres({ certificate: await mint() });
});
after(() => postgres.stop());

interface Signal {
  readonly given: Promise<void>;
  readonly give: () => void;
}

function signal(): Signal {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}

interface Working {
  /** Shards that it has done. */
  readonly done: () => number;
  readonly stop: () => Promise<void>;
}

/** A worker in this process. @param onShard after each shard that it has done */
function work({ config }: Stage, name: string, onShard: () => void): Working {
  const stop = new AbortController();
  let count = 0;
  const log = (event: string): void => {
    if (event !== 'shard-done') return;
    count++;
    onShard();
  };
  const store = 'postgres' in config.store ? config.store.postgres : undefined;
  const place = { postgres: { ...(store as NonNullable<typeof store>), password: { env: 'PASSWORD' } } };
  const env = { PASSWORD: postgres.password };
  const ended = watchAsWorker({ ...config, name, store: place }, { log, version: '0.0.0', stop: stop.signal, env });
  return {
    done: () => count,
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

/** Of a test whose workers stand still. */
const limit = { timeout: 120_000 };

test('two workers share the shards evenly, and a shard that is being asked is not planned again', limit, async (t) => {
  const names = await startNames(t);
  const pins = [certificateHex(names.certificate)];
  const stage = await plan(t, postgres, { names, count: 400, pins, shardSize: 10 });
  const planned = await stage.store.dueShards(Date.now(), 10);
  await stage.planner.step();
  const all = signal();
  const onShard = (): void => {
    void stage.store.countStates().then(({ holds }) => holds === 400 && all.give());
  };
  const workers = ['a', 'b'].map((name) => work(stage, name, onShard));
  t.after(() => Promise.all(workers.map((worker) => worker.stop())));
  // One of them alone has no more than 4 open. So both are as fast as one another, whatever else the machine does: a share that is not even is
  // none of chance.
  for (let answered = 0; answered < 360; answered += 8) {
    await names.waiting(8);
    if (answered === 0) await stage.planner.step();
    names.answer(8);
  }
  names.answer();
  await all.given;
  await Promise.all(workers.map((worker) => worker.stop()));
  const [{ checks } = { checks: 0 }] = await stage.store.dayTotals('2000-01-01');
  const shards = workers.map((worker) => worker.done());
  const sum = shards.reduce((one, other) => one + other, 0);
  assert.deepEqual([checks, names.answered(), sum], [400, 400, planned.length], 'each target once, and each shard');
  // Of 41 shards, 36 at the least were shared in turn.
  for (const share of shards) assert.ok(share >= 16, `shards: ${shards}`);
});

test(
  'a target that cannot be asked at all holds up no shard, and nothing is caught up with before it was asked',
  limit,
  async (t) => {
    const names = await startNames(t);
    names.answer();
    const pins = [certificateHex(names.certificate)];
    const stage = await plan(t, postgres, { names, count: 21, pins, shardSize: 10 });
    const { store, planner } = stage;
    await planner.step();
    assert.equal((await store.watcher()).caughtUpAt, null, 'the pins file was not read yet');
    await store.recordWatcher({ fileReadAt: Date.now() });
    // The last one is alone in its shard.
    const { rows } = await store.pool.query('SELECT key, text FROM certpin.target ORDER BY number DESC LIMIT 1');
    const [{ key, text }] = rows;
    const define = (as: string) => store.pool.query('UPDATE certpin.target SET text = $1 WHERE key = $2', [as, key]);
    await define('damaged');
    const [others, mended] = [signal(), signal()];
    const worker = work(stage, 'a', () => worker.done() === 3 && others.give());
    t.after(() => worker.stop());
    await others.given;
    const { holds, unknown } = await store.countStates();
    assert.deepEqual([holds, unknown], [20, 1]);
    await planner.step();
    assert.equal((await store.watcher()).caughtUpAt, null, 'one was not asked yet');
    await worker.stop();
    await define(text);
    const other = work(stage, 'b', () => mended.give());
    t.after(() => other.stop());
    await mended.given;
    await planner.step();
    assert.notEqual((await store.watcher()).caughtUpAt, null);
  },
);

const child = fileURLToPath(new URL('worker-child.ts', import.meta.url));

function spawnWorker(t: TestContext, { configFile, env }: Stage): ChildProcess {
  const process_ = spawn(process.execPath, ['--import', 'tsx', child, configFile], {
    ...{ env, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  t.after(() => process_.kill('SIGKILL'));
  return process_;
}

test('one worker is killed, one stands still for too long: every target is checked, and none is reported twice', {
  timeout: 240_000,
}, async (t) => {
  const names = await startNames(t);
  const stage = await plan(t, postgres, {
    names,
    count: 60,
    pins: ['A'.repeat(64)],
    shardSize: 10,
    heartbeatSeconds: 10,
  });
  await stage.planner.step();
  const [killed, stopped] = [spawnWorker(t, stage), spawnWorker(t, stage)];
  for (const one of [killed, stopped]) one.stdout?.resume();
  await names.waiting(8);
  names.answer(20);
  // What was answered is written down, and both wait for their next answers.
  for (let tries = 0; (await stage.store.countStates()).drift < 20; tries++) {
    assert.ok(tries < 1_200, 'what was answered is not written down');
    await wait(50);
  }
  await names.waiting(8);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  stopped.kill('SIGSTOP');
  const all = signal();
  const worker = work(stage, 'c', () => {
    void stage.store.countStates().then(({ drift }) => drift === 60 && all.give());
  });
  t.after(() => worker.stop());
  names.answer();
  await all.given;
  await worker.stop();
  const more = signal();
  stopped.stdout?.on('data', (line: Buffer) => line.includes('shard-done') && more.give());
  stopped.kill('SIGCONT');
  // It says what it has found meanwhile, and does another shard.
  await stage.store.allDue(Date.now() - 1);
  await stage.planner.step();
  await more.given;
  const transitions = await stage.store.transitions({ limit: 1_000 });
  assert.equal(transitions.length, 60);
  assert.equal(new Set(transitions.map(({ key }) => key)).size, 60);
  assert.deepEqual(
    (await stage.store.outboxCounts()).map(({ waiting }) => waiting),
    [60],
  );
});
