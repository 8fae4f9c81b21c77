// The accident this prevents: with many targets some check is always under way, and the watcher says that it is late although no target waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CycleOptions } from '../../src/cycle/options.ts';
import { Passes } from '../../src/cycle/passes.ts';
import type { WatcherRow } from '../../src/types.ts';

const NOW = 1_800_000_000_000;

/** @param unknown how many targets were never asked */
function open(watcher: Partial<WatcherRow>, unknown = 0) {
  let [now, elapsed] = [NOW, 1_000];
  const written: (number | null | undefined)[] = [];
  const store = {
    watcher: async () => ({ caughtUpAt: null, fileReadAt: NOW - 1, ...watcher }),
    countStates: async () => ({ unknown }),
    async recordWatcher({ caughtUpAt }: Partial<WatcherRow>) {
      written.push(caughtUpAt);
    },
  };
  const clock = { now: () => now, elapsed: () => elapsed };
  const pass = (milliseconds: number): void => {
    now += milliseconds;
    elapsed += milliseconds;
  };
  return { passes: new Passes({ store, clock } as unknown as CycleOptions), written, pass };
}

test('while checks are under way, and no target is overdue, nothing is late; this is written down now and then', async () => {
  const { passes, written, pass } = open({ caughtUpAt: NOW - 1 });
  for (let second = 0; second < 60; second++) {
    await passes.goOn(NOW - 5_000);
    pass(1_000);
  }
  assert.deepEqual(written, [NOW, NOW + 30_000]);
});

test('a target that is overdue for more than a minute makes it late', async () => {
  const { passes, written } = open({ caughtUpAt: NOW - 1 });
  await passes.goOn(NOW - 60_000);
  assert.deepEqual(written, []);
});

test('a watcher that runs for the first time has asked every target before it says so', async () => {
  for (const [watcher, unknown, expected] of [
    [{}, 1, []],
    [{ fileReadAt: null }, 0, []],
    [{}, 0, [NOW]],
  ] as const) {
    const { passes, written } = open(watcher, unknown);
    await passes.goOn(NOW);
    assert.deepEqual(written, expected);
  }
});
