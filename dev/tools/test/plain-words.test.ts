// The accident this prevents: somebody who is tired, or who learnt English late, reads a sentence three times and does the wrong thing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MOST_WORDS, pagesOf, readPage } from '../plain-words.ts';

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

test(`no sentence of a page has more than ${MOST_WORDS} words`, () => {
  const pages = pagesOf();
  assert.ok(pages.includes('README.md') && pages.includes('docs/README.md'));
  const long = pages.flatMap((path) =>
    readPage(readFileSync(join(root, path), 'utf8'))
      .sentences.filter(({ words }) => words > MOST_WORDS)
      .map(({ line, text }) => `${path}:${line}: ${text}`),
  );
  assert.deepEqual(long, []);
});
