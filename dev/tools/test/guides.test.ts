// The accident this prevents: a guide tells somebody to type a command that does something else than the guide says.
// guides/run-page.ts says what runs of a page. Here these are the pages of docs/guides, and the first commands of README.md.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { longOnly } from '../../testkit/src/index.ts';
import { readPage } from '../plain-words.ts';
import { piecesOf, runPage } from './guides/run-page.ts';

const folder = fileURLToPath(new URL('../../../docs/guides/', import.meta.url));
const readme = readFileSync(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8');
const MOST_WORDS = 900;

// Two at a time: a proof waits for servers that do not answer.
describe('every command does what the page says', { concurrency: 2 }, () => {
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.md'))) {
    const page = readFileSync(join(folder, name), 'utf8');

    it(`docs/guides/${name} has at most ${MOST_WORDS} words`, () => {
      const code = piecesOf(page).reduce((sum, { text }) => sum + (text.match(/\S+/g)?.length ?? 0), 0);
      const words = readPage(page).words + code;
      assert.ok(words <= MOST_WORDS, `${words} words`);
    });

    // The longest of them. The first commands of README.md have the same proof.
    it(`docs/guides/${name}`, name === 'review-a-script.md' ? longOnly : {}, (t) => runPage(t, page));
  }

  for (const heading of ['My login fails with *self signed certificate*', 'Get the fingerprint, paste, rotate']) {
    it(`README.md, "${heading}"`, async (t) => {
      const [, section] = readme.split(`\n## ${heading}\n`);
      assert.ok(section !== undefined, 'no such section');
      const [text = ''] = section.split('\n## ');
      assert.ok(piecesOf(text).some(({ kind }) => kind === 'sh'));
      await runPage(t, text);
    });
  }
});
