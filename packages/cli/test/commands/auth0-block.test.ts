import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inlineBlock, inlineClients } from '@certpin/auth0';
import { findBlocks } from '../../../auth0/src/inline/find.ts';
import { digestLine, digestOf, isDigestLine } from '../../../auth0/src/inline/header.ts';
import { blockClients } from '../../src/commands/auth0-block.ts';
import { certpin, transcript } from '../transcript.ts';

test('the clients are those of the library', () => assert.deepEqual(blockClients, inlineClients));

test('printed: the block, and nothing else', async () => {
  const { stdout, stderr, code } = await certpin(['auth0', 'block', 'pg']);
  assert.deepEqual([stdout, stderr, code], [inlineBlock('pg').text, '', 0]);
});

/** The block as a release of another version would have written it, without a new digest. */
function ofVersion(script: string, version: string): string {
  return script.replaceAll(`certpin ${inlineBlock('mysql2').version} for mysql2`, `certpin ${version} for mysql2`);
}

/** With the digest that its lines have, as every release writes it. */
function withDigest(script: string): string {
  const [block] = findBlocks(script.split('\n'));
  const old = block?.lines.find(isDigestLine) ?? '';
  return script.replace(old, digestLine(digestOf(block?.lines ?? [])));
}

test('inserted, updated, and what cannot be', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-block-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const names = { DIR: folder };
  const file = join(folder, 'login.js');
  writeFileSync(file, 'function login(email, password, callback) {\n  callback(null);\n}\n');
  assert.equal(
    await transcript('auth0 block mysql2 --insert DIR/login.js', names),
    'certpin for mysql2 is now in DIR/login.js; the script must call it\nexit 0',
  );
  const inserted = readFileSync(file, 'utf8');
  assert.equal(
    await transcript('auth0 block mysql2 --insert DIR/login.js', names),
    '2> certpin: error: DIR/login.js: the script has a block for mysql2 already\nexit 2',
  );
  const { version } = inlineBlock('mysql2');
  assert.equal(
    await transcript('auth0 block --update DIR/login.js', names),
    `DIR/login.js:2: certpin ${version} for mysql2 is up to date\nexit 0`,
  );
  const changed = inserted.replace('const certpin', 'const other = 1; const certpin');
  assert.notEqual(changed, inserted);
  const states = {
    [`certpin ${version} for mysql2 was modified; now it is ${version}, unmodified`]: changed,
    [`certpin 0.0.9 for mysql2 was modified; now it is ${version}, unmodified`]: ofVersion(changed, '0.0.9'),
    [`certpin 0.0.9 for mysql2 was outdated; now it is ${version}`]: withDigest(ofVersion(inserted, '0.0.9')),
  };
  for (const [words, text] of Object.entries(states)) {
    writeFileSync(file, text);
    assert.equal(await transcript('auth0 block --update DIR/login.js', names), `DIR/login.js:2: ${words}\nexit 0`);
    assert.equal(readFileSync(file, 'utf8'), inserted);
  }
  assert.equal(
    await transcript('auth0 block https --insert DIR/login.js', names),
    `2> certpin: error: DIR/login.js: the script has a block for mysql2, and one scope can have only one block
2> certpin: hint: put the calls for https into a function of their own, and the block into that: certpin auth0 block https
exit 2`,
  );
  assert.equal(readFileSync(file, 'utf8'), inserted);
  writeFileSync(file, inserted.replace(/^.*\/\/ end of certpin.*$/m, ''));
  assert.equal(
    await transcript('auth0 block --update DIR/login.js', names),
    `2> certpin: error: DIR/login.js:2: the block for mysql2 is not complete
2> certpin: hint: certpin auth0 block CLIENT --insert DIR/login.js
exit 1`,
  );
  writeFileSync(file, 'function login() {}');
  assert.match(
    await transcript('auth0 block --update DIR/login.js', names),
    /there is no block of certpin[\s\S]*exit 1$/,
  );
  const mistakes: Record<string, string> = {
    'auth0 block': 'the clients are https, axios, fetch, pg, mysql2, mysql, mariadb, tedious, mongodb, ldapts',
    'auth0 block pg --update x': '--update takes no client: each block names its own',
    'auth0 block pg --update x --insert y': '--insert and --update exclude each other: give one of them',
  };
  for (const [command, message] of Object.entries(mistakes))
    assert.match(await transcript(command, names), new RegExp(`^2> certpin: error: ${message}\n`), command);
  assert.match(await transcript('auth0 block pg --insert DIR/nothing.js', names), /no such file[\s\S]*exit 2$/i);
});
