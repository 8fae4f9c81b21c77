// The accident this prevents: a cycle over many targets costs more for each of them than one over few; or what it has found is lost, or told twice,
// where it is killed or the store fails.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { StoreError } from '../../src/store/store-error.ts';
import type { State } from '../../src/types.ts';
import { type Rig, startRig } from '../rig.ts';
import { askAs, manyTargets } from './asked.ts';

const CONCURRENCY = 8; // of the rig

/** What a run asks of its store, and how much it writes at a time. */
function listen(rig: Rig) {
  const { store } = rig;
  const leftOut: number[] = [];
  const sizes: number[] = [];
  rig.store = {
    ...store,
    due: (at, limit, without) => {
      leftOut.push(without.size);
      return store.due(at, limit, without);
    },
    record: (checks) => {
      sizes.push(checks.length);
      return store.record(checks);
    },
  };
  return { leftOut, sizes };
}

const start = (t: TestContext, count: number, stateOf: (label: string) => State | Promise<State>) =>
  startRig(t, manyTargets(count), { ask: askAs(stateOf) });

test('targets are taken from the store, and written down, many at a time; each is asked once', async (t) => {
  const rig = await start(t, 1_300, () => 'holds');
  const { leftOut, sizes } = listen(rig);
  const { found, targets } = await rig.once();
  assert.deepEqual([found.length, targets, rig.checks()], [1_300, 1_300, 1_300]);
  assert.equal(new Set(found.map(({ label }) => label)).size, 1_300);
  // The store has to leave out those that are under way, and none that is written, however many there are.
  assert.ok(leftOut.length <= 3 && Math.max(...leftOut) <= CONCURRENCY, leftOut.join());
  assert.ok(sizes.length <= 4 && Math.max(...sizes) <= 500 + CONCURRENCY, sizes.join());
});

test('a server that does not answer keeps nobody else unwritten for longer than a second', async (t) => {
  let answer = (_state: State): void => undefined;
  const held = new Promise<State>((resolve) => {
    answer = resolve;
  });
  const rig = await start(t, 20, (label) => (label.startsWith('s3.') ? held : 'holds'));
  const { sizes } = listen(rig);
  const run = rig.once();
  for (let turns = 0; rig.checks() < 19; turns++) {
    assert.ok(turns < 10_000, 'the others are asked');
    await turn();
  }
  for (let turns = 0; turns < 20; turns++) await turn();
  assert.deepEqual(sizes, []);
  rig.clock.advance(999);
  for (let turns = 0; turns < 20; turns++) await turn();
  assert.deepEqual(sizes, []);
  rig.clock.advance(1);
  for (let turns = 0; turns < 20; turns++) await turn();
  assert.deepEqual(sizes, [19]);
  answer('holds');
  assert.equal((await run).found.length, 20);
  assert.deepEqual(sizes, [19, 1]);
});

test('the store fails in the middle: the run ends with that, what was written stays, and the next run does the rest; all is told once', async (t) => {
  let state: State = 'holds';
  const rig = await start(t, 1_300, () => state);
  await rig.once();
  state = 'drift';
  const { store } = rig;
  let writes = 0;
  rig.store = {
    ...store,
    record: async (checks) => {
      if (++writes === 2) throw new StoreError('no space is left on the disk', true);
      return store.record(checks);
    },
  };
  await assert.rejects(rig.once(), { code: 'ERR_STORE', message: 'no space is left on the disk' });
  const { drift, holds } = await store.countStates();
  assert.ok(drift > 400 && drift < 600 && drift + holds === 1_300, `${drift} of 1300 were written`);
  assert.equal((await rig.told()).length, drift);
  assert.equal((await rig.once()).found.length, 1_300);
  const rest = await rig.told();
  assert.deepEqual([rest.length, new Set(rest)], [1_300 - drift, new Set(['holds>drift'])]);
});

test('a run that is stopped writes down what it has found until then', async (t) => {
  const rig = await start(t, 60, () => 'drift');
  const stop = new AbortController();
  let asked = 0;
  await rig.restart({
    ask: askAs(() => {
      if (++asked === 30) stop.abort();
      return 'drift';
    }),
  });
  const { found, targets } = await rig.once(stop.signal);
  assert.ok(found.length >= 30 && found.length < 60, `${found.length} of ${targets}`);
  assert.equal((await rig.store.countStates()).drift, found.length);
  assert.equal((await rig.told()).length, found.length);
});
