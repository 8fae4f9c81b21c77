import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { changeText } from '../src/edit.ts';
import { changePinsFile, loadPinsFile, openPinsFile } from '../src/store.ts';

const EMPTY = '{ "version": 1, "targets": [] }';

/** A folder of its own, with an empty pins file in it. */
function openFolder(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-store-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'certpin.json');
  writeFileSync(file, EMPTY);
  return { folder, file };
}

/** Another process that writes, and what it says. */
function startWriter(t: TestContext, how: 'hold' | 'five' | 'ever', file: string, name = 'db') {
  const program = fileURLToPath(new URL('writer.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, how, file, name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => lines.push(line));
  return { child, lines, first: once(reader, 'line') };
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

const add = (file: string, target: string, waitMs?: number): Promise<void> =>
  changePinsFile(
    file,
    (document) => changeText(document?.text ?? EMPTY, { add: [{ target, pins: ['CD'.repeat(32)] }] }),
    ...(waitMs === undefined ? [] : [waitMs]),
  );

const labels = (file: string): string[] => loadPinsFile(file).entries.map(({ label }) => label);

/** What lies beside the pins file: the claim of whoever holds the lock. */
const beside = (file: string): string[] =>
  readdirSync(dirname(file)).filter((name) => name !== basename(file) && name.startsWith(basename(file)));

/** A claim of somebody who is not there: `certpin.json.lock-RANDOM-PID-STARTED-WHERE`, of a true one. */
async function forgeClaim(t: TestContext, file: string, change: (parts: string[]) => string[]): Promise<string> {
  const { child, first } = startWriter(t, 'hold', file);
  await first;
  const [name = ''] = beside(file);
  await kill(child);
  rmSync(join(dirname(file), name));
  const [head = '', ...parts] = name.slice(basename(file).length).split('-');
  const forged = `${basename(file)}${[head, ...change(parts)].join('-')}`;
  writeFileSync(join(dirname(file), forged), '');
  return forged;
}

test('kill -9 of a process that holds the lock: the next one writes, at once, and leaves nothing behind', async (t) => {
  const { folder, file } = openFolder(t);
  const { child, first } = startWriter(t, 'hold', file);
  await first;
  assert.equal(beside(file).length, 1);
  await kill(child);
  assert.equal(beside(file).length, 1, 'what was killed takes nothing away');
  await add(file, 'next:1', 1000);
  assert.deepEqual(labels(file), ['next:1']);
  assert.deepEqual(readdirSync(folder), ['certpin.json']);
});

test('kill -9 at any moment: the file is whole, what was told to be in it is, and the next one writes', async (t) => {
  const { folder, file } = openFolder(t);
  const told: string[] = [];
  for (let round = 1; round <= 8; round++) {
    const { child, lines, first } = startWriter(t, 'ever', file, `r${round}`);
    await first;
    await delay(Math.random() * 60);
    await kill(child);
    told.push(...lines);
    await add(file, `after-${round}:1`, 1000);
    told.push(`after-${round}:1`);
    const found = labels(file);
    assert.deepEqual(
      told.filter((label) => !found.includes(label)),
      [],
    );
  }
  assert.deepEqual(readdirSync(folder), ['certpin.json']);
});

test('a process that lives has the lock for as long as it likes, also while it is stopped', async (t) => {
  const { file } = openFolder(t);
  const { child, first } = startWriter(t, 'hold', file);
  await first;
  const [claim = ''] = beside(file);
  const refused = new RegExp(`another certpin is writing it; if none is, remove ${claim} beside it$`);
  await assert.rejects(add(file, 'me:1', 200), refused);
  child.kill('SIGSTOP');
  await assert.rejects(add(file, 'me:1', 200), refused);
  assert.equal(readFileSync(file, 'utf8'), EMPTY);
  assert.deepEqual(beside(file), [claim], 'nobody has taken it away');
  const waiting = add(file, 'me:1');
  await delay(100);
  assert.equal(readFileSync(file, 'utf8'), EMPTY);
  child.kill('SIGCONT');
  await kill(child);
  await waiting;
  assert.deepEqual(labels(file), ['me:1']);
});

test('fifty at once, in ten processes, by two names of the file and over the lock of a dead one: none is lost', async (t) => {
  const { folder, file } = openFolder(t);
  const dead = startWriter(t, 'hold', file);
  await dead.first;
  await kill(dead.child);
  const elsewhere = mkdtempSync(join(tmpdir(), 'certpin-link-'));
  t.after(() => rmSync(elsewhere, { recursive: true }));
  const link = join(elsewhere, 'link.json');
  symlinkSync(file, link);
  const writers = Array.from({ length: 10 }, (_, index) =>
    startWriter(t, 'five', index % 2 === 0 ? file : link, `w${index}`),
  );
  await Promise.all(writers.map(({ first }) => first));
  const ends = writers.map(({ child }) => once(child, 'close'));
  for (const { child } of writers) child.stdin.write('go\n');
  assert.deepEqual(
    (await Promise.all(ends)).map(([code]) => code),
    writers.map(() => 0),
  );
  const wanted = writers.flatMap((_, index) => [1, 2, 3, 4, 5].map((number) => `w${index}-${number}:1`));
  assert.deepEqual(labels(file).sort(), wanted.sort());
  assert.deepEqual([readdirSync(folder), readdirSync(elsewhere)], [['certpin.json'], ['link.json']]);
  assert.ok(lstatSync(link).isSymbolicLink());
});

test('the number of a dead process that another one has now: not the holder', {
  skip: process.platform !== 'linux' && 'no /proc',
}, async (t) => {
  const { file } = openFolder(t);
  const own = String(process.pid);
  await forgeClaim(t, file, ([random = '', , ...rest]) => [random, own, ...rest]);
  await add(file, 'next:1', 1000);
  assert.deepEqual(labels(file), ['next:1']);
  assert.deepEqual(beside(file), []);
});

test('a killed process that nobody has buried: not the holder', {
  skip: process.platform !== 'linux' && 'no /proc',
}, async (t) => {
  const { file } = openFolder(t);
  const program = fileURLToPath(new URL('writer.ts', import.meta.url));
  // sleep becomes the parent of the writer, and asks for the end of no child.
  const script = 'node=$1; shift; "$node" --import tsx "$@" & exec sleep 60';
  const parent = spawn('sh', ['-c', script, 'sh', process.execPath, program, 'hold', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => parent.kill('SIGKILL'));
  await once(createInterface(parent.stdout), 'line');
  const pid = Number(/\.lock-\w+-(\d+)-/.exec(beside(file)[0] ?? '')?.[1]);
  assert.ok(pid > 1, 'a claim begins with the number of its process');
  process.kill(pid, 'SIGKILL');
  const isDead = (): boolean => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  while (!isDead()) await delay(5);
  await add(file, 'next:1', 1000);
  assert.ok(isDead());
  assert.deepEqual(labels(file), ['next:1']);
});

test('the lock of another machine, or what nobody here knows: never taken away, and told by its name', async (t) => {
  const { folder, file } = openFolder(t);
  const elsewhere = await forgeClaim(t, file, (parts) => [...parts.slice(0, 3), '0123456789ab']);
  for (const name of [elsewhere, 'certpin.json.lock', 'certpin.json.lock-', 'CERTPIN.json.lock-of-a-later-certpin']) {
    writeFileSync(join(folder, name), '');
    const error = await add(file, 'me:1', 100).then(String, String);
    assert.ok(
      error.endsWith(`certpin.json: another certpin is writing it; if none is, remove ${name} beside it`),
      error,
    );
    assert.equal(readFileSync(file, 'utf8'), EMPTY);
    rmSync(join(folder, name));
  }
  await add(file, 'me:1', 100);
});

test('whose lock was taken away, by a person who was told to, writes nothing', async (t) => {
  const { folder, file } = openFolder(t);
  const text = '{ "version": 1, "targets": [] } // mine';
  await assert.rejects(
    changePinsFile(file, () => {
      for (const name of beside(file)) rmSync(join(folder, name));
      return text;
    }),
    /certpin\.json: somebody removed its lock, so nothing was written; try again$/,
  );
  assert.equal(readFileSync(file, 'utf8'), EMPTY);
  assert.deepEqual(readdirSync(folder), ['certpin.json']);
});

test('a folder that may not be written to: told at once, and nothing is there afterwards', async (t) => {
  const { folder, file } = openFolder(t);
  chmodSync(folder, 0o555);
  const isRoot = process.geteuid?.() === 0; // to root, every folder is open
  if (isRoot) process.seteuid?.(65_534);
  try {
    await assert.rejects(add(file, 'me:1'), /certpin\.json: permission denied$/);
    assert.throws(() => openPinsFile(file), /certpin\.json: permission denied$/);
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(folder, 0o755);
  }
  assert.equal(readFileSync(file, 'utf8'), EMPTY);
  assert.deepEqual(readdirSync(folder), ['certpin.json']);
});

test('a link that leads to nothing yet: the file is made there, under the same lock', async (t) => {
  const { folder } = openFolder(t);
  mkdirSync(join(folder, 'real'));
  const link = join(folder, 'link.json');
  symlinkSync('real/pins.json', link);
  const real = join(folder, 'real/pins.json');
  const { child, first } = startWriter(t, 'hold', link);
  await first;
  assert.equal(beside(real).length, 1);
  await assert.rejects(add(real, 'me:1', 100), /another certpin is writing it/);
  await kill(child);
  await Promise.all([add(link, 'a:1'), add(real, 'b:1')]);
  assert.deepEqual(labels(link).sort(), ['a:1', 'b:1']);
  assert.deepEqual(readdirSync(join(folder, 'real')), ['pins.json']);
});

test('a file without end is not read to its end', { skip: !existsSync('/dev/zero') && 'no /dev/zero' }, () => {
  assert.throws(() => loadPinsFile('/dev/zero'), /more than 64 MiB/);
  // A device would be replaced by what is written.
  assert.throws(() => openPinsFile('/dev/zero'), /it is not a regular file/);
});

test('an editor that takes no notice of the lock: its change is not written over; a lock that nobody lets go of is told', async (t) => {
  const { file } = openFolder(t);
  const empty = EMPTY;
  await assert.rejects(
    changePinsFile(file, () => {
      writeFileSync(file, `${empty} // mine`);
      return `${empty} // certpin's`;
    }),
    /somebody else has changed it, so nothing was written/,
  );
  assert.equal(readFileSync(file, 'utf8'), `${empty} // mine`);
  await assert.rejects(
    changePinsFile(file, () => 'no pins file'),
    /it is not JSON/,
  );
  assert.equal(readFileSync(file, 'utf8'), `${empty} // mine`);
  assert.equal(existsSync(`${file}.lock`), false);
  writeFileSync(`${file}.lock`, '');
  await assert.rejects(
    changePinsFile(file, () => empty, 50),
    /remove certpin\.json\.lock beside it/,
  );
  const waiting = changePinsFile(file, () => empty);
  rmSync(`${file}.lock`);
  await waiting;
  assert.equal(readFileSync(file, 'utf8'), empty);
});
