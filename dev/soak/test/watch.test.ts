import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { longOnly } from '@certpin/testkit';
import { faultsOf, growthOf, type Sample } from '../src/watch/growth.ts';
import type { WatchSoakResult } from '../src/watch/watch-soak.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

test('the watcher, in the short form of an hour: memory and file descriptors stay what they are, and nothing is told twice', {
  timeout: 300_000,
  ...longOnly,
}, async () => {
  const flags = ['--import', 'tsx', main, 'watch', '--minutes', '0', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 280_000 }).catch((error) => error);
  assert.match(stdout, /^\{/);
  const { ok, faults, rounds, told, handshakes, targets } = JSON.parse(stdout) as WatchSoakResult & { ok: boolean };
  assert.deepEqual({ ok, faults }, { ok: true, faults: [] });
  assert.equal(rounds, 6);
  // Each round has another pins file, and so each target is asked in it.
  assert.ok(told > 0 && handshakes > 4 * targets, `${told} transitions, ${handshakes} handshakes`);
});

describe('growth', () => {
  const sample: Sample = { heap: 30e6, external: 5e6, resident: 120e6, descriptors: 40 };
  const series = (change: (index: number) => Partial<Sample>): readonly string[] =>
    faultsOf(growthOf(Array.from({ length: 30 }, (_, index) => ({ ...sample, ...change(index) }))));

  test('what warms up, and what goes up and down, is none', () => {
    assert.deepEqual(
      series(() => ({})),
      [],
    );
    assert.deepEqual(
      series((index) => ({ heap: index < 8 ? 10e6 + index * 2e6 : 30e6 })),
      [],
    );
    assert.deepEqual(
      series((index) => ({ descriptors: 40 + (index % 3) * 20, heap: 30e6 + (index % 4) * 8e6 })),
      [],
    );
  });

  for (const [figure, step] of Object.entries({ heap: 2e5, external: 2e5, resident: 2e6, descriptors: 1 })) {
    test(`${figure} that goes up a little each time is one`, () => {
      const found = series((index) => ({ [figure]: sample[figure as keyof Sample] + index * step }));
      assert.equal(found.length, 1);
      assert.match(found[0] ?? '', new RegExp(`^${figure} grows: `));
    });
  }

  test('of too few samples nothing is said', () => {
    assert.throws(() => growthOf(Array.from({ length: 5 }, () => sample)), RangeError);
  });
});
