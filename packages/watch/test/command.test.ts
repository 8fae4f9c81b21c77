import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, mint, startTlsServer } from '@certpin/testkit';
import { requirePackage } from '@certpin/testkit/debian';
import { nodeOf } from '../../auth0/test/nodes.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import { loadSqlite } from '../src/store/sqlite-module.ts';
import type { TargetRow } from '../src/types.ts';

const bin = fileURLToPath(new URL('../../cli/bin/certpin.cjs', import.meta.url));

async function stage(t: TestContext) {
  const certificate = await mint();
  const server = await startTlsServer({ certificate });
  const folder = mkdtempSync(join(tmpdir(), 'certpin-command-'));
  t.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const target = `127.0.0.1:${server.port}`;
  const pinsFile = join(folder, 'certpin.json');
  writeFileSync(pinsFile, JSON.stringify({ version: 1, targets: [{ target, pins: [certificateHex(certificate)] }] }));
  writeFileSync(join(folder, 'certpin.watch.json'), '{ "listen": { "address": "none" }, "expiresWithin": "0d" }');
  const begin = (argv: readonly string[], node: string = process.execPath): ChildProcess =>
    spawn(node, [bin, 'watch', ...argv], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const run = async (argv: readonly string[], node?: string) => {
    const child = begin(argv, node);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        said += chunk;
      });
    const [code] = (await once(child, 'close')) as [number];
    return { code, said };
  };
  return { server, target, folder, begin, run, pinsFile };
}

test('one cycle: answers, and the exit codes of check --file; then status and mute', async (t) => {
  const { run, server, target } = await stage(t);
  const nothing = await run(['status']);
  assert.equal(nothing.code, 2);
  assert.match(nothing.said, /no watcher has run/);
  const good = await run(['--once']);
  assert.match(good.said, new RegExp(`^holds +${target} +29 days left\n`), good.said);
  assert.equal(good.code, 0);
  assert.doesNotMatch(good.said, /Experimental/);
  const muted = await run(['mute', target, '--until', '2h', '--reason', 'planned work']);
  assert.match(muted.said, new RegExp(`^muted until .*: ${target}\n`), muted.said);
  server.present(await mint());
  const drift = await run(['--once', '-q']);
  assert.equal(drift.code, 1);
  const status = await run(['status']);
  assert.match(status.said, /^drift .*muted until .*: planned work/);
  assert.equal(status.code, 1);
  const json = JSON.parse((await run(['status', '--json'])).said);
  assert.equal(json.state, 'drift');
  assert.equal(json.mute.reason, 'planned work');
  await server.close();
  assert.equal((await run(['--once', '-q'])).code, 2);
});

test('status: 2 where something is not known, is old, or was not read; --problems shows it', async (t) => {
  const { run, target, folder } = await stage(t);
  assert.equal((await run(['--once'])).code, 0);
  assert.equal((await run(['status'])).code, 0);
  const store = openSqliteStore(join(folder, 'certpin.watch.db'), { watches: true });
  t.after(() => store.close());
  const now = Date.now();
  assert.equal((await store.watcher()).intervalMs, 3_600_000, 'the interval that holds, where nobody says one');
  await store.recordWatcher({ networkLostAt: now });
  const lost = await run(['status']);
  assert.deepEqual([lost.code, /the watcher reaches no server since/.test(lost.said)], [2, true]);
  await store.recordWatcher({ networkLostAt: null, fileError: 'certpin.json:1:1: it is not JSON' });
  const unread = await run(['status']);
  assert.deepEqual([unread.code, /it is not JSON; the last good one stays/.test(unread.said)], [2, true]);
  await store.recordWatcher({ fileError: null, caughtUpAt: now - 2 * 3_600_000 - 61_000 });
  const late = await run(['status']);
  assert.deepEqual([late.code, /checks are overdue/.test(late.said)], [2, true]);
  await store.recordWatcher({ caughtUpAt: now });
  assert.equal((await run(['status', '--problems'])).code, 0);
  const [known] = (await store.targets({})).rows as [TargetRow];
  const unasked = { ...known, key: 'new.example 443', label: 'new.example:443', text: '{}', isHere: false };
  const due = (await store.due(Number.MAX_SAFE_INTEGER, 1, new Set())).map(({ row, text }) => ({
    ...row,
    text,
    isHere: false,
  }));
  await store.importTargets(
    (async function* () {
      yield* [...due, unasked];
    })(),
    now,
  );
  const problems = await run(['status', '--problems']);
  assert.match(problems.said, /^unknown +new\.example:443\n/);
  assert.doesNotMatch(problems.said, new RegExp(target));
  assert.equal(problems.code, 2);
});

test('one cycle with a pins file that cannot be read, or a target that cannot be asked: 2, and one clear error', async (t) => {
  const { run, pinsFile, target, folder } = await stage(t);
  assert.equal((await run(['--once'])).code, 0);
  writeFileSync(pinsFile, '{ "version": 1, "targets": [');
  for (let time = 0; time < 2; time++) {
    const { code, said } = await run(['--once', '-q']);
    assert.match(
      said,
      /^certpin: error: .*certpin\.json:1:\d+: it is not JSON[^\n]*; the targets of the last good one were asked\n$/,
    );
    assert.equal(code, 2);
  }
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(join(folder, 'certpin.watch.db'));
  database.exec(`UPDATE target SET text = '{"version":1,"near":{"milliseconds":0},"text":"{}"}'`);
  database.close();
  const { code, said } = await run(['--once']);
  assert.equal(code, 2);
  assert.match(said, new RegExp(`certpin: error: ${target} could not be asked: `));
  assert.match(said, /summary: 1 target, 1 not asked\n/);
});

test('a pins file without a target is no success: one cycle and status say so, and end with 2', async (t) => {
  const { run, pinsFile } = await stage(t);
  writeFileSync(pinsFile, JSON.stringify({ version: 1, targets: [] }));
  const words = /there is no target in the pins file: nothing is watched\n/;
  for (const command of [['--once'], ['--once', '-q'], ['status']]) {
    const { code, said } = await run(command);
    assert.deepEqual([code, words.test(said)], [2, true], said);
  }
});

test('the service: a second one is refused, SIGHUP reads the files again, SIGTERM ends it within seconds', async (t) => {
  const { begin, run, pinsFile } = await stage(t);
  const child = begin([]);
  t.after(() => child.kill('SIGKILL'));
  let log = '';
  const until = async (words: RegExp): Promise<void> => {
    while (!words.test(log)) await once(child.stderr as never, 'data');
  };
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk;
  });
  await until(/"event":"started"/);
  const second = await run(['--once']);
  assert.equal(second.code, 2);
  assert.match(second.said, /another certpin watch uses this file/);
  writeFileSync(pinsFile, JSON.stringify({ version: 1, targets: [] }));
  child.kill('SIGHUP');
  await until(/"event":"pins-file-read","targets":0/);
  const begun = Date.now();
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
  assert.ok(Date.now() - begun < 5_000);
  for (const line of log.trim().split('\n')) assert.equal(typeof JSON.parse(line).event, 'string');
});

test('an older Node gets one clear sentence', async (t) => {
  const { run } = await stage(t);
  const { code, said } = await run([], nodeOf(18));
  assert.equal(code, 2);
  assert.match(
    said,
    /^certpin: error: certpin watch needs Node 22\.13 or newer, and this is Node 18\.[\d.]+; the other commands work here\n$/,
  );
});

test('a mistake in the configuration: its line and column, and nothing of what stands there', async (t) => {
  const { run, folder } = await stage(t);
  const path = join(folder, 'certpin.watch.json');
  for (const [text, words] of [
    ['{\n  "intervall": 60\n}', ':2:3: unknown key "intervall"'],
    ['{ "store": "postgres://me:hunter2@db/x" }', ':1:12: "store" cannot be used'],
    ['{ "retries": 1, "retries": 2 }', ':1:17: this key is given twice'],
    ['{ "timeoutSeconds": 0 }', ':1:21: "timeoutSeconds" must be >= 1'],
  ] as const) {
    writeFileSync(path, text);
    const { code, said } = await run(['--once']);
    assert.equal(code, 2);
    assert.ok(said.includes(`certpin.watch.json${words}`), said);
    assert.doesNotMatch(said, /hunter2/);
  }
});

for (const [what, config, flags, line, store] of [
  ['no store', {}, [], ' --store sqlite:/var/lib/certpin-watch/watch.db', 'StateDirectory=certpin-watch'],
  [
    'the store of the configuration',
    { store: 'sqlite:/var/lib/certpin/pins/w.db' },
    [],
    '',
    'StateDirectory=certpin/pins',
  ],
  [
    'the store of a flag, which wins',
    { store: 'sqlite:/var/lib/certpin/w.db' },
    ['--store', 'sqlite:/var/lib/other/w.db'],
    ' --store sqlite:/var/lib/other/w.db',
    'StateDirectory=other',
  ],
  [
    'the database of the configuration, with pins of a flag',
    { store: 'postgres://certpin@db.example.com/certpin' },
    ['--store-pins-file', '/etc/certpin/store.json'],
    ' --store-pins-file /etc/certpin/store.json',
    'DynamicUser=yes\nUMask=0077',
  ],
  ['a store elsewhere', { store: 'sqlite:/srv/certpin/w.db' }, [], '', 'ReadWritePaths=/srv/certpin'],
] as const) {
  test(`the unit for systemd: absolute paths, and ${what}`, async (t) => {
    const { run, folder } = await stage(t);
    const path = join(folder, 'certpin.watch.json');
    writeFileSync(path, JSON.stringify(config));
    const { code, said } = await run(['--print-unit', '--config', 'certpin.watch.json', ...flags]);
    assert.equal(code, 0, said);
    assert.ok(said.includes(`ExecStart=${process.execPath} ${bin} watch --config ${path}${line}\n`), said);
    assert.ok(said.includes(`${store}\n`), said);
    // Whatever it writes to, the unit lets it: as a user that there is.
    assert.equal(said.includes('DynamicUser=yes'), !store.startsWith('ReadWritePaths'));
    const unit = join(folder, 'certpin-watch.service');
    writeFileSync(unit, said);
    const analyze = requirePackage('systemd', 'systemd-analyze');
    const { status, stderr } = spawnSync(analyze, ['verify', '--man=no', unit], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });
}
