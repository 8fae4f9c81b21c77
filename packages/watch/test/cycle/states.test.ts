import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Judged, judge, judgeAddresses, placeTarget } from '@certpin/pins-file';
import {
  type CountingServer,
  certificateHex,
  type Minted,
  mint,
  publicKeyPin,
  startAddresses,
  startTlsServer,
} from '@certpin/testkit';
import { askEntry } from '../../src/cycle/ask.ts';
import type { CycleOptions } from '../../src/cycle/options.ts';
import { createChooser } from '../../src/notices/choose.ts';
import { createLookup, HOUR, MINUTE, startRig } from '../rig.ts';

async function serve(t: TestContext, certificate: Minted): Promise<CountingServer & { readonly label: string }> {
  const server = await startTlsServer({ certificate });
  t.after(() => server.close());
  return Object.assign(server, { label: `127.0.0.1:${server.port}` });
}

test('drift is told at the first check, once; and its end after three good checks', async (t) => {
  const [own, other] = [await mint(), await mint()];
  const server = await serve(t, own);
  const rig = await startRig(t, [{ target: server.label, pins: [certificateHex(own)] }]);
  await rig.pass(3 * HOUR);
  assert.deepEqual(await rig.changes(), [], 'a target that is new and holds is no news');
  server.present(other);
  await rig.pass(3 * HOUR);
  assert.deepEqual(await rig.told(), ['holds>drift']);
  const [row] = (await rig.store.targets({})).rows;
  assert.equal(row?.addresses[0]?.certificate?.sha256, certificateHex(other));
  assert.equal(row?.addresses[0]?.pin, null);
  server.present(own);
  // Found at the next interval; then two more checks, a minute each.
  await rig.pass(HOUR + 5 * MINUTE);
  assert.deepEqual(await rig.told(), ['drift>holds']);
  assert.equal(server.received(), 0);
});

test('each state of a server of its own', async (t) => {
  const expired = await mint({ validFromDays: -30, validToDays: -1 });
  const future = await mint({ validFromDays: 2, validToDays: 30 });
  const soon = await mint({ validToDays: 3 });
  const stolen = await mint();
  const good = await mint();
  const ladder = await mintLadder(40);
  const leaf = await mint({ subject: 'CN=many', names: ['many.example', '127.0.0.1'], issuer: ladder[0] as Minted });
  const many = {
    ...leaf,
    chainPem: [leaf, ladder[0] as Minted, ...ladder.slice(1).reverse()].map(({ certPem }) => certPem).join(''),
  };
  const revoked = ladder.at(-1) as Minted;
  const servers = {
    expired: await serve(t, expired),
    future: await serve(t, future),
    soon: await serve(t, soon),
    stolen: await serve(t, stolen),
    good: await serve(t, good),
    many: await serve(t, many),
  };
  const closed = await serve(t, good);
  await closed.close();
  const since = '2026-11-01';
  const rig = await startRig(
    t,
    [
      { id: 'expired', target: servers.expired.label, pins: [certificateHex(expired)] },
      { id: 'future', target: servers.future.label, pins: [certificateHex(future)] },
      { id: 'soon', target: servers.soon.label, pins: [certificateHex(soon)], expiresWithin: '7d' },
      {
        id: 'stolen',
        target: servers.stolen.label,
        pins: [certificateHex(good)],
        revoked: [{ pin: certificateHex(stolen), since }],
      },
      { id: 'good', target: servers.good.label, pins: [certificateHex(good)] },
      {
        id: 'many',
        target: servers.many.label,
        issuerPins: [ladder[0]?.certPem],
        revoked: [{ pin: certificateHex(revoked), since }],
      },
      { id: 'closed', target: closed.label, pins: [certificateHex(good)] },
      { id: 'nameless', target: 'no.example:443', pins: [certificateHex(good)] },
    ],
    { lookup: createLookup({}) },
  );
  await rig.pass(10 * MINUTE);
  const found = Object.fromEntries((await rig.store.targets({})).rows.map(({ id, state }) => [id, state]));
  assert.deepEqual(found, {
    stolen: 'revoked',
    expired: 'expired',
    future: 'not-yet-valid',
    many: 'refused',
    closed: 'unreachable',
    nameless: 'no-such-name',
    soon: 'ends-soon',
    good: 'holds',
  });
  const counts = await rig.store.countStates();
  assert.equal(counts.holds + counts.expired + counts.drift + counts.unknown, 2);
  const told = await rig.told();
  assert.equal(told.length, 7, 'each once, and none of the one that holds');
  await rig.pass(5 * HOUR);
  assert.deepEqual(await rig.told(), []);
});

async function mintLadder(length: number): Promise<Minted[]> {
  const ladder = [await mint({ ca: true, subject: 'CN=CA' })];
  while (ladder.length < length)
    ladder.unshift(await mint({ ca: true, subject: 'CN=CA', issuer: ladder[0] as Minted }));
  return ladder;
}

test('a server that does not answer once is no news; after three checks it is, and two good ones end it', async (t) => {
  const own = await mint();
  const first = await serve(t, own);
  const target = first.label;
  const begin = () => startTlsServer({ certificate: own, port: first.port });
  const rig = await startRig(t, [{ target, pins: [certificateHex(own)] }]);
  await rig.pass(10 * MINUTE);
  await first.close();
  for (let checks = rig.checks(); rig.checks() === checks; ) await rig.pass(1_000);
  const second = await begin();
  t.after(() => second.close());
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.changes(), []);
  await second.close();
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['holds>unreachable']);
  const third = await begin();
  t.after(() => third.close());
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['unreachable>holds']);
});

test('a dead address of two: unreachable, and the address is named; the other one is asked all the same', async (t) => {
  const own = await mint();
  const several = await startAddresses([own, undefined]);
  t.after(() => several.close());
  const target = `${several.name}:${several.port}`;
  const rig = await startRig(t, [{ target, pins: [certificateHex(own)] }], { lookup: several.lookup });
  await rig.pass(10 * MINUTE);
  assert.deepEqual(await rig.told(), ['null>unreachable']);
  const row = await rig.store.target(`${several.name} ${several.port}`);
  assert.match(row?.reason ?? '', /^at 127\.0\.0\.2: connection refused/);
  assert.deepEqual(
    row?.addresses.map(({ address, state }) => [address, state]),
    [
      ['127.0.0.1', 'holds'],
      ['127.0.0.2', 'unreachable'],
    ],
  );
  assert.deepEqual(several.servers[0]?.servernames.at(-1), several.name);
});

const SIX = '2001:db8::1'; // RFC 3849: an example, which no network has a way to

/** Asks for real, but the second address is one of IPv6 to which this machine has a way or not. */
function askOverSix(isThere: () => boolean): typeof askEntry {
  return async (entry, options) => {
    const judged = await askEntry(entry, options);
    const failure = Object.assign(new Error('connect ENETUNREACH'), { code: 'ENETUNREACH' });
    const nothing = (): Judged => judge(entry, { protocol: null, failure }, options.near, new Date(options.now()));
    return judgeAddresses(
      (judged.addresses ?? []).map((one) => {
        if (one.address !== '127.0.0.2') return one;
        return { ...(isThere() ? one : nothing()), address: SIX };
      }),
    );
  };
}

async function startOverSix(t: TestContext, certificates: readonly Minted[], extra: Partial<CycleOptions> = {}) {
  const several = await startAddresses(certificates);
  t.after(() => several.close());
  const way = { isThere: true };
  const target = { target: `${several.name}:${several.port}`, pins: [certificateHex(certificates[0] as Minted)] };
  const ask = askOverSix(() => way.isThere);
  const rig = await startRig(t, [target], { lookup: several.lookup, ask, hasFamily: () => way.isThere, ...extra });
  return { several, way, target, rig, row: () => rig.store.target(`${several.name} ${several.port}`) };
}

test('a machine without a way to IPv6 says nothing about the server; one that has IPv6 does', async (t) => {
  const own = await mint();
  const { way, rig, row } = await startOverSix(t, [own, own]);
  way.isThere = false;
  await rig.pass(10 * MINUTE);
  assert.equal((await row())?.state, 'holds');
  assert.ok((await row())?.remarks.includes('address-not-asked'));
  await rig.pass(3 * HOUR);
  assert.equal((await row())?.state, 'holds');
  await rig.restart({ hasFamily: () => true });
  await rig.pass(3 * HOUR);
  assert.equal((await row())?.state, 'unreachable');
  assert.match((await row())?.reason ?? '', /^at 2001:db8::1: /);
});

test('what is wrong at an address stays, as long as this machine has no way to ask there again', async (t) => {
  const [own, other] = [await mint(), await mint()];
  const { several, way, rig, row, target } = await startOverSix(t, [own, own]);
  await rig.pass(10 * MINUTE);
  several.servers[1]?.present(other);
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['holds>drift']);
  way.isThere = false;
  await rig.pass(6 * HOUR);
  await rig.restart();
  await rig.pass(6 * HOUR);
  assert.deepEqual(await rig.told(), []);
  assert.match((await row())?.reason ?? '', /^at 2001:db8::1, which could not be asked this time: the presented/);
  assert.equal((await row())?.addresses[1]?.certificate?.sha256, certificateHex(other));
  // Both certificates are pinned now: what was found by the pins of before does not count.
  rig.writePins([{ ...target, pins: [certificateHex(own), certificateHex(other)] }]);
  await rig.pass(HOUR);
  assert.deepEqual(await rig.told(), ['drift>holds']);
  way.isThere = true;
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['holds>mixed']);
  way.isThere = false;
  await rig.pass(6 * HOUR);
  assert.deepEqual(await rig.told(), [], 'mixed needs both addresses to end');
  way.isThere = true;
  several.servers[1]?.present(own);
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['mixed>holds']);
});

test('a rotation: half done it is mixed, then rotated, and it holds when the old pin has left the file', async (t) => {
  const [old, next] = [await mint({ names: ['several.example'] }), await mint({ names: ['several.example'] })];
  const several = await startAddresses([old, old]);
  t.after(() => several.close());
  const target = `${several.name}:${several.port}`;
  const both = { target, pins: [certificateHex(old), await publicKeyPin(next)] };
  const rig = await startRig(t, [both], { lookup: several.lookup });
  await rig.pass(10 * MINUTE);
  several.servers[0]?.present(next);
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['holds>mixed']);
  several.servers[1]?.present(next);
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['mixed>rotated']);
  assert.ok((await rig.store.target(`${several.name} ${several.port}`))?.remarks.includes('next-pin'));
  rig.writePins([{ target, pins: [await publicKeyPin(next)] }]);
  await rig.pass(MINUTE);
  assert.deepEqual(await rig.told(), ['rotated>holds']);
});

test('a rotation that is under way mutes mixed and rotated of its target, and nothing else', async (t) => {
  const [old, next, foreign] = [await mint(), await mint(), await mint()];
  const server = await serve(t, old);
  const pins = [certificateHex(old), certificateHex(next)];
  let isUnderWay = true;
  const { key } = placeTarget(server.label, 'certpin.json', undefined);
  const rig = await startRig(t, [{ target: server.label, pins }], {
    rotating: () => new Set(isUnderWay ? [key] : []),
  });
  await rig.pass(10 * MINUTE);
  server.present(next);
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.changes(), ['holds>rotated']);
  assert.deepEqual(
    (await rig.transitions()).filter(({ kind }) => kind === 'changed').map(({ mutedBy }) => mutedBy),
    ['rotation'],
  );
  assert.deepEqual(await rig.told(), []);
  server.present(foreign);
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['rotated>drift']);
  server.present(next);
  await rig.pass(2 * HOUR);
  // Who heard of the drift has to hear of its end, once nothing mutes it any more.
  isUnderWay = false;
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['unmuted drift>rotated']);
});

test('a person mutes a target: what changes is written down and not told; when the time is over, what is left of it is', async (t) => {
  const [own, other] = [await mint(), await mint()];
  const server = await serve(t, own);
  const rig = await startRig(t, [{ target: server.label, pins: [certificateHex(own)] }]);
  await rig.pass(10 * MINUTE);
  const key = `127.0.0.1 ${server.port}`;
  const now = rig.clock.now();
  await rig.store.setMute({ key, until: now + 5 * HOUR, reason: 'planned work', since: now });
  server.present(other);
  await rig.pass(3 * HOUR);
  assert.deepEqual(await rig.changes(), ['holds>drift']);
  assert.deepEqual(await rig.told(), []);
  assert.equal((await rig.store.targets({ muted: true })).total, 1);
  await rig.pass(4 * HOUR);
  assert.deepEqual(await rig.told(), ['unmuted holds>drift']);
  assert.equal((await rig.store.targets({ muted: true })).total, 0);
});

/** People who hear of everything, and a pager for the worst. */
const chatAndPager = createChooser([{ name: 'chat' }, { name: 'pager', states: ['drift', 'revoked', 'expired'] }]);

test('who heard of a drift hears of its end, also where a rotation has muted what came in between', async (t) => {
  const [old, next, foreign] = [await mint(), await mint(), await mint()];
  const several = await startAddresses([old, old]);
  t.after(() => several.close());
  const target = `${several.name}:${several.port}`;
  const pins = [certificateHex(old), certificateHex(next)];
  const { key } = placeTarget(target, 'certpin.json', undefined);
  let isUnderWay = true;
  const rig = await startRig(t, [{ target, pins }], {
    ...{ lookup: several.lookup, chooseReceivers: chatAndPager },
    rotating: () => new Set(isUnderWay ? [key] : []),
  });
  const present = (...certificates: Minted[]): void => {
    for (const [index, certificate] of certificates.entries()) several.servers[index]?.present(certificate);
  };
  await rig.pass(10 * MINUTE);
  present(foreign);
  await rig.pass(2 * HOUR);
  assert.deepEqual([await rig.told('chat'), await rig.told('pager')], [['holds>drift'], ['holds>drift']]);
  present(next);
  await rig.pass(2 * HOUR);
  present(next, next);
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.changes(), ['holds>drift', 'drift>mixed', 'mixed>rotated']);
  assert.deepEqual([await rig.told('chat'), await rig.told('pager')], [[], []]);
  // The rotation ends, and the old pin leaves the file, before the next check.
  isUnderWay = false;
  rig.writePins([{ target, pins: [certificateHex(next)] }]);
  await rig.pass(2 * HOUR);
  assert.deepEqual([await rig.told('chat'), await rig.told('pager')], [['rotated>holds'], ['rotated>holds']]);
  await rig.pass(2 * HOUR);
  assert.deepEqual([await rig.told('chat'), await rig.told('pager')], [[], []]);
});

test('who heard of a drift hears of its end, also where a person has muted what came in between', async (t) => {
  const [own, foreign] = [await mint(), await mint()];
  const server = await serve(t, own);
  const rig = await startRig(t, [{ target: server.label, pins: [certificateHex(own)] }], {
    chooseReceivers: chatAndPager,
  });
  await rig.pass(10 * MINUTE);
  server.present(foreign);
  await rig.pass(2 * HOUR);
  assert.deepEqual([await rig.told('chat'), await rig.told('pager')], [['holds>drift'], ['holds>drift']]);
  const key = `127.0.0.1 ${server.port}`;
  const now = rig.clock.now();
  await rig.store.setMute({ key, until: now + 10 * HOUR, reason: 'planned work', since: now });
  await server.close();
  await rig.pass(3 * HOUR);
  assert.deepEqual(await rig.changes(), ['holds>drift', 'drift>unreachable']);
  const again = await startTlsServer({ certificate: own, port: server.port });
  t.after(() => again.close());
  await rig.store.removeMute(key);
  await rig.pass(2 * HOUR);
  assert.deepEqual([await rig.told('chat'), await rig.told('pager')], [['unreachable>holds'], ['unreachable>holds']]);
});

test('remarks stand beside a state, and send nothing', async (t) => {
  const [one, two, same, ca] = [await mint(), await mint(), await mint(), await mint({ ca: true, subject: 'CN=CA' })];
  const signed = await mint({ names: ['127.0.0.1'], issuer: ca });
  const old = await mint({ validFromDays: -30, validToDays: -1 });
  const backup = certificateHex(await mint());
  const make = async (id: string, certificate: Minted, pins: object) => ({
    id,
    target: (await serve(t, certificate)).label,
    ...pins,
  });
  const rig = await startRig(t, [
    await make('lonely', one, { pins: [certificateHex(one)] }),
    await make('twice-the-same', two, { pins: [certificateHex(two), await publicKeyPin(two)] }),
    await make('next-in-use', two, { pins: [backup, certificateHex(two)] }),
    await make('first', same, { pins: [certificateHex(same), backup] }),
    await make('second', same, { pins: [certificateHex(same), backup] }),
    await make('ca', signed, { issuerPins: [ca.certPem] }),
    await make('old', old, { pins: [certificateHex(old), backup], expired: 'accept' }),
  ]);
  await rig.pass(MINUTE);
  const remarks = Object.fromEntries(
    (await rig.store.targets({})).rows.map(({ id, remarks: all }) => [id, [...all].sort()]),
  );
  assert.deepEqual(remarks, {
    lonely: ['no-backup-pin'],
    'twice-the-same': ['no-backup-pin', 'same-key'],
    'next-in-use': ['next-pin', 'next-pin-never-seen', 'same-key'],
    first: ['next-pin-never-seen', 'same-key'],
    second: ['next-pin-never-seen', 'same-key'],
    ca: ['no-backup-pin'],
    old: ['end-accepted', 'next-pin-never-seen'],
  });
  assert.equal((await rig.store.countRemarks())['same-key'], 4);
  assert.equal((await rig.store.targets({ remark: 'no-backup-pin' })).total, 3);
  assert.deepEqual(await rig.told(), []);
});

test('a certificate file, and a unix socket that is not there', async (t) => {
  const own = await mint();
  const rig = await startRig(t, [{ target: './own.crt', pins: [certificateHex(own)] }]);
  writeFileSync(join(rig.folder, 'own.crt'), own.certPem);
  await rig.pass(MINUTE);
  assert.equal(await rig.stateOf('own.crt'), 'holds');
});

test('a revoked pin is told at the first check that finds it', async (t) => {
  const [own, stolen] = [await mint(), await mint()];
  const server = await startTlsServer({ certificate: own });
  t.after(() => server.close());
  const revoked = [{ pin: certificateHex(stolen), since: '2026-01-01' }];
  const rig = await startRig(
    t,
    [{ target: `127.0.0.1:${server.port}`, pins: [certificateHex(own)], revoked }],
    { recheckMs: 10 * HOUR }, // no second check follows soon
  );
  await rig.pass(MINUTE);
  server.present(stolen);
  const before = rig.checks();
  while (rig.checks() === before) await rig.pass(MINUTE);
  await rig.pass(MINUTE);
  assert.deepEqual([rig.checks() - before, await rig.told()], [1, ['holds>revoked']]);
});

test('a mute that is set while the target is being asked counts', async (t) => {
  const [own, other] = [await mint(), await mint()];
  const server = await startTlsServer({ certificate: own });
  t.after(() => server.close());
  let mute = async (): Promise<void> => undefined;
  const ask: CycleOptions['ask'] = async (...values) => {
    const judged = await askEntry(...values);
    await mute();
    return judged;
  };
  const rig = await startRig(t, [{ target: `127.0.0.1:${server.port}`, pins: [certificateHex(own)] }], { ask });
  await rig.pass(MINUTE);
  const key = (await rig.store.targets({})).rows[0]?.key ?? '';
  mute = async () => {
    const now = rig.clock.now();
    await rig.store.setMute({ key, until: now + 10 * HOUR, reason: 'planned work', since: now });
  };
  server.present(other);
  await rig.pass(2 * HOUR);
  assert.deepEqual([await rig.changes(), await rig.told()], [['holds>drift'], []]);
});
