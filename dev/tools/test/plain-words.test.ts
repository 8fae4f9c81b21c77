// The accident this prevents: somebody who is tired, or who learnt English late, reads a sentence three times and does the wrong thing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  longSentences,
  MOST_WORDS,
  manPagesOf,
  pagesOf,
  readManPage,
  readPage,
  readSource,
  sourcesOf,
} from '../plain-words.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('sentences of paragraphs, lists and tables are read; code is one word, and a block of code is none', () => {
  const page = `# A heading

The first sentence has \`some --code\` in it. The second
goes on in the next line.

- An item, [with a link](https://example.com).

\`\`\`sh
not a sentence at all. never read
\`\`\`

| name | what it is |
|---|---|
| \`a\` | One thing. Another thing. |
`;
  const { sentences, words } = readPage(page);
  assert.deepEqual(
    sentences.map(({ line, words }) => [line, words]),
    [
      [1, 2],
      [3, 7],
      [3, 8],
      [6, 5],
      [12, 1],
      [12, 3],
      [14, 1],
      [14, 2],
      [14, 2],
    ],
  );
  assert.equal(words, 31);
});

test('the grade is that of Flesch and Kincaid: 0.39 words a sentence + 11.8 syllables a word - 15.59', () => {
  const { grade } = readPage(
    'The cat sat on the table. It is warm.\n\n# Incomprehensibility of international organisations',
  );
  // 9 words in 2 sentences, 10 syllables. The heading does not count.
  assert.equal(grade.toFixed(2), (0.39 * (9 / 2) + 11.8 * (10 / 9) - 15.59).toFixed(2));
});

const listOf = (paths: readonly string[]): string[] =>
  paths.flatMap((path) =>
    longSentences(path, readFileSync(join(root, path), 'utf8')).map(({ line, text }) => `${path}:${line}: ${text}`),
  );

test(`no sentence of a page has more than ${MOST_WORDS} words`, () => {
  const pages = pagesOf();
  assert.ok(pages.includes('README.md') && pages.includes('docs/README.md'));
  assert.deepEqual(listOf(pages), []);
});

test('help texts are read in the man pages: paragraphs and options, and no example', () => {
  const page = `.TH CERTPIN 1
.PP
The first sentence goes
on here. It has a second\\-rate end \\[u2026]
.PP
.nf
  certpin get db.example.com
.fi
.TP
.B \\-\\-json
print the answer as JSON`;
  assert.deepEqual(
    readManPage(page).map(({ line, text, words }) => [line, words, text]),
    [
      [3, 6, 'The first sentence goes on here.'],
      [3, 6, 'It has a second-rate end'],
      [11, 5, 'print the answer as JSON'],
    ],
  );
});

test(`no sentence of a help text has more than ${MOST_WORDS} words`, () => {
  const pages = manPagesOf();
  assert.ok(pages.length > 5);
  assert.deepEqual(listOf(pages), []);
});

test('docstrings, comments and messages of a source are read; scripts, HTML and examples in them are not', () => {
  const source = `/**
 * Pins \`a.b c\` to {@link Server}. undefined: not at all.
 *
 * \`\`\`ts
 * const example = 'not read';
 * \`\`\`
 *
 * @param name the name
 */
export function f(name: string): string {
  // Two lines belong
  // together.
  const pattern = /\\/\\/ no comment/; // at the end
  const html = '<p>not read</p>';
  const script = \`// not read
  call();\`;
  return \`no answer from \${name}: try again\`;
}
`;
  assert.deepEqual(
    readSource('a.ts', source).map(({ line, words }) => [line, words]),
    [
      [1, 4],
      [1, 4],
      [1, 4],
      [11, 4],
      [13, 3],
      [17, 6],
    ],
  );
});

test(`no sentence of a docstring, a comment or a message has more than ${MOST_WORDS} words`, () => {
  const sources = sourcesOf();
  for (const path of ['packages/certpin/src/errors.ts', 'dev/testkit/src/mint.ts', 'dev/tools/man.ts']) {
    assert.ok(sources.includes(path), path);
  }
  assert.ok(sources.includes('packages/auth0/src/run/child/main.cjs'));
  assert.deepEqual(listOf(sources), []);
});
