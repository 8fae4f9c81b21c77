import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { it } from 'node:test';
import { manFolder, renderManPages } from '../man.ts';

it('the man pages are those of the present command line; else run: npm run man', async () => {
  const present = readdirSync(manFolder).map((name) => [name, readFileSync(`${manFolder}${name}`, 'utf8')]);
  assert.deepEqual(Object.fromEntries(present), await renderManPages());
});

it('npm installs each of them', () => {
  const { man } = JSON.parse(readFileSync(`${manFolder}../package.json`, 'utf8')) as { man: string[] };
  assert.deepEqual(man.map((path) => path.replace('man/', '')).sort(), readdirSync(manFolder).sort());
});
