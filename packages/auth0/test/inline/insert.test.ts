import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inlineBlock, inlineClients, insertBlock, updateBlocks, verifyInline } from '../../src/inline/index.ts';

const block = inlineBlock('pg').text;
const login = `function login(email, password, callback) {
    'use strict';
    const { Pool } = require('pg');
    new Pool(certpin.pinnedPg({}, { pins: configuration.DB_PINS }));
}
`;

test('a function that is all of the script: the block is the first thing in it, behind directives', () => {
  for (const client of inlineClients) {
    const text = insertBlock(login, client, 'login.js');
    assert.doesNotThrow(() => new Function(`return (${text})`), client);
    assert.match(text, /^function login\(email, password, callback\) \{\n {4}'use strict';\n {4}\/\/ certpin /);
    assert.equal(verifyInline(text).length, 1);
    assert.deepEqual(text.split('\n').slice(-4), login.split('\n').slice(-4));
  }
});

test('a function without a name, an arrow function, one line, and CRLF', () => {
  for (const script of [
    'function (user, context, callback) { callback(null, user, context); }',
    '(user, context, callback) => {\n\tcallback(null, user, context);\n}',
    'function f() {}',
    login.replaceAll('\n', '\r\n'),
  ]) {
    const text = insertBlock(script, 'https', 'rule.js');
    assert.doesNotThrow(() => new Function(`return (${text})`), script);
    assert.equal(verifyInline(text).length, 1, script);
    if (script.includes('\r')) assert.doesNotMatch(text, /[^\r]\n/);
  }
});

test('a module: the block stands at the top, behind a shebang, directives and imports', () => {
  const action = `'use strict';\n\nexports.onExecutePostLogin = async (event, api) => {\n  certpin.pinnedAgent({});\n};\n`;
  const text = insertBlock(action, 'https', 'action.js');
  assert.ok(text.startsWith(`'use strict';\n// certpin`), text.slice(0, 80));
  assert.doesNotThrow(() => new Function(text));
  const module = insertBlock("#!/usr/bin/env node\nimport fs from 'node:fs';\nfs.existsSync('x');\n", 'pg', 'a.mjs');
  assert.ok(module.startsWith("#!/usr/bin/env node\nimport fs from 'node:fs';\n// certpin"));
  assert.ok(insertBlock('', 'pg', 'a.js').startsWith('// certpin'));
});

test('where it has no place it is refused', () => {
  assert.throws(
    () => insertBlock(insertBlock(login, 'pg', 'a.js'), 'pg', 'a.js'),
    /the script has a block for pg already/,
  );
  assert.throws(() => insertBlock("const certpin = require('certpin/pg');", 'pg', 'a.js'), /`certpin` of its own/);
  assert.throws(
    () => insertBlock(insertBlock(login, 'pg', 'a.js'), 'https', 'a.js'),
    /has a block for pg, and one scope can have only one block/,
  );
  assert.throws(() => insertBlock('(user, context, callback) => callback()', 'pg', 'a.js'), /no braces/);
  assert.throws(() => insertBlock('function login( {', 'pg', 'a.js'), /Unexpected/);
});

test('an old block is replaced in its place, and the rest of the script stays', () => {
  const { version } = inlineBlock('pg');
  const old = block
    .replaceAll(`certpin ${version} for pg`, 'certpin 0.0.0-old for pg')
    .replace('pinnedPg', 'pinnedOld');
  const script = (text: string): string =>
    `function login() {\n${text.replace(/^(?=.)/gm, '  ')}\n  return certpin.pinnedPg;\n}\n`;
  const { text, updated, broken } = updateBlocks(script(old));
  assert.equal(text, script(block));
  assert.deepEqual(updated, [{ client: 'pg', line: 2, state: 'modified', from: '0.0.0-old', to: version }]);
  const [again] = updateBlocks(text).updated;
  assert.deepEqual(again, { client: 'pg', line: 2, state: 'unmodified', from: version, to: version });
  assert.deepEqual(broken, []);
  const windows = updateBlocks(script(old).replaceAll('\n', '\r\n')).text;
  assert.equal(windows, script(block).replaceAll('\n', '\r\n'));
});

test('a block without its end, and one for a client that there is none for, stay as they are', () => {
  const cut = block.split('\n').slice(0, 40).join('\n');
  assert.deepEqual(updateBlocks(cut), { text: cut, updated: [], broken: [{ client: 'pg', line: 1 }] });
  const other = block.replaceAll(' for pg', ' for oracle');
  assert.deepEqual(updateBlocks(other).broken, [{ client: 'oracle', line: 1 }]);
  assert.deepEqual(updateBlocks('nothing').updated, []);
});
