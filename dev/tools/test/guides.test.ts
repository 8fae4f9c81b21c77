// The accident this prevents: a guide tells somebody to type a command that does something else than the guide says. Every command of
// docs/guides runs here as it stands in its page, against real servers, and every line of output that a page shows is looked for.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readPage } from '../plain-words.ts';
import { openTown } from './guides/town.ts';

const folder = fileURLToPath(new URL('../../../docs/guides/', import.meta.url));
const MOST_WORDS = 900;

/** A fenced block, or what the page says in a comment of its own line that happens then. */
interface Piece {
  readonly kind: string;
  /** Of a file, its name: the word behind the language. */
  readonly name: string;
  readonly text: string;
}

function piecesOf(page: string): Piece[] {
  const found = page.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$|^<!-- (.*) -->$/gm);
  return [...found].map(([, kind = 'event', name = '', text = '', event]) => ({ kind, name, text: event ?? text }));
}

/** Hashes, dates and times are those of the day. What stands behind `…` is left out in the page. */
function steady(line: string): string {
  return line
    .replace(/\b(?:[0-9A-F]{2}:){31}[0-9A-F]{2}\b|\b[0-9A-F]{64}\b/g, 'SHA256')
    .replace(/sha256\/[A-Za-z0-9+/]{43}=/g, 'sha256/BASE64')
    .replace(/\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?)?/g, 'DATE')
    .replace(/\b\d+ days\b/g, 'N days')
    .trimEnd();
}

for (const name of readdirSync(folder).filter((name) => name.endsWith('.md'))) {
  const page = readFileSync(join(folder, name), 'utf8');

  test(`docs/guides/${name} has at most ${MOST_WORDS} words`, () => {
    const code = piecesOf(page).reduce((sum, { text }) => sum + (text.match(/\S+/g)?.length ?? 0), 0);
    const words = readPage(page).words + code;
    assert.ok(words <= MOST_WORDS, `${words} words`);
  });

  test(`docs/guides/${name}: every command does what the page says`, async (t) => {
    const town = await openTown(t, page);
    let output = '';
    let isJudged = true;
    for (const { kind, name, text } of piecesOf(page)) {
      if (kind === 'event') await town.happen(text);
      else if (name !== '') {
        mkdirSync(dirname(join(town.folder, name)), { recursive: true });
        writeFileSync(join(town.folder, name), town.toReal(text));
      } else if (kind === 'sh') {
        assert.ok(isJudged, `an exit code that the page does not show:\n${output}`);
        const { printed, code } = await run(town.toReal(text), town.folder, town.env);
        for (const secret of town.secrets) assert.ok(!printed.includes(secret), 'a password was printed');
        output = `${town.toShown(printed)}${code === 0 ? '' : `exit ${code}\n`}`;
        isJudged = code === 0;
      } else if (kind === 'text') {
        const lines = text.trimEnd().split('\n');
        const printed = output.split('\n').map(steady);
        for (const line of lines) {
          const [begin = '', rest] = steady(line).split('…');
          const isShown = (one: string): boolean => (rest === undefined ? one === begin : one.startsWith(begin));
          assert.ok(printed.some(isShown), `${line}\n--- is not in\n${output}`);
        }
        isJudged ||= lines.some((line) => line.startsWith('exit '));
      }
    }
    assert.ok(isJudged, `an exit code that the page does not show:\n${output}`);
  });
}

function run(script: string, cwd: string, env: Record<string, string>): Promise<{ printed: string; code: number }> {
  return new Promise((done) => {
    execFile('sh', ['-ec', `exec 2>&1\n${script}`], { cwd, env, timeout: 120_000 }, (error, printed) => {
      done({ printed, code: error === null ? 0 : ((error.code as number | undefined) ?? -1) });
    });
  });
}
