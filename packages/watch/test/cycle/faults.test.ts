import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CountingServer, certificateHex, mint, startTlsServer } from '@certpin/testkit';
import { askEntry } from '../../src/cycle/ask.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { createLookup, HOUR, MINUTE, type Rig, startRig } from '../rig.ts';

/** Names of one server, of which each is a target. */
async function startNames(t: TestContext, count: number) {
  const certificate = await mint();
  const server: CountingServer = await startTlsServer({ certificate });
  t.after(() => server.close());
  const names = Array.from({ length: count }, (_, index) => `name-${index}.example`);
  const targets = names.map((name) => ({ target: `${name}:${server.port}`, pins: [certificateHex(certificate)] }));
  const known = createLookup(Object.fromEntries(names.map((name) => [name, ['127.0.0.1']])));
  const network = { isGone: false, deadNames: new Set<string>() };
  const lookup: LookupFunction = (host, options, done) => {
    if (!network.isGone && !network.deadNames.has(host)) return known(host, options, done);
    done(Object.assign(new Error(`getaddrinfo EAI_AGAIN ${host}`), { code: 'EAI_AGAIN' }), '');
  };
  return { certificate, server, targets, lookup, network };
}

test('a server that shows another certificate now and then: told once, and its end once', async (t) => {
  const [own, other] = [await mint(), await mint()];
  const server = await startTlsServer({ certificate: own });
  t.after(() => server.close());
  const rig = await startRig(t, [{ target: `127.0.0.1:${server.port}`, pins: [certificateHex(own)] }], {
    defaults: { intervalMs: MINUTE, expiresWithin: { milliseconds: 0 } },
  });
  await rig.pass(2 * MINUTE);
  // As behind a load balancer with one wrong server of two.
  for (let turn = 0; turn < 40; turn++) {
    server.present(turn % 2 === 0 ? other : own);
    await rig.pass(MINUTE);
  }
  assert.deepEqual(await rig.changes(), ['holds>drift']);
  server.present(own);
  await rig.pass(6 * MINUTE);
  assert.deepEqual(await rig.told(), ['holds>drift', 'drift>holds']);
});

test('the own network is gone: one alarm, and nothing of the targets; when it is back, all goes on', async (t) => {
  const { targets, lookup, network, server } = await startNames(t, 12);
  const rig = await startRig(t, targets, { lookup });
  await rig.pass(10 * MINUTE);
  network.isGone = true;
  await rig.pass(5 * HOUR);
  assert.deepEqual(await rig.told(), ['network-lost']);
  assert.equal((await rig.store.countStates()).holds, 12);
  assert.notEqual((await rig.store.watcher()).networkLostAt, null);
  const asked = rig.checks();
  await rig.pass(HOUR);
  assert.ok(rig.checks() - asked <= 3 * 360, `${rig.checks() - asked} questions in an hour, into nowhere`);
  // It is the same loss after a restart.
  await rig.restart();
  await rig.pass(HOUR);
  assert.deepEqual(await rig.told(), []);
  network.isGone = false;
  const handshakes = server.handshakes();
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['network-back']);
  assert.deepEqual(await rig.changes(), []);
  assert.ok(server.handshakes() - handshakes >= 12);
  assert.equal((await rig.store.watcher()).networkLostAt, null);
});

test('one server is silent, and the network is not: it alone is told', async (t) => {
  const { targets, lookup, network } = await startNames(t, 12);
  const rig = await startRig(t, targets, { lookup });
  await rig.pass(10 * MINUTE);
  network.deadNames.add('name-3.example');
  await rig.pass(3 * HOUR);
  assert.deepEqual(await rig.told(), ['holds>unreachable']);
  assert.equal(await rig.stateOf('name-3.example'), 'unreachable');
});

for (const [name, interval] of [
  ['are asked as often as the others', undefined],
  ['are asked far more often than the others', '1m'],
] as const)
  test(`half of the servers die, which ${name}: each is told, the network is not lost, and a drift of the others is told`, async (t) => {
    const { targets, lookup, network, server } = await startNames(t, 6);
    const stranger = await mint();
    const drifting = await startTlsServer({ certificate: stranger });
    t.after(() => drifting.close());
    const given = targets.map((target, index) => ({ ...target, interval: index < 3 ? interval : '10m' }));
    const rig = await startRig(t, given, { lookup });
    await rig.pass(20 * MINUTE);
    for (const index of [0, 1, 2]) network.deadNames.add(`name-${index}.example`);
    await rig.pass(5 * MINUTE);
    server.present(stranger);
    await rig.pass(2 * HOUR);
    assert.deepEqual([...(await rig.told())].sort(), [
      ...Array(3).fill('holds>drift'),
      ...Array(3).fill('holds>unreachable'),
    ]);
  });

test('half of the servers were never there: each is told, and the network is not lost', async (t) => {
  const { targets, lookup, network } = await startNames(t, 12);
  for (let index = 0; index < 6; index++) network.deadNames.add(`name-${index}.example`);
  const rig = await startRig(t, targets, { lookup });
  await rig.pass(4 * HOUR);
  assert.deepEqual(await rig.told(), Array(6).fill('null>unreachable'));
});

test('a target of this machine says nothing of the network: it ends no loss, and makes none', async (t) => {
  const { targets, lookup, network, server, certificate } = await startNames(t, 6);
  const own = { target: `127.0.0.1:${server.port}`, pins: [certificateHex(certificate)], interval: '10m' };
  const rig = await startRig(t, [own, ...targets], { lookup });
  await rig.pass(10 * MINUTE);
  network.isGone = true;
  await rig.pass(HOUR);
  assert.deepEqual(await rig.told(), ['network-lost']);
  network.isGone = false;
  await rig.pass(HOUR);
  assert.deepEqual(await rig.told(), ['network-back']);
  assert.deepEqual(await rig.changes(), []);
});

test('in one cycle: nobody answers, so the watcher is cut off; one answers, so the others are silent', async (t) => {
  const { targets, lookup, network } = await startNames(t, 6);
  const rig = await startRig(t, targets, { lookup });
  const first = await rig.once();
  assert.equal(first.isCutOff, false);
  assert.deepEqual([...new Set(first.found.map(({ state }) => state))], ['holds']);
  assert.equal(first.found.length, 6);
  network.isGone = true;
  const cut = await rig.once();
  assert.equal(cut.isCutOff, true);
  assert.deepEqual(await rig.told(), ['network-lost']);
  network.isGone = false;
  for (const index of [1, 2]) network.deadNames.add(`name-${index}.example`);
  const last = await rig.once();
  assert.equal(last.isCutOff, false);
  assert.equal(last.found.filter(({ state }) => state === 'unreachable').length, 2);
});

for (const dead of [6, 8]) {
  test(`in one cycle, ${dead} of 12 are dead and are asked first: they are asked again when another one answers`, async (t) => {
    const { targets, lookup, network } = await startNames(t, 12);
    let toDie = 0;
    const rig = await startRig(t, targets, {
      lookup: (host, options, done) => {
        if (toDie > 0 && !network.deadNames.has(host)) {
          network.deadNames.add(host);
          toDie -= 1;
        }
        lookup(host, options, done);
      },
    });
    await rig.once();
    toDie = dead;
    const { found, targets: all, isCutOff } = await rig.once();
    assert.deepEqual([found.length, all, isCutOff], [12, 12, false]);
    assert.equal(found.filter(({ state }) => state === 'unreachable').length, dead);
    assert.deepEqual(await rig.told(), []);
  });
}

test('in one cycle, a target that cannot be asked is named, and the others are asked', async (t) => {
  const { targets, lookup } = await startNames(t, 3);
  const rig = await startRig(t, targets, {
    lookup,
    ask: (entry, options) => {
      if (entry.label.startsWith('name-1')) throw new Error('its definition is damaged');
      return askEntry(entry, options);
    },
  });
  const { found, targets: all, failed } = await rig.once();
  assert.deepEqual([found.length, all], [2, 3]);
  assert.deepEqual(failed, [{ label: targets[1]?.target, error: 'its definition is damaged' }]);
  assert.equal((await rig.store.watcher()).caughtUpAt, null);
});

test('a target that cannot be asked at all is tried again from time to time, and holds up no other', async (t) => {
  const { targets, lookup } = await startNames(t, 3);
  const rig = await startRig(t, targets, {
    lookup,
    ask: (entry, options) => {
      if (entry.label.startsWith('name-1')) throw new Error('its definition is damaged');
      return askEntry(entry, options);
    },
  });
  await rig.pass(10 * MINUTE);
  const failed = rig.events.filter(({ event }) => event === 'check-failed').length;
  assert.equal(failed, 11, 'at once, and then each minute of ten');
  assert.equal((await rig.store.countStates()).holds, 2);
  assert.equal((await rig.store.watcher()).caughtUpAt, null);
});

test('in one cycle, a pins file that cannot be read is told at once, and stays told', async (t) => {
  const { targets, lookup } = await startNames(t, 2);
  const rig = await startRig(t, targets, { lookup });
  assert.equal((await rig.once()).fileError, null);
  writeFileSync(rig.pinsFile, '{ "version": 2, "targets": [');
  const { found, fileError } = await rig.once();
  assert.match(fileError ?? '', /certpin\.json:1:\d+: it is not JSON/);
  assert.equal(found.length, 2);
  assert.deepEqual(await rig.told(), ['file-unreadable']);
  writeFileSync(rig.pinsFile, '[]');
  assert.match((await rig.once()).fileError ?? '', /certpin\.json:1:1/);
  assert.deepEqual(await rig.told(), []);
  rig.writePins(targets);
  assert.equal((await rig.once()).fileError, null);
  assert.deepEqual(await rig.told(), ['file-readable']);
});

test('a restart, a clock that is set, and a machine that sleeps repeat nothing', async (t) => {
  const [own, other] = [await mint(), await mint()];
  const server = await startTlsServer({ certificate: own });
  t.after(() => server.close());
  const rig = await startRig(t, [{ target: `127.0.0.1:${server.port}`, pins: [certificateHex(own)] }]);
  await rig.pass(10 * MINUTE);
  server.present(other);
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['holds>drift']);
  for (let count = 0; count < 5; count++) {
    await rig.restart();
    await rig.pass(2 * HOUR);
  }
  rig.clock.jump(-48 * HOUR);
  const checks = rig.checks();
  await rig.pass(3 * HOUR);
  assert.ok(rig.checks() > checks, 'nobody waits for the time at which the wrong clock stood');
  rig.clock.jump(48 * HOUR);
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), []);
  assert.ok(rig.events.some(({ event }) => event === 'clock-jumped'));
  server.present(own);
  await rig.pass(2 * HOUR);
  assert.deepEqual(await rig.told(), ['drift>holds']);
});

test('what was asked before a machine fell asleep does not count: its time limit passed while nobody was there', async (t) => {
  const { targets, lookup } = await startNames(t, 1);
  let answer = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let isHeld = false;
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const rig = await startRig(t, targets, {
    lookup: (host, options, done) => {
      if (!isHeld) return lookup(host, options, done);
      begin();
      void held.then(() => done(Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' }), ''));
    },
    hysteresis: await withUp(1),
    timeoutMs: 60_000,
  });
  await rig.pass(10 * MINUTE);
  assert.equal((await rig.store.countStates()).holds, 1);
  isHeld = true;
  void rig.pass(2 * HOUR).catch(() => undefined);
  await begun;
  rig.clock.jump(8 * HOUR);
  rig.clock.advance(1_000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  isHeld = false;
  answer();
  await rig.pass(10 * MINUTE);
  assert.deepEqual(await rig.changes(), []);
});

async function withUp(unreachable: number) {
  const { defaultHysteresis } = await import('../../src/states/hysteresis.ts');
  return { ...defaultHysteresis, up: { ...defaultHysteresis.up, unreachable } };
}

test('the pins file is read when it changes; where it cannot be read, the last good one stays, also after a restart', async (t) => {
  const { targets, lookup, certificate } = await startNames(t, 3);
  const rig = await startRig(t, targets.slice(0, 2), { lookup });
  await rig.pass(10 * MINUTE);
  assert.equal((await rig.store.targets({})).total, 2);
  rig.writePins(targets);
  await rig.pass(20_000);
  assert.equal((await rig.store.countStates()).holds, 3);
  writeFileSync(rig.pinsFile, '{ "version": 2, "targets": [');
  await rig.pass(MINUTE);
  assert.deepEqual(await rig.told(), ['file-unreadable']);
  assert.match((await rig.store.watcher()).fileError ?? '', /certpin\.json:1:\d+: it is not JSON/);
  await rig.restart();
  const checks = rig.checks();
  await rig.pass(3 * HOUR);
  assert.ok(rig.checks() >= checks + 6, 'all three are asked');
  assert.deepEqual(await rig.told(), []);
  // One target goes, and one gets a pin that does not hold: it is asked at once.
  rig.writePins([targets[0] as object, { ...targets[1], pins: ['AA'.repeat(32)] }]);
  await rig.pass(20_000);
  assert.deepEqual([...(await rig.told())].sort(), ['file-readable', 'holds>drift']);
  assert.equal((await rig.store.targets({})).total, 2);
  assert.notEqual(certificateHex(certificate), '');
});

test('how often targets are asked: the configuration says it, else the pins file, else it is an hour', async (t) => {
  const { targets, lookup } = await startNames(t, 1);
  const nothing = { intervalMs: undefined, expiresWithin: { milliseconds: 0 } };
  const rig = await startRig(t, targets, { lookup, defaults: nothing });
  const known = async () => [(await rig.store.watcher()).intervalMs, (await rig.store.targets({})).rows[0]?.intervalMs];
  await rig.once();
  assert.deepEqual(await known(), [HOUR, HOUR]);
  writeFileSync(rig.pinsFile, JSON.stringify({ version: 2, interval: '15m', targets }));
  await rig.once();
  assert.deepEqual(await known(), [15 * MINUTE, 15 * MINUTE]);
  await rig.restart({ defaults: { ...nothing, intervalMs: 5 * MINUTE } });
  await rig.once();
  assert.deepEqual(await known(), [5 * MINUTE, 5 * MINUTE]);
});

test('a file that an editor is writing is no news', async (t) => {
  const { targets, lookup } = await startNames(t, 1);
  const rig = await startRig(t, targets, { lookup });
  await rig.pass(10 * MINUTE);
  const away = join(rig.folder, 'away.json');
  renameSync(rig.pinsFile, away);
  await rig.pass(6_000);
  renameSync(away, rig.pinsFile);
  await rig.pass(MINUTE);
  assert.deepEqual(await rig.told(), []);
});

test('a second watcher on one file is refused; who only reads, or mutes, is not', async (t) => {
  const { targets, lookup } = await startNames(t, 1);
  const rig = await startRig(t, targets, { lookup });
  await rig.pass(MINUTE);
  assert.throws(() => openSqliteStore(rig.storeFile, { watches: true }), /another certpin watch uses this file/);
  const reader = openSqliteStore(rig.storeFile, { watches: false });
  assert.equal((await reader.countStates()).holds, 1);
  await reader.close();
});

/** A store on a disk of 12 MB, which can be filled. */
async function moveToSmallDisk(t: TestContext, rig: Rig) {
  const place = mkdtempSync(join(tmpdir(), 'certpin-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', place], { stdio: 'pipe' });
  } catch (error) {
    assert.fail(`this test mounts a file system of 12 MB, which root may on Linux: ${error}`);
  }
  t.after(async () => {
    await rig.stop().catch(() => undefined);
    execFileSync('umount', ['-l', place]);
    rmSync(place, { recursive: true });
  });
  await rig.store.close();
  rig.store = openSqliteStore(join(place, 'watch.db'), { watches: true, now: rig.clock.now });
  const ballast = join(place, 'ballast');
  return {
    fill: () => {
      try {
        writeFileSync(ballast, Buffer.alloc(12 * 1024 * 1024));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      }
    },
    free: () => writeFileSync(ballast, ''),
  };
}

test('a full disk: nothing is half written, the watcher goes on, and what changed is told when there is room again', async (t) => {
  const { targets, lookup, server, certificate } = await startNames(t, 20);
  const rig = await startRig(t, targets, { lookup });
  const disk = await moveToSmallDisk(t, rig);
  await rig.pass(10 * MINUTE);
  assert.equal((await rig.store.countStates()).holds, 20);
  disk.fill();
  server.present(await mint());
  await rig.pass(90 * MINUTE);
  assert.ok(rig.events.some(({ event }) => event === 'store-failed'));
  disk.free();
  await rig.pass(HOUR);
  const told = await rig.told();
  assert.deepEqual([...new Set(told)], ['holds>drift']);
  assert.equal(told.length, 20);
  server.present(certificate);
});

async function passUntil(rig: Rig, wanted: string): Promise<void> {
  for (let minutes = 0; !rig.events.some(({ event }) => event === wanted); minutes++) {
    assert.ok(minutes < 120, `no ${wanted} in two hours`);
    await rig.pass(MINUTE);
  }
}

test('a full disk: what the watcher has to say of itself is told when there is room again', async (t) => {
  const { targets, lookup, network } = await startNames(t, 6);
  const rig = await startRig(t, targets, { lookup });
  const disk = await moveToSmallDisk(t, rig);
  await rig.pass(10 * MINUTE);
  disk.fill();
  network.isGone = true;
  await passUntil(rig, 'network-lost');
  rmSync(rig.pinsFile);
  await passUntil(rig, 'pins-file-unreadable');
  network.isGone = false;
  await passUntil(rig, 'network-back');
  assert.ok(rig.events.some(({ event }) => event === 'store-failed'));
  disk.free();
  await rig.pass(10 * MINUTE);
  assert.deepEqual(await rig.told(), ['network-lost', 'file-unreadable', 'network-back']);
  const { networkLostAt, fileError } = await rig.store.watcher();
  assert.equal(networkLostAt, null);
  assert.match(fileError ?? '', /certpin\.json/);
});
