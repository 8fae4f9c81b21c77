// The accident this prevents: a machine that was taken for dead comes back, and asks, or speaks for, what others have by now.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PostgresStore } from '../../src/store/postgres.ts';
import type { DueTarget, Outgoing, Recorded } from '../../src/store/store.ts';
import type { TargetRow, Transition, WatcherRow } from '../../src/types.ts';
import type { Plan } from '../../src/workers/plan.ts';
import type { Claim, ShardQueue } from '../../src/workers/queue.ts';
import { createShardSource } from '../../src/workers/shard-source.ts';

function target(key: string): DueTarget {
  return { row: { key, label: key } as TargetRow, text: `text of ${key}`, memory: null };
}

const keysOf = (due: readonly DueTarget[]): string[] => due.map(({ row }) => row.key);
const checksOf = (...keys: readonly string[]): Recorded[] => keys.map((key) => ({ key }) as Recorded);
const noKeys: ReadonlySet<string> = new Set();

interface Given {
  /** Those of each shard, by its number; a later take of it sees them as they are then. */
  readonly shards: Record<number, readonly string[]>;
  readonly here?: readonly string[];
  readonly worker?: string;
}

/** A source whose queue gives shards in the order of `queued`. */
function open(t: TestContext, { shards, here = [], worker = 'w' }: Given & { readonly planner?: boolean }) {
  const queued: number[] = [];
  const said: string[] = [];
  const recorded: (readonly [change: Partial<WatcherRow>, transitions: readonly Outgoing[]])[] = [];
  const sleepers: (() => void)[] = [];
  let lost: readonly Claim[] = [];
  let now = 1_000;
  let id = 0;
  let hereAsked = 0;
  const queue: ShardQueue = {
    put: async () => undefined,
    async take() {
      const shard = queued.shift();
      return shard === undefined ? undefined : { id: `claim-${id++}`, retryCount: 0, shard };
    },
    async renew(claims) {
      said.push(`renew ${claims.map((claim) => claim.id).join(' ')}`);
      return claims.filter((claim) => lost.some((one) => one.id === claim.id));
    },
    async done(claim) {
      said.push(`done ${claim.id}`);
    },
    async giveBack(claim) {
      said.push(`back ${claim.id}`);
    },
    close: async () => undefined,
  };
  const store = {
    dueOfShard: async (shard: number) => (shards[shard] ?? []).map(target),
    async dueHere(_at: number, limit: number, without: ReadonlySet<string>) {
      hereAsked++;
      return here
        .filter((key) => !without.has(key))
        .slice(0, limit)
        .map(target);
    },
    record: async (checks: readonly Recorded[]) => new Set(checks.map(({ key }) => key)),
    async recordWatcher(change: Partial<WatcherRow>, transitions: readonly Outgoing[] = []) {
      recorded.push([change, transitions]);
    },
  } as unknown as PostgresStore;
  const source = createShardSource({
    ...{ store, queue, worker: worker === 'planner' ? undefined : worker, log: () => undefined },
    readPlan: async () => ({ shardSize: 4 }) as Plan,
    clock: {
      now: () => now,
      elapsed: () => now,
      sleep: (_milliseconds, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
          sleepers.push(resolve);
        }),
    },
  });
  const stop = new AbortController();
  const running = source.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
  });
  return {
    ...{ source, queued, said, recorded },
    hereAsked: () => hereAsked,
    lose: (...ids: readonly string[]) => {
      lost = ids.map((one) => ({ id: one, retryCount: 0, shard: 0 }));
    },
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    /** The worker says once that it lives. */
    async renew() {
      const before = said.filter((line) => line.startsWith('renew')).length;
      for (const wake of sleepers.splice(0)) wake();
      while (said.filter((line) => line.startsWith('renew')).length === before) await turn();
      await turn();
    },
  };
}

test('a shard is done when all of its targets are written down, and not before', async (t) => {
  const { source, queued, said } = open(t, { shards: { 0: ['a', 'b'], 1: [] } });
  queued.push(0, 1);
  assert.deepEqual(keysOf(await source.store.due(0, 9, noKeys)), ['a', 'b']);
  await source.store.record(checksOf('a'));
  assert.deepEqual(said, []);
  // Before the first one is used up, the next one is taken.
  await source.store.due(0, 9, new Set(['b']));
  await turn();
  assert.deepEqual(said, ['done claim-1'], 'the one without any is done at once');
  assert.deepEqual(keysOf(await source.store.due(0, 9, noKeys)), ['b']);
  await source.store.record(checksOf('b'));
  assert.deepEqual(said, ['done claim-1', 'done claim-0']);
});

test('a target that stands in two shards, as after a new plan, is given out once', async (t) => {
  const { source, queued, said } = open(t, { shards: { 0: ['a', 'b'], 7: ['b', 'c'] } });
  queued.push(0, 7);
  assert.deepEqual(keysOf(await source.store.due(0, 1, noKeys)), ['a']);
  await source.store.due(0, 9, new Set(['a']));
  await turn(); // the next shard is taken before this one is used up
  const both = keysOf(await source.store.due(0, 9, new Set(['a'])));
  assert.deepEqual(both.sort(), ['b', 'c']);
  await source.store.record(checksOf('a', 'b', 'c'));
  assert.deepEqual(said, ['done claim-0', 'done claim-1'], 'written down once, it is done in both');
});

test('a shard that was given away and given back is held once, as it is now', async (t) => {
  const shards: Record<number, readonly string[]> = { 0: ['a', 'b'] };
  const { source, queued, said } = open(t, { shards });
  queued.push(0);
  assert.deepEqual(keysOf(await source.store.due(0, 9, noKeys)), ['a', 'b']);
  // This process stood still: another one has asked `a` meanwhile, and was killed.
  shards[0] = ['b'];
  queued.push(0);
  await source.store.due(0, 9, new Set(['a', 'b']));
  await turn();
  assert.deepEqual(keysOf(await source.store.due(0, 9, noKeys)), ['b'], 'the older claim counts no more');
  await source.store.record(checksOf('a', 'b'));
  assert.deepEqual(said, ['done claim-1'], 'nothing is said of the older claim');
});

test('a claim that is lost is let go: its targets are asked by others, and nothing is said of it', async (t) => {
  const { source, queued, said, lose, renew } = open(t, { shards: { 0: ['a'], 1: ['b'] } });
  queued.push(0, 1);
  await source.store.due(0, 9, noKeys);
  await source.store.due(0, 9, new Set(['a']));
  lose('claim-0');
  await renew();
  assert.deepEqual(said, ['renew claim-0 claim-1']);
  assert.deepEqual(keysOf(await source.store.due(0, 9, noKeys)), ['b']);
  await source.store.record(checksOf('a', 'b'));
  assert.deepEqual(said.slice(1), ['done claim-1']);
});

test('what a worker says of itself is no word of the planner’s, and its notices name it', async (t) => {
  const transition = { kind: 'network-lost', reason: 'no server' } as Transition;
  const change = { caughtUpAt: 1, passTargets: 2, passSeconds: 3, networkLostAt: 4, startedAt: 5 };
  const worker = open(t, { shards: {}, worker: 'east' });
  await worker.source.store.recordWatcher(change, [{ transition, receivers: ['ops'] }]);
  assert.deepEqual(worker.recorded, [
    [{}, [{ transition: { ...transition, reason: 'worker east: no server' }, receivers: ['ops'] }]],
  ]);
  const planner = open(t, { shards: {}, worker: 'planner' });
  await planner.source.store.recordWatcher(change, [{ transition, receivers: ['ops'] }]);
  assert.deepEqual(planner.recorded, [[{ networkLostAt: 4, startedAt: 5 }, [{ transition, receivers: ['ops'] }]]]);
});

test('a worker without a network gives its shards back, and takes no other until it is back', async (t) => {
  const { source, queued, said, pass } = open(t, { shards: { 0: ['a'], 1: ['b'] } });
  queued.push(0);
  await source.store.due(0, 9, noKeys);
  await source.store.recordWatcher({ networkLostAt: 1 });
  assert.deepEqual(said, ['back claim-0']);
  queued.push(1);
  pass(60_000);
  assert.deepEqual(keysOf(await source.store.due(0, 9, noKeys)), []);
  await source.store.recordWatcher({ networkLostAt: null });
  assert.deepEqual(keysOf(await source.store.due(0, 9, noKeys)), ['b']);
});

test('files and unix sockets of the planner: it asks them, no worker does, and it does not look for them all the time', async (t) => {
  const here = ['file /etc/x.pem', 'unix /run/x'];
  const planner = open(t, { shards: { 0: ['a'] }, here, worker: 'planner' });
  planner.queued.push(0);
  assert.deepEqual(keysOf(await planner.source.store.due(0, 9, noKeys)), here);
  const busy = new Set(here);
  assert.deepEqual(keysOf(await planner.source.store.due(0, 9, busy)), ['a']);
  await planner.source.store.due(0, 9, busy);
  assert.equal(planner.hereAsked(), 1);
  planner.pass(1_000);
  await planner.source.store.due(0, 9, busy);
  assert.equal(planner.hereAsked(), 2);
  // Where there were more of them than were asked for, the others come at once.
  planner.pass(1_000);
  assert.deepEqual(keysOf(await planner.source.store.due(0, 1, noKeys)), here.slice(0, 1));
  assert.deepEqual(keysOf(await planner.source.store.due(0, 1, new Set(here.slice(0, 1)))), here.slice(1));
  const worker = open(t, { shards: { 0: ['a'] }, here });
  worker.queued.push(0);
  assert.deepEqual(keysOf(await worker.source.store.due(0, 9, noKeys)), ['a']);
  assert.equal(worker.hereAsked(), 0);
});
