import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const story = [
  [/Write the scripts/, /wrote 8 files/],
  [/Run the login/, /success: callback\(null, \{"user_id":"users\|1"/],
  [/Prove that/, /held: no byte reached any of the impostors below/],
].flat();

test('npm run demo:auth0 ends well, and says what it has to say, in this order', async () => {
  const main = fileURLToPath(new URL('../auth0/main.ts', import.meta.url));
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
