// The accident this prevents: a worker takes half a plan, cuts no shards or other ones than the planner, and tells nobody.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../src/config/read-config.ts';
import { planOf, readPlan } from '../../src/workers/plan.ts';

const plan = {
  ...planOf(readConfig({ file: 'certpin.json' }), new Set(['key of one'])),
  receivers: [{ name: 'ops' }, { name: 'chat', states: ['drift'], remarks: ['same-key'] }],
};

test('what a planner writes is read', () => {
  assert.deepEqual(readPlan(JSON.stringify(plan)), plan);
});

const { up, down } = plan.hysteresis;
const wrong: Readonly<Record<keyof typeof plan, readonly unknown[]>> = {
  pinsFile: [undefined, null, 1, ''],
  shardSize: [undefined, null, '500', 0, -1, 1.5],
  hysteresis: [
    ...[undefined, null, 1, {}, { up }, { down }, { up, down: null }],
    ...[
      { up, down: { ...down, drift: undefined } },
      { up: { ...up, holds: 0 }, down },
      { up: { ...up, mixed: '2' }, down },
    ],
  ],
  timeoutMs: [undefined, null, '5000', 0, -1, 0.5],
  retries: [undefined, null, '1', -1, 0.5],
  recheckMs: [undefined, null, '60000', 0, -1, 0.5],
  receivers: [
    ...[undefined, null, {}, 'ops', [null], ['ops'], [{}], [{ name: '' }], [{ name: 1 }]],
    ...[[{ name: 'ops', states: 'drift' }], [{ name: 'ops', states: ['gone'] }], [{ name: 'ops', remarks: [1] }]],
  ],
  rotating: [undefined, null, {}, 'key', [1], [null], ['']],
};

for (const [name, values] of Object.entries(wrong)) {
  test(`a plan whose ${name} is no such thing is refused`, () => {
    for (const value of values) {
      const text = JSON.stringify({ ...plan, [name]: value });
      assert.throws(() => readPlan(text), { name: 'SyntaxError', message: `this is no plan: ${name}` }, text);
    }
  });
}

test('what is no object is no plan', () => {
  for (const text of ['null', '[]', '1', '"plan"', '{}', '', '{'])
    assert.throws(() => readPlan(text), SyntaxError, text);
});
