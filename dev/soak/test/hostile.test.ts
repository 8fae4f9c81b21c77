import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { longOnly } from '@certpin/testkit';
import { isSupported } from 'certpin/driver-tls';
import { run } from '../src/hostile/run.ts';

function hostile(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const file = fileURLToPath(new URL('../src/hostile/main.ts', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', file, ...args], { timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? error?.signal ?? 0, stdout, stderr }),
    );
  });
}

test('a client holds, and the figures say so', longOnly, async () => {
  const { code, stdout, stderr } = await hostile('--client', 'block pg', '--connections', '60', '--json');
  const { result, faults } = JSON.parse(stdout);
  assert.deepEqual({ code, faults, stderr }, { code: 0, faults: [], stderr: '' });
  assert.deepEqual([result.impostorBytes, result.processEvents], [0, []]);
  assert.ok(result.connections >= 60 && result.wrongServer.ERR_PIN_MISMATCH > 0);
  assert.ok(Object.keys(result.rightServer).some((end) => end.startsWith('ERR_SSL_')));
});

test('a process that ends is a fault, and exit code 1', longOnly, async () => {
  const { code, stdout } = await hostile('--client', 'pg', '--connections', '1', '--node', '/bin/false');
  assert.equal(code, 1);
  assert.match(stdout, /✗ the process has ended: exit code 1[\s\S]*something did not hold/);
});

test('a client that is for another Node is named, with the reason; alone it is exit code 2', longOnly, async (t) => {
  if (isSupported()) return t.skip('this Node runs all clients');
  const args = ['--client', 'driver-tls', 'block mongodb', '--json'];
  const { code, stdout, stderr } = await hostile(...args);
  const reasons = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(code, 2);
  assert.match(stderr, /nothing was run/);
  assert.deepEqual(
    reasons.map(({ name }) => name),
    ['driver-tls', 'block mongodb'],
  );
  for (const { notRun } of reasons) assert.match(notRun, /does not announce TLS sockets/);
});

test('a mistake is exit code 2', async () => {
  for (const args of [['--connections', '0'], ['--client', 'nobody'], ['--nonsense']])
    assert.equal(await run(args), 2, args.join(' '));
});
