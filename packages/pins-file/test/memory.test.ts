// The accident this prevents: a file of a hundred thousand targets takes a gigabyte while it is read.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { longOnly } from '@certpin/testkit';

const source = new URL('../src/index.ts', import.meta.url).href;

/** Of the whole process, with the loader of this test. From 187 MiB on Node 22 to 311 MiB on Node 24 were measured, and 77 to 94 MiB without targets. */
const MOST_MIB = 400;

test('a hundred thousand targets are read in a small heap, and beside it there is not much either', longOnly, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-memory-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'certpin.json');
  const pins = ['A'.repeat(64), 'B'.repeat(64)];
  const targets = Array.from({ length: 100_000 }, (_, index) => ({ target: `host-${index}.example.com:8443`, pins }));
  writeFileSync(path, JSON.stringify({ version: 2, targets }));
  const program = `import { openPinsText, readPinsText } from ${JSON.stringify(source)};
    let count = 0;
    for (const _ of openPinsText(readPinsText(process.argv[1]), 'certpin.json').entries()) count++;
    console.log(count, process.resourceUsage().maxRSS / 1024);`;
  const flags = ['--max-old-space-size=200', '--import', 'tsx', '--input-type=module', '--eval', program, path];
  const { stdout, status, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' });
  assert.equal(status, 0, stderr.slice(0, 300));
  const [count, mib] = stdout.trim().split(' ').map(Number);
  assert.equal(count, 100_000);
  t.diagnostic(`${Math.round(mib ?? 0)} MiB`);
  assert.ok(mib !== undefined && mib > 50 && mib < MOST_MIB, `${mib} MiB`);
});
