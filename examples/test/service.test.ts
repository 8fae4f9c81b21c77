import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const story = [
  [
    /A database and an API/,
    /✓ GET \/users → 200 \[\{"email":"ada@example\.com"\}\]/,
    /✓ GET \/rates → 200 GET \/rates/,
  ],
  [/Another server answers/, /✗ GET \/rates → 503 not possible at the moment/, /none of the pinned ones for/],
  [/the other server received 0 bytes/, /✓ GET \/users → 200/],
].flat();

test('npm run demo:service ends well, and says what it has to say, in this order', async () => {
  const main = fileURLToPath(new URL('../service/main.ts', import.meta.url));
  const env = { ...process.env, NO_COLOR: '1' };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', main], { env });
  assert.equal(stderr, '');
  let rest = stdout;
  for (const scene of story) {
    const found = scene.exec(rest);
    assert.ok(found, `${scene} is missing in:\n${stdout}`);
    rest = rest.slice(found.index + found[0].length);
  }
});
