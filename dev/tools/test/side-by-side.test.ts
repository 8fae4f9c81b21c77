// The accident this prevents: a run of an hour fails, and its log does not say where.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../side-by-side.ts', import.meta.url));

/** @param onText is called with all that was printed, each time it is more */
async function run(t: TestContext, scripts: Record<string, string>, onText: (text: string, folder: string) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-side-by-side-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts }));
  const tests = `const { test } = require('node:test');
    test('holds', () => {});
    test('outer', async (t) => { await t.test('does not hold', () => { throw new Error('no'); }); });`;
  writeFileSync(join(folder, 'failing.test.cjs'), tests);
  // The scripts begin runs of tests of their own.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), program, ...Object.keys(scripts)], {
    ...{ cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part) => {
    text += part;
    onText(text, folder);
  });
  const [code] = await once(child, 'close');
  return { code, text };
}

test('lines come as they are printed, with the script in front', { timeout: 60_000 }, async (t) => {
  const wait =
    "const wait = () => require('fs').existsSync('go') ? console.error('last') : setTimeout(wait, 10); wait()";
  const slow = `node -e "console.log('first'); ${wait}"`;
  const { code, text } = await run(t, { slow, quick: 'node -e 0' }, (said, folder) => {
    if (said.includes('slow| first\n')) writeFileSync(join(folder, 'go'), '');
  });
  assert.equal(code, 0, text);
  assert.match(text, /^slow\| last$/m);
  assert.match(text, /\n\nslow: passed after \d+ s\nquick: passed after \d+ s\n$/);
});

test('the end names the scripts that failed, their tests, or else their last lines', async (t) => {
  const scripts = {
    tests: 'node --test --test-reporter=spec failing.test.cjs',
    nodes: 'node -e "console.log(\'FAILED: a.test.ts on v18.0.0\'); process.exit(1)"',
    other: 'node -e "for (let line = 1; line < 30; line++) console.log(\'line \' + line); process.exit(3)"',
    killed: 'node -e "process.kill(process.pid, \'SIGKILL\')"',
    good: 'node -e 0',
  };
  const { code, text } = await run(t, scripts, () => undefined);
  assert.equal(code, 1);
  const end = text.slice(text.lastIndexOf('\n\n') + 2);
  assert.match(
    end,
    /^tests: FAILED \(exit code 1\) after \d+ s\n {2}\S*failing\.test\.cjs:3:\d+ ✖ does not hold \([\d.]+ms\)\n/,
  );
  assert.match(end, /\nnodes: FAILED \(exit code 1\) after \d+ s\n {2}FAILED: a\.test\.ts on v18\.0\.0\nother: /);
  assert.match(end, /\nother: FAILED \(exit code 3\) after \d+ s\n {2}line 10\n[\s\S]* {2}line 29\nkilled: FAILED \(/);
  assert.match(end, /\ngood: passed after \d+ s\n$/);
  assert.doesNotMatch(end, /✖ outer|line 9\n/);
});
