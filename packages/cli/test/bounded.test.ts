import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { mapBounded } from '../src/bounded.ts';

test('results stand in the order of the items, and no more than the limit run at a time', async () => {
  let running = 0;
  let most = 0;
  const items = Array.from({ length: 50 }, (_, index) => index);
  const results = mapBounded(items, 8, async (item) => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < (item % 5) * 3; turn++) await setImmediate();
    running--;
    return item * 2;
  });
  assert.deepEqual(
    await Promise.all(results),
    items.map((item) => item * 2),
  );
  assert.equal(most, 8);
});

test('a failure is the failure of its own item', async () => {
  const results = mapBounded([1, 2, 3], 1, async (item) => {
    if (item === 2) throw new Error('two');
    return item;
  });
  const settled = await Promise.allSettled(results);
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});
