// The accidents this prevents: a command without a page, a page of a command that is gone, a table that lists other options than the command
// has, a message that no program says, and an example that does something else than its page shows.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { longOnly } from '../../testkit/src/index.ts';
import { referenceFolder, renderReference } from '../option-tables.ts';
import { runPage } from './guides/run-page.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { commandPages, pages } = await renderReference();
const read = (path: string): string => readFileSync(join(referenceFolder, path), 'utf8');

it('every command has a page, and every page has a command', () => {
  const present = readdirSync(join(referenceFolder, 'commands')).map((name) => `commands/${name}`);
  assert.deepEqual(present.sort(), [...commandPages].sort());
});

it('the tables of options are those of the present command line; else run: npm run man', () => {
  const old = pages.filter(({ text, rendered }) => text !== rendered).map(({ path }) => path);
  assert.deepEqual(old, []);
  const table = /^<!-- options of certpin .* -->$/gm;
  for (const path of commandPages) assert.equal(read(path).match(table)?.length, 1, path);
});

/** Where the programs say what they say. */
const sources = ['certpin', 'pins-file', 'auth0', 'watch', 'cli'].flatMap((name) =>
  readdirSync(join(root, 'packages', name, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(root, 'packages', name, 'src', path), 'utf8')),
);

for (const path of commandPages) {
  describe(`docs/reference/${path}`, () => {
    const page = read(path);

    it('has its name as title, and its sections in the usual order', () => {
      const name = path.slice('commands/'.length, -'.md'.length).replace('auth0-', 'auth0 ');
      assert.equal(page.split('\n')[0], `# certpin ${name}`);
      const usual = ['Options', 'Exit codes', 'Errors'];
      const sections = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title ?? '');
      assert.deepEqual(
        sections.filter((title) => usual.includes(title)),
        usual,
      );
    });

    it('quotes messages that the programs have', () => {
      const [, errors = ''] = page.split('\n## Errors\n');
      const rows = [...errors.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell ?? '');
      assert.ok(rows.length > 0, 'no message');
      const astray = rows
        .flatMap((cell) => cell.match(/`[^`]+`/g) ?? [])
        .flatMap((message) => message.slice(1, -1).split('…'))
        .map((part) => part.trim())
        .filter((part) => part !== '' && !sources.some((source) => source.includes(part)));
      assert.deepEqual(astray, []);
    });
  });
}

/** The guides run the commands of the other pages, too. So only `npm run test:long` runs the examples of all pages. */
const short = ['auth0-new', 'auth0-push', 'get', 'lint'].map((name) => `commands/${name}.md`);

// Two at a time: a proof waits for servers that do not answer.
describe('every command does what the page says', { concurrency: 2 }, () => {
  for (const path of [...commandPages, 'connecting.md', 'files.md', 'many-targets.md']) {
    it(`runs docs/reference/${path}`, short.includes(path) ? {} : longOnly, (t) => runPage(t, read(path)));
  }
});
