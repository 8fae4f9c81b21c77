import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLookAhead } from '../../src/cycle/look-ahead.ts';
import type { DueTarget, Recorded, Store } from '../../src/store/store.ts';
import type { TargetRow } from '../../src/types.ts';

const nobody: ReadonlySet<string> = new Set();
const keysOf = (due: readonly DueTarget[]): string[] => due.map(({ row }) => row.key);
const checksOf = (...keys: readonly string[]): Recorded[] => keys.map((key) => ({ key }) as Recorded);
const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

/** A store in which targets are due, in their order. */
function open(count: number) {
  let due = numbers(0, count);
  const questions: { readonly limit: number; readonly without: number }[] = [];
  let now = 0;
  const store = {
    async due(_at: number, limit: number, without: ReadonlySet<string>) {
      questions.push({ limit, without: without.size });
      return due
        .filter((key) => !without.has(key))
        .slice(0, limit)
        .map((key): DueTarget => ({ row: { key } as TargetRow, text: '', memory: null }));
    },
    async record(checks: readonly Recorded[]) {
      const keys = new Set(checks.map(({ key }) => key));
      due = due.filter((key) => !keys.has(key));
      return keys;
    },
    importTargets: async () => undefined,
    clampDue: async () => undefined,
    allDue: async () => undefined,
  } as unknown as Store;
  return {
    store: withLookAhead(store, { elapsed: () => now }),
    questions,
    become: (keys: readonly string[]) => {
      due = [...keys];
    },
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test('many are taken at a time, and each is given out once, in the order of the store', async () => {
  const { store, questions } = open(1_100);
  const busy = new Set<string>();
  const given: string[] = [];
  for (let count = 0; count < 1_100; count += 20) {
    const some = keysOf(await store.due(0, 20, busy));
    for (const key of some) busy.add(key);
    given.push(...some);
    if (count % 200 !== 180) continue;
    for (const key of await store.record(checksOf(...busy))) busy.delete(key);
  }
  assert.deepEqual(given, numbers(0, 1_100));
  assert.equal(questions.length, 3);
  assert.ok(
    questions.every(({ limit, without }) => limit === 500 && without <= 200),
    JSON.stringify(questions),
  );
});

test('those that are being asked are not given out, nor those that were asked out of their turn', async () => {
  const { store } = open(10);
  assert.deepEqual(keysOf(await store.due(0, 2, nobody)), ['0', '1']);
  assert.deepEqual(keysOf(await store.due(0, 2, new Set(['0', '1', '3']))), ['2', '4']);
  await store.record(checksOf('0', '1', '5'));
  assert.deepEqual(keysOf(await store.due(0, 2, new Set(['2', '3', '4']))), ['6', '7']);
});

test('a store that has no more is asked again after half a second, and not before', async () => {
  const { store, questions, pass, become } = open(1);
  assert.deepEqual(keysOf(await store.due(0, 5, nobody)), ['0']);
  become(['0', '1']);
  for (let tries = 0; tries < 9; tries++) assert.deepEqual(keysOf(await store.due(0, 5, new Set(['0']))), []);
  assert.equal(questions.length, 1);
  pass(500);
  assert.deepEqual(keysOf(await store.due(0, 5, new Set(['0']))), ['1']);
});

for (const [what, change] of [
  ['another pins file', (store: Store) => store.importTargets((async function* () {})(), 0)],
  ['a clock that was set', (store: Store) => store.clampDue(0)],
  ['a word that all are due', (store: Store) => store.allDue(0)],
] as const) {
  test(`after ${what}, the store is asked anew`, async () => {
    const { store, become } = open(9);
    assert.deepEqual(keysOf(await store.due(0, 2, nobody)), ['0', '1']);
    become(['7', 'new']);
    await change(store);
    assert.deepEqual(keysOf(await store.due(0, 9, nobody)), ['7', 'new']);
    // A store that had no more, too.
    become(['newer']);
    await change(store);
    assert.deepEqual(keysOf(await store.due(0, 9, nobody)), ['newer']);
  });
}
