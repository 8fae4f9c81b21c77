import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { certificateHex, isLong, mint, startTlsServer } from '@certpin/testkit';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import type { State } from '../../src/types.ts';
import { manyTargets } from './asked.ts';

const child = fileURLToPath(new URL('watcher-child.ts', import.meta.url));
/** The short form of the tests has some of them. */
const KILLS = isLong ? 30 : 8;

test(`kill -9 at ${KILLS} random moments: no transition is lost, none is there twice, and each is in the outbox`, async (t) => {
  const certificates = [await mint(), await mint()];
  const [own] = certificates;
  const servers = await Promise.all(Array.from({ length: 6 }, () => startTlsServer({ certificate: own as never })));
  const folder = mkdtempSync(join(tmpdir(), 'certpin-kill-'));
  t.after(async () => {
    await Promise.all(servers.map((server) => server.close()));
    rmSync(folder, { recursive: true, force: true });
  });
  const targets = servers.map(({ port }) => ({ target: `127.0.0.1:${port}`, pins: [certificateHex(own as never)] }));
  writeFileSync(join(folder, 'certpin.json'), JSON.stringify({ version: 1, targets }));

  const begin = async (): Promise<ChildProcess> => {
    const started = spawn(process.execPath, ['--import', 'tsx', child, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => started.kill('SIGKILL'));
    await Promise.race([once(started.stdout as never, 'data'), once(started, 'exit')]);
    assert.equal(started.exitCode, null, 'the lock of the killed one is gone');
    return started;
  };
  for (let kill = 0; kill < KILLS; kill++) {
    const watcher = await begin();
    // The certificates change while it is asking, and it is killed in the middle of what follows.
    for (const [index, server] of servers.entries()) server.present(certificates[(kill + index) % 2] as never);
    await delay(Math.random() * 900);
    watcher.kill('SIGKILL');
    await once(watcher, 'exit');
  }
  for (const server of servers) server.present(own as never);
  const last = await begin();
  const reader = openSqliteStore(join(folder, 'watch.db'), { watches: false });
  for (let wait = 0; wait < 300 && (await reader.countStates()).holds < servers.length; wait++) await delay(100);
  await reader.close();
  last.kill('SIGKILL');
  await once(last, 'exit');

  const store = openSqliteStore(join(folder, 'watch.db'), { watches: true });
  t.after(() => store.close());
  assert.equal((await store.countStates()).holds, servers.length);
  await assertTold(
    store,
    targets.map(({ target }) => target),
  );
});

/** Every target holds in the end, and whatever came before was written down without a gap, and is in the outbox once. */
async function assertTold(store: Store, labels: readonly string[]): Promise<void> {
  const all = [...(await store.transitions({ limit: 100_000, kinds: ['changed'] }))].reverse();
  assert.ok(all.length > 0, 'something has changed');
  const states = new Map<string | null, string | null>(labels.map((label) => [label, 'holds']));
  for (const { label, from, to } of all) {
    // A chain without a gap: each begins where the one before has ended, and the last leads to what is there.
    assert.equal(from ?? 'holds', states.get(label), label ?? '');
    states.set(label, to);
  }
  assert.deepEqual([...new Set(states.values())], ['holds']);
  const message = await store.claimMessage({
    receiver: 'all',
    now: Date.now(),
    leaseUntil: 0,
    max: 100_000,
    ripeAt: Date.now(),
  });
  assert.deepEqual(
    message?.transitions.map(({ id }) => id),
    all.map(({ id }) => id),
  );
}

const onceChild = fileURLToPath(new URL('once-child.ts', import.meta.url));

test('kill -9 of one cycle over many, in and between its writes: no transition is lost, none is there twice, and each is in the outbox', {
  timeout: 300_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-kill-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const targets = manyTargets(1_200); // they are written in three steps at the least
  writeFileSync(join(folder, 'certpin.json'), JSON.stringify({ version: 1, targets }));
  const run = async (state: State, statements: number) => {
    const started = spawn(process.execPath, ['--import', 'tsx', onceChild, folder, state, String(statements)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => started.kill('SIGKILL'));
    let said = '';
    started.stdout.on('data', (chunk) => (said += chunk));
    const [code, signal] = (await once(started, 'close')) as [number | null, string | null];
    assert.ok(code === 0 || signal === 'SIGKILL', `${code} ${signal}`);
    return { isKilled: signal === 'SIGKILL', left: Number(said) };
  };
  await run('holds', 0);
  const all = -(await run('drift', 0)).left;
  let kills = 0;
  for (let tries = 0; kills < KILLS; tries++) {
    assert.ok(tries < 3 * KILLS, `only ${kills} were killed`);
    // One that has fewer statements, because fewer targets change, comes to its end. Then all of them change in the next one.
    const { isKilled } = await run(tries % 2 === 0 ? 'holds' : 'drift', Math.ceil(((kills + 1) * all) / (KILLS + 1)));
    if (isKilled) kills++;
  }
  await run('holds', 0);
  const store = openSqliteStore(join(folder, 'watch.db'), { watches: true });
  t.after(() => store.close());
  assert.equal((await store.countStates()).holds, targets.length);
  await assertTold(
    store,
    targets.map((target) => (target as { target: string }).target),
  );
});
