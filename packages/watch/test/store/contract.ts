import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Recorded, Store, WatchedTarget } from '../../src/store/store.ts';
import type { SeenAddress, State, Transition } from '../../src/types.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A day that has begun some hours ago. */
export const NOW: number = Date.UTC(2027, 2, 1, 6);

/** A store, empty, on which the clock stands at `NOW`. */
export type Open = (t: TestContext) => Promise<Store>;

/** What every store does. Each is asked the same. */
export const contract: Readonly<Record<string, (t: TestContext, open: Open) => Promise<void>>> = {
  'new targets are due at once, those that are gone are forgotten, and what is known stays': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a'), target('b'), target('c')), NOW);
    assert.deepEqual(await dueLabels(store, NOW), ['a', 'b', 'c']);
    await store.record([check('a'), check('b'), check('c')]);
    assert.deepEqual(await dueLabels(store, NOW), []);
    assert.equal(await store.nextDueAt(), NOW + HOUR);
    await store.importTargets(
      from(target('a', { note: 'moved', line: 9 }), target('c', { text: 'other' }), target('d')),
      NOW + 1,
    );
    assert.deepEqual(await dueLabels(store, NOW + 1), ['c', 'd'], 'another text, and the new one');
    const a = await store.target('a');
    assert.deepEqual([a?.state, a?.note, a?.line, a?.checkedAt], ['holds', 'moved', 9, NOW]);
    assert.equal(await store.target('b'), undefined);
    assert.deepEqual(await store.days('b', '2027-01-01'), []);
    assert.equal((await store.targets({ search: 'moved' })).total, 1);
  },
  'a file that cannot be read to its end changes nothing': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a')), NOW);
    const broken = async function* (): AsyncIterable<WatchedTarget> {
      for (let index = 0; index < 1_200; index++) yield target(`new-${index}`);
      throw new Error('a mistake in the last line');
    };
    await assert.rejects(store.importTargets(broken(), NOW), /last line/);
    assert.deepEqual(
      (await store.targets({})).rows.map(({ label }) => label),
      ['a'],
    );
    await store.importTargets(from(target('b')), NOW);
    assert.deepEqual(
      (await store.targets({})).rows.map(({ label }) => label),
      ['b'],
    );
  },
  'more targets than are written in one step': async (t, open) => {
    const store = await open(t);
    const many = Array.from({ length: 1_201 }, (_, index) => target(`t${String(index).padStart(4, '0')}`));
    await store.importTargets(from(...many), NOW);
    const labels: string[] = [];
    for await (const row of store.eachTarget()) labels.push(row.label);
    assert.equal(labels.length, 1_201);
    assert.equal(new Set(labels).size, 1_201);
    const { total, rows } = await store.targets({ sort: 'label', offset: 1_200, limit: 10 });
    assert.deepEqual([total, rows.map(({ label }) => label)], [1_201, ['t1200']]);
  },
  'those that have waited longest come first, without those that are being asked': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a'), target('b'), target('c')), NOW);
    await store.record([
      check('a', { seen: { nextCheckAt: NOW + 300 } }),
      check('b', { seen: { nextCheckAt: NOW + 100, observed: 'unreachable' } }),
      check('c', { seen: { nextCheckAt: NOW + 200, checkedAt: NOW + 1 } }),
    ]);
    assert.deepEqual(await dueLabels(store, NOW + 299), ['b', 'c']);
    assert.deepEqual(await dueLabels(store, NOW + 300, 1, ['b']), ['c']);
    const answered = await store.answered(2, new Set());
    assert.deepEqual(
      answered.map(({ row }) => row.label),
      ['c', 'a'],
    );
    assert.deepEqual(
      (await store.answered(1, new Set(['c']))).map(({ row }) => row.label),
      ['a'],
    );
    await store.allDue(NOW + 150);
    assert.equal((await dueLabels(store, NOW + 150)).length, 3);
  },
  'after the clock was set back nothing waits longer than its interval': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a'), target('b', { intervalMs: 60_000 })), NOW);
    await store.record([
      check('a', { seen: { nextCheckAt: NOW + 90 * DAY } }),
      check('b', { seen: { nextCheckAt: NOW + 5 } }),
    ]);
    await store.clampDue(NOW);
    assert.equal((await store.target('a'))?.nextCheckAt, NOW + HOUR);
    assert.equal((await store.target('b'))?.nextCheckAt, NOW + 5);
  },
  'a check is written whole, and comes back as it was': async (t, open) => {
    const store = await open(t);
    await store.importTargets(
      from(target('a', { id: 'one', servername: 's.example', note: 'Ünï "quoted"', pins: ['p1', 'p2'] })),
      NOW,
    );
    const addresses = [address('192.0.2.1', 'K1'), { ...address('192.0.2.2', 'K2'), state: 'drift' as const }];
    const seen = {
      addresses,
      state: 'mixed',
      observed: 'mixed',
      told: 'holds',
      reason: 'they differ',
      protocol: 'postgres',
    } as const;
    await store.record([
      check('a', {
        seen: {
          ...seen,
          remarks: ['no-backup-pin'],
          startsAt: NOW - DAY,
          endsAt: NOW + DAY,
          checkSeconds: 0.25,
          memory: '{"m":1}',
        },
      }),
    ]);
    const row = await store.target('a');
    assert.deepEqual(row, {
      ...{
        key: 'a',
        label: 'a',
        id: 'one',
        servername: 's.example',
        note: 'Ünï "quoted"',
        line: 1,
        pins: ['p1', 'p2'],
      },
      ...{ intervalMs: HOUR, ...seen, since: NOW, remarks: ['no-backup-pin'], checkedAt: NOW, checkSeconds: 0.25 },
      ...{ nextCheckAt: NOW + HOUR, startsAt: NOW - DAY, endsAt: NOW + DAY, mute: null },
    });
    const [due] = await store.due(NOW + HOUR, 1, new Set());
    assert.deepEqual(due, { row, text: 'text of a', memory: '{"m":1}' });
  },
  'a check that comes too late is not written, and nobody is told of it': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a'), target('b'), target('c')), NOW);
    await store.record([check('b')]);
    const late = [
      check('a', { text: 'an older text', transitions: [changed('a', 'holds', 'drift')] }),
      check('b', { before: null, seen: { state: 'drift' }, transitions: [changed('b', 'holds', 'drift')] }),
      check('c', { transitions: [changed('c', null, 'holds')] }),
      check('gone', { transitions: [changed('gone', null, 'drift')] }),
    ];
    assert.deepEqual([...(await store.record(late))], ['c']);
    assert.deepEqual([(await store.target('a'))?.state, (await store.target('b'))?.state], [null, 'holds']);
    assert.deepEqual(
      (await store.transitions({})).map(({ key }) => key),
      ['c'],
    );
    assert.deepEqual(
      (await store.outboxCounts()).map(({ waiting }) => waiting),
      [1],
    );
    assert.deepEqual(
      (await store.dayTotals('2027-01-01')).map(({ checks }) => checks),
      [2],
    );
    assert.deepEqual([...(await store.record([check('b', { before: NOW, seen: { checkedAt: NOW + 1 } })]))], ['b']);
    assert.deepEqual([...(await store.record([]))], []);
  },
  'the sums of a day': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a'), target('b')), NOW);
    const at = (when: number, state: State, seconds: number) => ({ counted: { at: when, state, seconds } });
    await store.record([check('a', at(NOW - DAY, 'holds', 1)), check('b', at(NOW, 'drift', 2))]);
    await store.record([
      check('a', { ...at(NOW, 'holds', 4), before: NOW }),
      check('b', { ...at(NOW, 'drift', 1), before: NOW }),
    ]);
    await store.record([check('a', { ...at(NOW, 'drift', 2), before: NOW })]);
    const first = { day: '2027-02-28', checks: 1, found: { holds: 1 }, secondsSum: 1, secondsMax: 1 };
    assert.deepEqual(await store.days('a', '2027-02-28'), [
      first,
      { day: '2027-03-01', checks: 2, found: { holds: 1, drift: 1 }, secondsSum: 6, secondsMax: 4 },
    ]);
    assert.deepEqual(await store.dayTotals('2027-03-01'), [
      { day: '2027-03-01', checks: 4, found: { holds: 1, drift: 3 }, secondsSum: 9, secondsMax: 4 },
    ]);
  },
  'the same key on several targets': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(...['a', 'b', 'c', 'd'].map((key) => target(key))), NOW);
    assert.equal(await store.shares('a', ['K']), false);
    assert.equal(await store.shares('a', []), false);
    await store.record([check('a', { seen: { addresses: [address('192.0.2.1', 'K')] } })]);
    assert.deepEqual(
      await Promise.all([store.shares('a', ['K']), store.shares('b', ['J', 'K']), store.shares('b', ['J'])]),
      [false, true, false],
    );
    await store.record([
      check('b', { seen: { addresses: [address('192.0.2.2', 'K')], remarks: ['no-backup-pin', 'same-key'] } }),
    ]);
    assert.deepEqual((await store.target('a'))?.remarks, ['same-key'], 'the first one hears of it');
    assert.deepEqual((await store.target('b'))?.remarks, ['no-backup-pin', 'same-key']);
    await store.record([
      check('c', { seen: { addresses: [address('192.0.2.3', 'L')] } }),
      check('d', { seen: { addresses: [address('192.0.2.4', 'L')], remarks: ['no-backup-pin'] } }),
    ]);
    assert.deepEqual((await store.target('c'))?.remarks, ['same-key'], 'both in one step');
    assert.deepEqual((await store.target('d'))?.remarks, ['no-backup-pin', 'same-key']);
    assert.deepEqual(await store.sharing('a', ['K', 'L'], 2), [
      { key: 'b', label: 'b' },
      { key: 'c', label: 'c' },
    ]);
    assert.deepEqual(await store.countRemarks(), { 'same-key': 4, 'no-backup-pin': 2 });
    await store.record([check('b', { before: NOW, seen: { addresses: [address('192.0.2.2', 'M')] } })]);
    assert.equal(await store.shares('a', ['K']), false, 'it presents another key now');
  },
  'the same key on many targets that are written in one step': async (t, open) => {
    const store = await open(t);
    const keys = Array.from({ length: 5 }, (_, index) => `t${index}`);
    await store.importTargets(from(...keys.map((key) => target(key))), NOW);
    await store.record(keys.map((key) => check(key, { seen: { addresses: [address('192.0.2.1', 'K')] } })));
    for (const key of keys) assert.deepEqual((await store.target(key))?.remarks, ['same-key'], key);
  },
  'what the watcher knows of itself': async (t, open) => {
    const store = await open(t);
    assert.deepEqual([(await store.watcher()).fileReadAt, (await store.watcher()).checkedAt], [null, null]);
    const lost: Transition = { ...changed('a', null, null), kind: 'network-lost', key: null, label: null };
    await store.recordWatcher({ startedAt: 1, pinsFile: '/p', networkLostAt: NOW }, [
      { transition: lost, receivers: ['ops'] },
    ]);
    await store.recordWatcher({ fileError: 'no such file', networkLostAt: null });
    await store.recordWatcher({ fileReadAt: NOW, intervalMs: 90_000, version: '1.2.3' });
    await store.recordWatcher({ caughtUpAt: NOW + 1, passTargets: 3, passSeconds: 0.5 });
    const { checkedAt: _, ...known } = await store.watcher();
    assert.deepEqual(known, {
      ...{ startedAt: 1, pinsFile: '/p', fileError: 'no such file', networkLostAt: null, version: '1.2.3' },
      ...{ fileReadAt: NOW, intervalMs: 90_000, caughtUpAt: NOW + 1, passTargets: 3, passSeconds: 0.5 },
    });
    assert.deepEqual(
      (await store.transitions({})).map(({ kind }) => kind),
      ['network-lost'],
    );
  },
  mutes: async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a'), target('b')), NOW);
    await store.setMute({ key: 'a', until: NOW + 5, reason: 'work', since: NOW });
    await store.setMute({ key: 'a', until: NOW + 9, reason: 'more work', since: NOW });
    await store.setMute({ key: 'b', until: NOW - 1, reason: 'over', since: NOW - DAY });
    assert.deepEqual(await store.mutes(NOW), [{ key: 'a', until: NOW + 9, reason: 'more work', since: NOW }]);
    assert.deepEqual((await store.target('a'))?.mute?.reason, 'more work');
    assert.equal((await store.target('b'))?.mute, null);
    assert.deepEqual(
      (await store.targets({ muted: true })).rows.map(({ key }) => key),
      ['a'],
    );
    assert.deepEqual(
      (await store.targets({ muted: false })).rows.map(({ key }) => key),
      ['b'],
    );
    assert.deepEqual([await store.removeMute('a'), await store.removeMute('a')], [true, false]);
  },
  'search, filters, order and pages': async (t, open) => {
    const store = await open(t);
    await store.importTargets(
      from(target('b', { note: 'Büro 50%_\\' }), target('B'), target('a', { id: 'Web' }), target('c')),
      NOW,
    );
    await store.record([
      check('b', { seen: { state: 'drift', endsAt: NOW + 2, checkedAt: NOW + 3, since: 5, remarks: ['same-key'] } }),
      check('B', { seen: { state: 'expired', endsAt: NOW + 1, checkedAt: NOW + 1, since: 6 } }),
      check('a', { seen: { state: 'holds', checkedAt: NOW + 2, since: 4, addresses: [address('192.0.2.9', 'KEY9')] } }),
    ]);
    const found = async (query: Parameters<Store['targets']>[0]): Promise<string> =>
      (await store.targets(query)).rows.map(({ label }) => label).join('');
    assert.equal(await found({}), 'bBac', 'the worst first, those that were not asked last');
    assert.equal(await found({ descending: true }), 'caBb');
    assert.equal(await found({ sort: 'label' }), 'Babc');
    assert.equal(await found({ sort: 'label', descending: true }), 'cbaB');
    assert.equal(await found({ sort: 'ends' }), 'Bbac', 'those without an end come last');
    assert.equal(await found({ sort: 'ends', descending: true }), 'bBac');
    assert.equal(await found({ sort: 'checked' }), 'Babc');
    assert.equal(await found({ sort: 'since' }), 'abBc');
    assert.equal(await found({ search: 'BÜRO 50%_\\' }), 'b');
    assert.equal(await found({ search: '_' }), 'b', 'no pattern');
    assert.equal(await found({ search: 'key9' }), 'a');
    assert.equal(await found({ search: 'web' }), 'a');
    assert.equal(await found({ search: 'nothing' }), '');
    assert.equal(await found({ states: ['drift', 'unknown'] }), 'bc');
    assert.equal(await found({ remark: 'same-key' }), 'b');
    assert.equal(await found({ endsFrom: NOW + 1, endsBefore: NOW + 2 }), 'B');
    assert.deepEqual(
      [(await store.targets({ limit: 1, offset: 1 })).total, await found({ limit: 1, offset: 1 })],
      [4, 'B'],
    );
    const { drift, expired, holds, unknown, mixed } = await store.countStates();
    assert.deepEqual([drift, expired, holds, unknown, mixed], [1, 1, 1, 1, 0]);
  },
  'characters that a database may not take': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a', { note: 'a\0b\ud800c', text: '{"x":"\\u0000"}' })), NOW);
    const [due] = await store.due(NOW, 1, new Set());
    assert.equal(due?.text, '{"x":"\\u0000"}');
    const seen = { reason: 'x\0y', addresses: [{ ...address('', 'K'), reason: "'); DROP TABLE target; --\0" }] };
    assert.equal((await store.record([check('a', { text: '{"x":"\\u0000"}', seen })])).size, 1);
    assert.equal((await store.targets({ search: 'k\0' })).total, 0);
    assert.match((await store.target('a'))?.addresses[0]?.reason ?? '', /^'\); DROP TABLE target; --/);
  },
  'transitions, the newest first': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a'), target('b')), NOW);
    await store.record([
      check('a', {
        transitions: [
          changed('a', null, 'holds', NOW - 2),
          { ...changed('a', 'holds', 'drift', NOW - 1), addresses: [address('192.0.2.1', 'K')] },
        ],
      }),
      check('b', { transitions: [{ ...changed('b', null, null, NOW), kind: 'remarked', remark: 'same-key' }] }),
    ]);
    const all = await store.transitions({});
    assert.deepEqual(
      all.map(({ number, kind, from: before, to }) => [number, kind, before, to]),
      [
        [3, 'remarked', null, null],
        [2, 'changed', 'holds', 'drift'],
        [1, 'changed', null, 'holds'],
      ],
    );
    assert.equal(all[1]?.addresses[0]?.certificate?.publicKeySha256, 'K');
    const numbers = async (query: Parameters<Store['transitions']>[0]) =>
      (await store.transitions(query)).map(({ number }) => number);
    assert.deepEqual(await numbers({ key: 'a', limit: 1 }), [2]);
    assert.deepEqual(await numbers({ beforeNumber: 3, kinds: ['changed'] }), [2, 1]);
    assert.deepEqual(await numbers({ from: NOW - 1, before: NOW }), [2]);
    assert.deepEqual(await store.countTransitions(), { holds: 1, drift: 1 });
  },
  'a message keeps its id over failures, and one of a receiver is open at a time': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a'), target('b')), NOW);
    await store.dropReceiversExcept(['ops']);
    await store.record([check('a', { transitions: [changed('a', null, 'drift')] })]);
    const claim = (now: number, ripeAt = now, max = 10) =>
      store.claimMessage({ receiver: 'ops', now, leaseUntil: now + 90, max, ripeAt });
    assert.equal(await store.nextMessageAt('ops'), NOW);
    assert.equal(await claim(NOW, 0), undefined);
    assert.equal(await claim(NOW, NOW - 1), undefined, 'others may join it');
    const both = await Promise.all([claim(NOW), claim(NOW)]);
    const [first] = both.filter((one) => one !== undefined);
    assert.equal(both.filter((one) => one !== undefined).length, 1, 'one sender has it');
    assert.deepEqual([first?.receiver, first?.kind, first?.attempts, first?.createdAt], ['ops', 'transition', 0, NOW]);
    assert.deepEqual(
      first?.transitions.map(({ key }) => key),
      ['a'],
    );
    assert.equal(await store.nextMessageAt('ops'), NOW + 90);
    const id = first?.id ?? '';
    await store.markFailed(id, { at: NOW + 1, dueAt: NOW + 200, error: 'down' });
    await store.record([check('b', { transitions: [changed('b', null, 'drift')] })]);
    assert.equal(await claim(NOW + 150), undefined, 'it waits for its retry, and b waits for it');
    const again = await claim(NOW + 200);
    assert.deepEqual([again?.id, again?.attempts], [id, 1]);
    assert.deepEqual(await store.outboxCounts(), [
      { receiver: 'ops', waiting: 2, oldestAt: NOW, lastSentAt: null, lastError: 'down', failedAttempts: 1 },
    ]);
    await store.markSent(id, NOW + 201);
    await store.markSent(id, NOW + 999);
    await store.markFailed(id, { at: NOW, dueAt: NOW, error: 'too late' });
    assert.deepEqual(await store.outboxCounts(), [
      { receiver: 'ops', waiting: 1, oldestAt: NOW, lastSentAt: NOW + 201, lastError: null, failedAttempts: 1 },
    ]);
    const next = await claim(NOW + 300);
    assert.deepEqual(
      next?.transitions.map(({ key }) => key),
      ['b'],
    );
    await store.markSent(next?.id ?? '', NOW + 301);
    assert.equal(await store.nextMessageAt('ops'), null);
  },
  'a message has one kind, and no more transitions than fit': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a')), NOW);
    await store.record([check('a', { transitions: [1, 2, 3].map((n) => changed('a', null, 'drift', NOW + n)) })]);
    const take = async () => {
      const message = await store.claimMessage({
        receiver: 'ops',
        now: NOW + 9,
        leaseUntil: NOW + 10,
        max: 2,
        ripeAt: NOW + 9,
      });
      if (message !== undefined) await store.markSent(message.id, NOW + 9);
      return message === undefined ? undefined : [message.kind, ...message.transitions.map(({ number }) => number)];
    };
    assert.deepEqual(
      [await take(), await take()],
      [
        ['transition', 1, 2],
        ['transition', 3],
      ],
    );
    const reminder = { receiver: 'ops', number: 2, kind: 'reminder' } as const;
    await store.enqueue([reminder, reminder, { ...reminder, number: 1 }], NOW + 5);
    await store.enqueue([reminder], NOW + 6);
    assert.deepEqual([await take(), await take()], [['reminder', 1, 2], undefined]);
  },
  'what waits in an open message is not put into the outbox again': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a')), NOW);
    await store.record([check('a', { transitions: [changed('a', null, 'drift')] })]);
    await store.claimMessage({ receiver: 'ops', now: NOW, leaseUntil: NOW + 1, max: 9, ripeAt: NOW });
    await store.enqueue([{ receiver: 'ops', number: 1, kind: 'transition' }], NOW);
    assert.deepEqual(
      (await store.outboxCounts()).map(({ waiting }) => waiting),
      [1],
    );
  },
  'reminders are about what is still so, was told, and is not muted': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a'), target('b'), target('c'), target('d')), NOW);
    const drift = { state: 'drift', told: 'drift', observed: 'drift' } as const;
    await store.record([
      check('a', { seen: drift, transitions: [changed('a', null, 'drift')] }),
      check('b', { seen: { ...drift, told: 'holds' }, transitions: [changed('b', null, 'drift')] }),
      check('c', { seen: drift, transitions: [changed('c', null, 'drift', NOW + 1)] }),
      check('d', { seen: drift, transitions: [changed('d', null, 'drift', NOW + 2)] }),
    ]);
    await store.setMute({ key: 'c', until: NOW + DAY, reason: '', since: NOW });
    const due = async (before: number, limit = 9) =>
      (await store.remindersDue('ops', { states: ['drift'], before, now: NOW, limit })).map(({ key }) => key);
    assert.deepEqual([await due(NOW + 3), await due(NOW + 3, 1), await due(NOW)], [['a', 'd'], ['a'], []]);
    assert.deepEqual(await store.remindersDue('ops', { states: ['expired'], before: NOW + 9, now: NOW, limit: 9 }), []);
    await store.enqueue([{ receiver: 'ops', number: 1, kind: 'reminder' }], NOW + 5);
    assert.deepEqual(await due(NOW + 4), ['d'], 'it was put there now');
  },
  'a receiver that the configuration does not have any more': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a')), NOW);
    await store.record([
      check('a', { transitions: [changed('a', null, 'drift'), changed('a', 'drift', 'holds')] }, ['ops', 'old']),
    ]);
    await store.claimMessage({ receiver: 'old', now: NOW, leaseUntil: NOW + 1, max: 1, ripeAt: NOW });
    assert.equal(await store.dropReceiversExcept(['ops', 'new']), 2);
    assert.equal(await store.dropReceiversExcept(['ops', 'new']), 0);
    assert.deepEqual(
      (await store.outboxCounts()).map(({ receiver, waiting }) => [receiver, waiting]),
      [
        ['new', 0],
        ['ops', 2],
      ],
    );
    assert.equal(await store.dropReceiversExcept([]), 2);
  },
  'two checks of one target in one write: one is written, and one is told': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a'), target('b')), NOW);
    const told = (id: string) => ({ ...changed('a', null, 'drift', NOW), id });
    const seen = { state: 'drift', observed: 'drift' } as const;
    const twice = ['1', '2'].map((id) => check('a', { seen, transitions: [told(id)] }));
    assert.deepEqual(await store.record([...twice, check('b')]), new Set(['a', 'b']));
    assert.deepEqual(
      (await store.transitions({})).map(({ id }) => id),
      ['1'],
    );
    const [{ checks } = { checks: 0 }] = await store.dayTotals('2027-01-01');
    assert.equal(checks, 2);
  },
  'old transitions are forgotten, but not those that somebody has to hear': async (t, open) => {
    const store = await open(t);
    await store.importTargets(from(target('a')), NOW);
    await store.record([check('a', { transitions: [changed('a', null, 'holds', NOW - 9)] }, [])]);
    await store.record([check('a', { before: NOW, transitions: [changed('a', 'holds', 'drift', NOW - 8)] })]);
    await store.record([
      check(
        'a',
        {
          before: NOW,
          counted: { at: NOW - 9 * DAY, state: 'drift', seconds: 1 },
          transitions: [changed('a', 'drift', 'holds', NOW)],
        },
        [],
      ),
    ]);
    await store.setMute({ key: 'a', until: NOW - 5, reason: '', since: 1 });
    await store.prune({ transitions: NOW - 1, days: NOW - DAY });
    assert.deepEqual(
      (await store.transitions({})).map(({ number }) => number),
      [3, 2],
    );
    assert.deepEqual(
      (await store.dayTotals('2027-01-01')).map(({ day }) => day),
      ['2027-03-01'],
    );
    assert.deepEqual(await store.mutes(0), []);
    const message = await store.claimMessage({ receiver: 'ops', now: NOW, leaseUntil: NOW + 1, max: 9, ripeAt: NOW });
    assert.deepEqual(
      message?.transitions.map(({ number }) => number),
      [2],
    );
  },
};

async function dueLabels(store: Store, at: number, limit = 100, without: readonly string[] = []): Promise<string[]> {
  return (await store.due(at, limit, new Set(without))).map(({ row }) => row.label);
}

async function* from<Item>(...items: readonly Item[]): AsyncIterable<Item> {
  yield* items;
}

let line = 0;

function target(key: string, given: Partial<WatchedTarget> = {}): WatchedTarget {
  line = 1;
  const own = { id: null, servername: null, note: null, line, pins: [], intervalMs: HOUR, text: `text of ${key}` };
  return { key, label: key, isHere: false, ...own, ...given };
}

interface Given extends Partial<Omit<Recorded, 'seen' | 'transitions'>> {
  readonly seen?: Partial<Recorded['seen']>;
  readonly transitions?: readonly Transition[];
}

/** A check that has found that the pin holds; the receiver `ops` hears of its transitions. */
function check(key: string, { seen, transitions = [], ...given }: Given = {}, receivers = ['ops']): Recorded {
  return {
    ...{ key, text: `text of ${key}`, before: null, counted: { at: NOW, state: 'holds', seconds: 0.1 } },
    ...given,
    transitions: transitions.map((transition) => ({ transition, receivers })),
    seen: {
      ...{ protocol: 'tls', state: 'holds', since: NOW, observed: 'holds', reason: '', remarks: [], checkedAt: NOW },
      ...{
        checkSeconds: 0.1,
        nextCheckAt: NOW + HOUR,
        startsAt: null,
        endsAt: null,
        addresses: [],
        told: 'holds',
        memory: '{}',
      },
      ...seen,
    },
  };
}

function changed(key: string, before: State | null, to: State | null, at: number = NOW): Transition {
  return {
    ...{ id: randomUUID(), at, kind: 'changed', key, label: key, targetId: null, servername: null, from: before, to },
    ...{ remark: null, reason: 'because', mutedBy: null, addresses: [], endsAt: null },
  };
}

function address(ip: string, key: string): SeenAddress {
  const certificate = {
    sha256: `C-${key}`,
    publicKeySha256: key,
    subject: `CN=${ip}`,
    issuer: 'CN=x',
    names: [],
    validFrom: 1,
    validTo: 2,
  };
  return { address: ip, state: 'holds', reason: '', certificate, pin: null };
}
