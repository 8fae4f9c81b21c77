import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DELIVERED, FAILED, REFUSED, type Stage, stage } from './couriers.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const targetsOf = ({ delivered }: Stage): (string | null)[][] =>
  delivered.map(({ transitions }) => transitions.map(({ label }) => label));
const numbers = (count: number): { number: number }[] =>
  Array.from({ length: count }, (_, index) => ({ number: index + 1 }));

describe('a courier', () => {
  it('brings one notice for a transition, and never again', async (test) => {
    const one = stage(test);
    await one.put({ label: 'a:1' });
    await one.pass(HOUR);
    assert.deepEqual(targetsOf(one), [['a:1']]);
    assert.equal(one.tried.length, 1);
    await one.restart();
    await one.pass(HOUR);
    assert.equal(one.tried.length, 1);
  });

  it('waits some seconds for what happens together, and brings it as one', async (test) => {
    const one = stage(test);
    await one.put({ label: 'a:1' });
    await one.pass(5 * SECOND);
    await one.put({ label: 'b:1' });
    await one.pass(MINUTE);
    assert.deepEqual(targetsOf(one), [['a:1', 'b:1']]);
    assert.ok((one.tried[0]?.at as number) <= one.now - 45 * SECOND, 'and does not wait longer');
  });

  it('a flood of 5,000 transitions: full messages one after the other, each transition once', async (test) => {
    const one = stage(test);
    await one.put(...numbers(5_000));
    await one.pass(MINUTE);
    assert.equal(one.delivered.length, 5);
    const labels = targetsOf(one).flat();
    assert.equal(labels.length, 5_000);
    assert.equal(new Set(labels).size, 5_000);
  });

  it('a flood of 5,000 for people: one message', async (test) => {
    const one = stage(test, { capacity: 5_000 });
    await one.put(...numbers(5_000));
    await one.pass(MINUTE);
    assert.equal(one.delivered.length, 1);
  });

  it('a transition each 20 seconds for an hour: 6 messages at once, then 12 an hour; nothing is lost', async (test) => {
    const one = stage(test);
    for (let count = 0; count < 180; count++) {
      await one.put({ label: `t${count}:1` });
      await one.pass(20 * SECOND);
    }
    await one.pass(10 * MINUTE);
    assert.equal(targetsOf(one).flat().length, 180);
    assert.ok(one.delivered.length <= 6 + 14, `${one.delivered.length} messages`);
    assert.ok(one.delivered.length >= 12, 'and none waits longer than five minutes');
  });

  it('a receiver that is down for an hour: two messages afterwards, with everything, in the order of their time', async (test) => {
    const one = stage(test);
    one.answer = () => FAILED;
    for (let count = 0; count < 60; count++) {
      await one.put({ label: `t${count}:1` });
      await one.pass(MINUTE);
    }
    assert.equal(one.delivered.length, 0);
    assert.ok(one.tried.length <= 17, `${one.tried.length} attempts in an hour do not hammer`);
    assert.ok(one.tried.length >= 12, `${one.tried.length} attempts in an hour`);
    assert.equal(new Set(one.tried.map(({ id }) => id)).size, 1, 'one message, and so one webhook-id');
    one.answer = () => DELIVERED;
    await one.pass(6 * MINUTE);
    assert.deepEqual(
      targetsOf(one).map((labels) => labels.length),
      [1, 59],
    );
    assert.deepEqual(
      targetsOf(one).flat(),
      Array.from({ length: 60 }, (_, index) => `t${index}:1`),
    );
  });

  it('keeps its schedule over a restart, and the id of the message', async (test) => {
    const one = stage(test);
    one.answer = () => FAILED;
    await one.put({ label: 'a:1' });
    await one.pass(4 * MINUTE);
    const before = one.tried.length;
    for (let count = 0; count < 20; count++) {
      await one.restart();
      await one.pass(SECOND);
    }
    assert.ok(one.tried.length <= before + 1, 'twenty restarts are no twenty attempts');
    one.answer = () => DELIVERED;
    await one.pass(6 * MINUTE);
    assert.deepEqual(targetsOf(one), [['a:1']]);
    assert.equal(new Set(one.tried.map(({ id }) => id)).size, 1);
  });

  it('gives up nothing: a receiver that is back after 30 days', async (test) => {
    const one = stage(test, { settings: { remindAfterHours: 0 } });
    one.answer = () => FAILED;
    await one.put({ label: 'a:1' });
    await one.pass(10 * MINUTE);
    one.now += 30 * 24 * HOUR;
    one.answer = () => DELIVERED;
    await one.pass(MINUTE);
    assert.deepEqual(targetsOf(one), [['a:1']]);
  });

  it('where the whole message is refused, the short one goes at once, under the same id', async (test) => {
    const one = stage(test);
    one.answer = (form) => (form === 'whole' ? REFUSED : DELIVERED);
    await one.put({ label: 'a:1' });
    await one.pass(HOUR);
    assert.deepEqual(
      one.tried.map(({ form }) => form),
      ['whole', 'short'],
    );
    assert.equal(new Set(one.tried.map(({ id }) => id)).size, 1);
    assert.deepEqual(one.logged.at(-1)?.event, 'notice-sent');
    assert.deepEqual(one.logged.at(-1)?.fields.form, 'short');
  });

  it('a receiver that refuses everything is asked each quarter of an hour, and gets it in the end', async (test) => {
    const one = stage(test);
    one.answer = () => REFUSED;
    await one.put({ label: 'a:1' });
    await one.pass(HOUR);
    assert.ok(one.tried.length >= 6 && one.tried.length <= 10, `${one.tried.length} attempts, two for each time`);
    one.answer = () => DELIVERED;
    await one.pass(20 * MINUTE);
    assert.equal(one.delivered.length, 1);
  });

  it('does as Retry-After asks, within an hour', async (test) => {
    const one = stage(test);
    one.answer = () => ({ ...FAILED, retryAfterMs: 20 * MINUTE }) as const;
    await one.put({ label: 'a:1' });
    await one.pass(15 * MINUTE);
    assert.equal(one.tried.length, 1);
    await one.pass(10 * MINUTE);
    assert.equal(one.tried.length, 2);
    one.answer = () => ({ ...FAILED, retryAfterMs: 1e15 }) as const;
    await one.pass(20 * MINUTE);
    const silenced = one.tried.length;
    one.answer = () => DELIVERED;
    await one.pass(61 * MINUTE);
    assert.equal(one.tried.length, silenced + 1, 'nobody silences a receiver for ever');
  });

  it('a receiver whose attempt throws is one that is down', async (test) => {
    const one = stage(test);
    one.answer = () => {
      throw new Error('secret file is not there');
    };
    await one.put({ label: 'a:1' });
    await one.pass(11 * SECOND);
    assert.equal(one.logged.at(-1)?.fields.error, 'secret file is not there');
    one.answer = () => DELIVERED;
    await one.pass(MINUTE);
    assert.equal(one.delivered.length, 1);
  });

  it('is not confused by a clock that goes back for a day', async (test) => {
    const one = stage(test);
    one.answer = () => FAILED;
    await one.put({ label: 'a:1' });
    await one.pass(MINUTE);
    one.now -= 24 * HOUR;
    one.answer = () => DELIVERED;
    await one.put({ label: 'b:1' });
    await one.pass(HOUR);
    assert.deepEqual(targetsOf(one).flat(), ['a:1', 'b:1']);
  });

  it('where it was sent and cannot be marked, it is not sent again by this process', async (test) => {
    const one = stage(test);
    const { markSent } = one.store;
    one.store.markSent = async () => {
      throw new Error('no space is left on the disk');
    };
    await one.put({ label: 'a:1' });
    await assert.rejects(one.pass(MINUTE), /no space/);
    one.store.markSent = markSent;
    await one.pass(5 * MINUTE);
    assert.equal(one.tried.length, 1);
    assert.deepEqual(
      (await one.store.outboxCounts()).map(({ waiting }) => waiting),
      [0],
    );
  });
});

describe('reminders', () => {
  const DAY = 24 * HOUR;

  it('say once a day what is still true, together, and end with it', async (test) => {
    const one = stage(test);
    await one.watch('a:1', 'drift');
    await one.watch('b:1', 'unreachable');
    await one.pass(HOUR);
    await one.watch('c:1', 'expired');
    await one.pass(23 * HOUR - 10 * MINUTE);
    assert.equal(one.delivered.length, 2, 'the notices themselves');
    await one.pass(HOUR);
    assert.deepEqual(one.delivered.at(-1)?.kind, 'reminder');
    assert.deepEqual(targetsOf(one).at(-1), ['a:1', 'b:1', 'c:1'], 'what will be due soon comes with it');
    await one.pass(3 * DAY);
    const kinds = one.delivered.map(({ kind }) => kind);
    assert.deepEqual(kinds.filter((kind) => kind === 'reminder').length, 4);
    await one.watch('a:1', 'holds', 'drift');
    await one.watch('b:1', 'holds', 'unreachable');
    await one.watch('c:1', 'holds', 'expired');
    await one.pass(HOUR);
    const after = one.delivered.length;
    await one.pass(3 * DAY);
    assert.equal(one.delivered.length, after);
  });

  it('are not repeated by a restart, and not sent where they are not wanted, or about who is muted', async (test) => {
    const one = stage(test);
    await one.watch('a:1', 'drift');
    await one.pass(25 * HOUR);
    assert.equal(one.delivered.length, 2);
    for (let count = 0; count < 5; count++) {
      await one.restart();
      await one.pass(MINUTE);
    }
    assert.equal(one.delivered.length, 2);
    await one.store.setMute({ key: 'a:1', until: one.now + 10 * DAY, reason: 'planned', since: one.now });
    await one.pass(5 * DAY);
    assert.equal(one.delivered.length, 2);
    const never = stage(test, { settings: { remindAfterHours: 0 } });
    await never.watch('a:1', 'drift');
    await never.pass(5 * DAY);
    assert.equal(never.delivered.length, 1);
  });

  it('of what is planned come once a week', async (test) => {
    const one = stage(test);
    await one.watch('a:1', 'ends-soon');
    await one.pass(6 * DAY);
    assert.equal(one.delivered.length, 1);
    await one.pass(2 * DAY);
    assert.equal(one.delivered.length, 2);
  });

  it('are one message, however many targets it is about', async (test) => {
    const one = stage(test, { capacity: 5_000 });
    for (let count = 0; count < 300; count++) await one.watch(`t${count}:1`, 'drift');
    await one.pass(25 * HOUR);
    assert.deepEqual(
      one.delivered.map(({ kind, transitions }) => [kind, transitions.length]),
      [
        ['transition', 300],
        ['reminder', 300],
      ],
    );
  });
});

describe('what is told again, to a receiver that forgets', () => {
  it('is each minute what still stands: no target that holds, none that is muted', async (test) => {
    const said: string[][] = [];
    const one = stage(test, {
      repeat: async ({ own, troubles }) => {
        const labels: string[] = own.map(({ kind }) => kind);
        for await (const { label, state } of troubles) labels.push(`${label} ${state}`);
        said.push(labels);
        return DELIVERED;
      },
    });
    await one.watch('a:1', 'drift');
    await one.watch('b:1', 'holds');
    await one.watch('c:1', 'expired');
    await one.store.setMute({ key: 'c:1', until: one.now + HOUR, reason: 'planned', since: one.now });
    await one.pass(10 * MINUTE);
    assert.ok(said.length >= 9 && said.length <= 11, `${said.length} times in ten minutes`);
    assert.deepEqual(said.at(-1), ['a:1 drift']);
    await one.store.recordWatcher({ networkLostAt: one.now });
    await one.watch('a:1', 'holds', 'drift');
    await one.pass(2 * MINUTE);
    assert.deepEqual(said.at(-1), ['network-lost']);
    await one.pass(30 * HOUR);
    assert.ok(
      one.delivered.every(({ kind }) => kind === 'transition'),
      'it gets no reminders',
    );
  });
});

describe('who hears of what', () => {
  const heard = async (
    test: Parameters<typeof stage>[0],
    options: Parameters<typeof stage>[1],
    ...put: Parameters<Stage['put']>
  ) => {
    const one = stage(test, options);
    await one.put(...put);
    await one.pass(MINUTE);
    return targetsOf(one).flat();
  };

  it('a trouble, its end, and a rotation; not a target that is new and holds, not what is muted', async (test) => {
    const labels = await heard(
      test,
      {},
      { label: 'new', from: null, to: 'holds' },
      { label: 'new and bad', from: null, to: 'drift' },
      { label: 'back', from: 'unreachable', to: 'holds' },
      { label: 'rotated', from: 'holds', to: 'rotated' },
      { label: 'settled', from: 'rotated', to: 'holds' },
      { label: 'muted', mutedBy: 'person' },
      { label: 'remark', kind: 'remarked', remark: 'no-backup-pin', from: null, to: null },
    );
    assert.deepEqual(labels, ['new and bad', 'back', 'rotated']);
  });

  it('of the states that a receiver asks for, and of their end', async (test) => {
    const labels = await heard(
      test,
      { settings: { states: ['ends-soon'], remarks: ['no-backup-pin'] } },
      { label: 'drift' },
      { label: 'soon', to: 'ends-soon' },
      { label: 'renewed', from: 'ends-soon', to: 'holds' },
      { label: 'too late', from: 'ends-soon', to: 'expired' },
      { label: 'remark', kind: 'remarked', remark: 'no-backup-pin', from: null, to: null },
      { label: 'other remark', kind: 'remarked', remark: 'same-key', from: null, to: null },
      { label: null, key: null, kind: 'network-lost', from: null, to: null },
    );
    assert.deepEqual(labels, ['soon', 'renewed', 'too late', 'remark', null]);
  });
});
