import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { inlineBlock } from '@certpin/auth0';
import { writeTemporary } from '../peers.ts';
import { certpin, transcript } from '../transcript.ts';

const { text, version } = inlineBlock('mysql2');
const script = `function login(email, password, callback) {\n${text.replace(/^(?=.)/gm, '  ')}}\n`;
const line = 'return refusal === undefined || refuse(refusal);';
const at = script.split('\n').findIndex((one) => one.includes(line)) + 1;

test('a script with an unmodified block', async (t) => {
  const file = writeTemporary(t, 'login.js', script.replaceAll('\n', '\r\n'));
  const names = { FILE: file, VERSION: version };
  assert.equal(
    await transcript('auth0 verify FILE', names),
    'FILE:2: unmodified certpin VERSION for mysql2\nFILE: surroundings intact\nexit 0',
  );
  assert.equal(await transcript('auth0 verify -q FILE', names), 'exit 0');
  assert.equal((await certpin(['auth0', 'verify', '-'], { stdin: script })).code, 0);
});

test('a modified one, one that is not left alone, and none', async (t) => {
  const modified = writeTemporary(t, 'modified.js', script.replace(line, 'return true;'));
  const replaced = writeTemporary(
    t,
    'replaced.js',
    script.replace(/\}\n$/, '  certpin.pinnedMysql2 = (config) => config;\n}\n'),
  );
  const none = writeTemporary(t, 'none.js', 'function login() {}\n');
  const names = { MODIFIED: modified, REPLACED: replaced, NONE: none, VERSION: version, LINE: at };
  assert.equal(
    await transcript('auth0 verify MODIFIED REPLACED NONE', names),
    `MODIFIED:2: modified: it says that it is certpin VERSION for mysql2
  line LINE is   return true;
  and should be  ${line}
MODIFIED: surroundings intact
REPLACED:2: unmodified certpin VERSION for mysql2
REPLACED:${script.split('\n').length - 1}: surroundings tampered: a function of \`certpin\` is replaced
NONE: no block of certpin
exit 1`,
  );
  assert.equal(await transcript('auth0 verify NONE', names), 'NONE: no block of certpin\nexit 2');
  assert.match(await transcript('auth0 verify REPLACED', names), /exit 1$/);
  assert.match(await transcript('auth0 verify MODIFIED', names), /exit 1$/);
});

test('what cannot be answered: another version, no JavaScript, no file', async (t) => {
  const { digestLine, digestOf, isDigestLine } = await import('../../../auth0/src/inline/header.ts');
  const older = text.trimEnd().replaceAll(` ${version} for `, ' 0.0.0-older for ').split('\n');
  const old = writeTemporary(
    t,
    'old.js',
    older.map((one) => (isDigestLine(one) ? digestLine(digestOf(older)) : one)).join('\n'),
  );
  const broken = writeTemporary(t, 'broken.js', `${script}}`);
  const names = { OLD: old, BROKEN: broken, VERSION: version };
  assert.equal(
    await transcript('auth0 verify OLD', names),
    `OLD:1: unknown version: it says that it is certpin VERSION-older for mysql2, and has the digest that it says itself
OLD: surroundings intact
2> certpin: hint: npx @certpin/cli@VERSION-older auth0 verify FILE
exit 2`,
  );
  const said = await transcript('auth0 verify BROKEN', names);
  assert.match(
    said,
    /^BROKEN:2: unmodified .*\nBROKEN:\d+: surroundings unclear: the script cannot be read: Unexpected token.*\nexit 2$/,
  );
  assert.equal(
    await transcript('auth0 verify /nowhere.js', names),
    '2> certpin: error: /nowhere.js: no such file\nexit 2',
  );
});

test('surroundings that nobody understands: 2, with the line', async (t) => {
  const unclear = script.replace(/\}\n$/, '  eval(password);\n}\n');
  const file = writeTemporary(t, 'unclear.js', unclear);
  assert.equal(
    await transcript('auth0 verify FILE', { FILE: file, VERSION: version }),
    `FILE:2: unmodified certpin VERSION for mysql2
FILE:${unclear.split('\n').length - 2}: surroundings unclear: the use of \`eval\` is not understood
exit 2`,
  );
});

test('what `new` wrote for Terraform, and folders: files without a block are named, and are no mistake', async (t) => {
  const folder = dirname(writeTemporary(t, 'other.js', 'module.exports = 1;\n'));
  const names = { DIR: folder, VERSION: version, PINS: 'AA'.repeat(32) };
  const written = await transcript(
    'auth0 new --client mysql2 --pins PINS --new-users --keys login --layout terraform-heredoc --output DIR',
    names,
  );
  assert.match(written, /exit 0$/);
  const answer = /^DIR\/users\.tf:\d+: unmodified certpin VERSION for mysql2\nDIR\/users\.tf: surroundings intact\n/;
  assert.match(await transcript('auth0 verify DIR/users.tf', names), new RegExp(`${answer.source}exit 0$`));
  assert.match(
    await transcript('auth0 verify DIR', names),
    new RegExp(`${answer.source}2> certpin: summary: without a block: DIR/other\\.js, DIR/versions\\.tf\nexit 0$`),
  );
  const { stdout } = await certpin(['auth0', 'verify', '--json', folder]);
  const { file, ok } = JSON.parse(stdout) as { file: string; ok: boolean };
  assert.deepEqual([file, ok], [join(folder, 'users.tf'), true]);
  assert.equal(await transcript('auth0 verify DIR/versions.tf', names), 'DIR/versions.tf: no block of certpin\nexit 2');
  rmSync(join(folder, 'users.tf'));
  assert.equal(
    await transcript('auth0 verify DIR', names),
    `DIR: no block of certpin
2> certpin: summary: without a block: DIR/other.js, DIR/versions.tf
exit 2`,
  );
});

test('--json: an object for each file', async (t) => {
  const file = writeTemporary(t, 'login.js', script.replace(line, 'return true;'));
  const { stdout, code } = await certpin(['auth0', 'verify', '--json', file, '/nowhere.js']);
  const [first, second] = stdout
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one) as unknown);
  const difference = { line: at, expected: `      ${line}`, found: '      return true;' };
  const block = { client: 'mysql2', version, line: 2, block: 'modified', difference };
  const finding = { ...block, surroundings: 'intact', problems: [] };
  assert.deepEqual(first, { file, ok: false, findings: [finding] });
  assert.deepEqual(second, {
    file: '/nowhere.js',
    ok: false,
    error: { code: 'ENOENT', message: 'no such file' },
  });
  assert.equal(code, 1);
});
