import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inlineBlock, inlineClients } from '@certpin/auth0';
import { blockClients } from '../../src/commands/auth0-block.ts';
import { certpin, transcript } from '../transcript.ts';

test('the clients are those of the library', () => assert.deepEqual(blockClients, inlineClients));

test('printed: the block, and nothing else', async () => {
  const { stdout, stderr, code } = await certpin(['auth0', 'block', 'pg']);
  assert.deepEqual([stdout, stderr, code], [inlineBlock('pg').text, '', 0]);
});

test('inserted, updated, and what cannot be', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-block-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const names = { DIR: folder };
  const file = join(folder, 'login.js');
  writeFileSync(file, 'function login(email, password, callback) {\n  callback(null);\n}\n');
  assert.equal(
    await transcript('auth0 block mysql2 --insert DIR/login.js', names),
    'certpin for mysql2 stands in DIR/login.js; the script has to call it\nexit 0',
  );
  const inserted = readFileSync(file, 'utf8');
  assert.equal(
    await transcript('auth0 block mysql2 --insert DIR/login.js', names),
    '2> certpin: error: DIR/login.js: a block for mysql2 is there already\nexit 2',
  );
  const { version } = inlineBlock('mysql2');
  writeFileSync(file, inserted.replaceAll(`certpin ${version} for mysql2`, 'certpin 0.0.9 for mysql2'));
  assert.equal(
    await transcript('auth0 block --update DIR/login.js', names),
    `DIR/login.js:2: certpin 0.0.9 for mysql2, now ${version}\nexit 0`,
  );
  assert.equal(readFileSync(file, 'utf8'), inserted);
  writeFileSync(file, inserted.replace(/^.*\/\/ end of certpin.*$/m, ''));
  assert.equal(
    await transcript('auth0 block --update DIR/login.js', names),
    `2> certpin: error: DIR/login.js:2: the block for mysql2 is not whole
2> certpin: hint: certpin auth0 block CLIENT --insert DIR/login.js
exit 1`,
  );
  writeFileSync(file, 'function login() {}');
  assert.match(
    await transcript('auth0 block --update DIR/login.js', names),
    /there is no block of certpin[\s\S]*exit 1$/,
  );
  const mistakes: Record<string, string> = {
    'auth0 block': 'the clients are https, axios, fetch, pg, mysql2, mysql, mariadb',
    'auth0 block pg --update x': '--update takes no client: the blocks say theirs',
    'auth0 block pg --update x --insert y': '--insert and --update are two jobs: give one',
  };
  for (const [command, message] of Object.entries(mistakes))
    assert.match(await transcript(command, names), new RegExp(`^2> certpin: error: ${message}\n`), command);
  assert.match(await transcript('auth0 block pg --insert DIR/nothing.js', names), /no such file[\s\S]*exit 2$/i);
});
