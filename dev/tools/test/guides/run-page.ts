import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { parsePin } from 'certpin';
import { openTenant, TENANT } from './tenant.ts';
import { openTown, type Town } from './town.ts';

/** A fenced block, or what the page says in a comment of its own line that happens then. */
interface Piece {
  readonly kind: string;
  /** Of a file, its name: the word behind the language. */
  readonly name: string;
  readonly text: string;
}

/** The comments around a table of options are no events. */
function piecesOf(page: string): Piece[] {
  const found = page.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$|^<!-- (?!options\b|end of )(.*) -->$/gm);
  return [...found].map(([, kind = 'event', name = '', text = '', event]) => ({ kind, name, text: event ?? text }));
}

/** Hashes, dates and times are those of the day. What stands behind `…` is left out in the page. */
function steady(line: string): string {
  return line
    .replace(/\b(?:[0-9A-F]{2}:){31}[0-9A-F]{2}\b|\b[0-9A-F]{64}\b|sha256\/[A-Za-z0-9+/]{43}=/g, 'HASH')
    .replace(/\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?)?/g, 'DATE')
    .replace(/\b\d+ days\b/g, 'N days')
    .trimEnd();
}

/** In the pages, the pin of the server. */
const SHOWN_PIN = '9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08';

/** SHA-256 of a certificate in the working folder. */
function pinOf(town: Town, file: string): string {
  return parsePin(readFileSync(join(town.folder, file), 'utf8')).sha256;
}

/** Runs the commands of a page as they stand there, against real servers, and looks for every line of output that the page shows. */
export async function runPage(t: TestContext, page: string): Promise<void> {
  const town = await openTown(t, page);
  if (page.includes(TENANT)) await openTenant(t, town);
  const toReal = (text: string): string => {
    return text.includes(SHOWN_PIN)
      ? town.toReal(text).replaceAll(SHOWN_PIN, pinOf(town, 'server.crt'))
      : town.toReal(text);
  };
  let output = '';
  let isJudged = true;
  for (const { kind, name, text } of piecesOf(page)) {
    if (kind === 'event') await town.happen(text);
    else if (name !== '') {
      mkdirSync(dirname(join(town.folder, name)), { recursive: true });
      writeFileSync(join(town.folder, name), toReal(text));
    } else if (kind === 'sh') {
      assert.ok(isJudged, `an exit code that the page does not show:\n${output}`);
      const { printed, code } = await run(toReal(text), town.folder, town.env);
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
}

function run(script: string, cwd: string, env: Record<string, string>): Promise<{ printed: string; code: number }> {
  return new Promise((done) => {
    execFile('sh', ['-ec', `exec 2>&1\n${script}`], { cwd, env, timeout: 120_000 }, (error, printed) => {
      done({ printed, code: error === null ? 0 : ((error.code as number | undefined) ?? -1) });
    });
  });
}
