// What runs of a page, in its order:
// - a block `sh` is run, by one shell after the other: a variable that one exports is known to the next;
// - a block with the name of a file behind its language is written into that file;
// - each line of a block `text` has to be in the output of the commands before it. A page may leave lines out;
// - a comment says what happens meanwhile.
// What is replaced: the names of the servers, by their addresses here, and hashes, dates and times. `npm install` makes the packages of this
// repository known. Blocks of other languages (`console`, `sql`, a script without a file) are for people, and do not run.
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
export function piecesOf(page: string): Piece[] {
  const found = page.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$|^<!-- (?!options\b|end of )(.*) -->$/gm);
  return [...found].map(([, kind = 'event', name = '', text = '', event]) => ({ kind, name, text: event ?? text }));
}

const HASH = /(?:\b[0-9A-F]{2}:){31}[0-9A-F]{2}\b|\b[0-9A-F]{64}\b|sha256\/[A-Za-z0-9+/]{43}=/g;

/** Dates and times are those of the day, and hashes those of the run. What stands behind `…` is left out in the page. */
function steady(line: string): string {
  return line
    .replace(HASH, 'HASH')
    .replace(/\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?)?/g, 'DATE')
    .replace(/\b\d+ days\b/g, 'N days')
    .trimEnd();
}

function hashesOf(line: string): string[] {
  return [...line.matchAll(HASH)].map(([hash]) => (hash.startsWith('sha256/') ? hash : hash.replaceAll(':', '')));
}

/** A hash of a page stands for one of the run, and two hashes for two. */
class Hashes {
  readonly #printedFor = new Map<string, string>();

  /** Whether `shown` is `printed`, and remembers what each of its hashes stands for. */
  take(shown: string, printed: string): boolean {
    const [begin = '', rest] = steady(shown).split('…');
    if (rest === undefined ? steady(printed) !== begin : !steady(printed).startsWith(begin)) return false;
    const others = hashesOf(printed);
    const pairs = hashesOf(shown).map((hash, index): [string, string] => [hash, others[index] ?? '']);
    const known = new Map([...this.#printedFor, ...pairs]);
    const isSame = [...this.#printedFor, ...pairs].every(([hash, other]) => known.get(hash) === other);
    if (!isSame || new Set(known.values()).size !== known.size) return false;
    for (const [hash, other] of pairs) this.#printedFor.set(hash, other);
    return true;
  }
}

/** In the pages, the pin of the server. */
const SHOWN_PIN = '9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08';

/** SHA-256 of a certificate in the working folder. */
function pinOf(town: Town, file: string): string {
  return parsePin(readFileSync(join(town.folder, file), 'utf8')).sha256;
}

/** Does what a page says, in its order. @throws where something else happens than the page says */
export async function runPage(t: TestContext, page: string): Promise<void> {
  const town = await openTown(t, page);
  if (page.includes(TENANT)) await openTenant(t, town);
  const toReal = (text: string): string => {
    const real = town.toReal(text);
    return text.includes(SHOWN_PIN) ? real.replaceAll(SHOWN_PIN, pinOf(town, 'server.crt')) : real;
  };
  const hashes = new Hashes();
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
      for (const line of lines) {
        const isPrinted = output.split('\n').some((printed) => hashes.take(line, printed));
        assert.ok(isPrinted, `${line}\n--- is not in\n${output}\n(each hash of a page stands for one of the run)`);
      }
      isJudged ||= lines.some((line) => line.startsWith('exit '));
    }
  }
  assert.ok(isJudged, `an exit code that the page does not show:\n${output}`);
}

/** One shell. What the earlier ones exported is known to it, and to the programs. */
function run(script: string, cwd: string, env: Record<string, string>): Promise<{ printed: string; code: number }> {
  const kept = join(dirname(cwd), 'variables');
  const whole = `exec 2>&1
if test -e '${kept}'; then . '${kept}'; fi
trap "export -p > '${kept}'" EXIT
${script}`;
  return new Promise((done) => {
    execFile('sh', ['-ec', whole], { cwd, env, timeout: 120_000 }, (error, printed) => {
      done({ printed, code: error === null ? 0 : ((error.code as number | undefined) ?? -1) });
    });
  });
}
