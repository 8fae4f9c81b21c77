import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { certpin } from '../transcript.ts';

const names = readdirSync(new URL('../../../../docs/guides', import.meta.url)).map((name) => name.replace(/\.md$/, ''));

test('help guides names every guide with its title, and the help of the program names it', async () => {
  const { stdout, code } = await certpin(['help', 'guides']);
  assert.equal(code, 0);
  for (const name of names) assert.match(stdout, new RegExp(`^ {2}${name} +\\S`, 'm'));
  assert.match((await certpin(['--help'])).stdout, /certpin help guides/);
});

test('help NAME prints a guide: code is indented, a link says where to read on, and a line has the width of the terminal', async () => {
  for (const name of names) {
    const { stdout, code } = await certpin(['help', name]);
    assert.equal(code, 0, name);
    assert.doesNotMatch(stdout, /```|\]\(|<!--/, name);
    const prose = stdout.split('\n').filter((line) => !/^ {2}|^\|/.test(line));
    for (const line of prose) assert.ok(line.length <= 100, `${name}: ${line}`);
  }
  const { stdout } = await certpin(['help', 'postgresql']);
  assert.match(stdout, /^Pin PostgreSQL\n/);
  assert.match(stdout, /^ {4}certpin get --quiet postgres:\/\/db\.example\.com$/m);
  assert.match(stdout, /^ {2}app\.mjs:\n\n {4}import pg from 'pg';$/m);
  const prose = stdout.replace(/\s+/g, ' ');
  assert.match(prose, /Understand an error \(certpin help understand-an-error\)/);
  assert.match(prose, /certpin\/pg \(docs\/reference\/pg\.md\)/);
  assert.match(prose, / Pages that end with \.md are in the repository of certpin\. $/);
});

test('a command wins over a guide, and a word that is neither is an error', async () => {
  assert.match((await certpin(['help', 'rotate'])).stdout, /^Usage: certpin rotate/);
  for (const word of ['rotat', '../../README', 'guides/service']) {
    const { stdout, stderr, code } = await certpin(['help', word]);
    assert.deepEqual([stdout, code], ['', 2], word);
    assert.match(stderr, /unknown command/, word);
  }
});
