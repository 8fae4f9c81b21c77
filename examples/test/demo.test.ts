import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

test('the demo tells the whole story, and what it says is true', async () => {
  const main = fileURLToPath(new URL('../demo/main.ts', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', main], {
    env: { ...process.env, NO_COLOR: '1' },
    timeout: 60_000,
  });
  assert.equal(stderr, '');
  const profile = 'login(ada@example.com) → {"user_id":"1","email":"ada@example.com"}';
  const story = [
    /\(a\) The right pin/,
    new RegExp(`✓ ${profile.replace(/[(){}]/g, '\\$&')}`),
    /\(b\) An impostor/,
    /✓ refused\. The person who logs in is told: login is not possible at the moment\. The log is told:\n +pin mismatch/,
    /the impostor received 0 application bytes/,
    /\(c\) The certificate is rotated/,
    new RegExp(`✓ ${profile.replace(/[(){}]/g, '\\$&')}`),
    /\(d\) The widespread technique/,
    /✗ refused: self-signed certificate/,
    /✗ connected\n +✗ an uncaught exception/,
    /✗ \d+ application bytes reached the impostor, ada@example\.com among them/,
    /✓ refused: ERR_PIN_MISMATCH, 0 application bytes/,
    /Done in [\d.]+ s; both servers are shut down/,
  ];
  let rest = stdout;
  for (const scene of story) {
    const found = scene.exec(rest);
    assert.ok(found, `${scene} is missing in:\n${stdout}`);
    rest = rest.slice(found.index + found[0].length);
  }
});
