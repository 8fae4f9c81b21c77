import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { manPage, renderManPage } from '../man.ts';

it('the man page is that of the present command line; else run: npm run man', async () => {
  assert.equal(readFileSync(manPage, 'utf8'), await renderManPage());
});
