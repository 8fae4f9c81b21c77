import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { BlockState, InlineClient } from '@certpin/auth0';
import { plainWords } from '@certpin/pins-file';
import { Argument, type Command } from 'commander';
import { writeFiles } from '../auth0/write-files.ts';
import { failureOf, UsageError } from '../failure.ts';
import { FileError } from '../files/file-error.ts';
import { type ExitCode, type Io, printError, printHint, printText, quote } from '../io.ts';

const COMMAND = 'auth0 block';

const description = `Print certpin for one client as a block for a script, or put the block into a script.

--insert puts it at the top of the function, if the script is one function, and otherwise at the top
of the file. This alone changes nothing: the script must call the block, for example
new Pool(certpin.pinnedPg({ … }, { pins: configuration.DB_PINS })).

--update replaces every block in the file by the block of this release.`;

const examples = `
Examples:
  certpin auth0 block pg
  certpin auth0 block mysql2 --insert login.js
  certpin auth0 block --update login.js

Exit code: 0 printed or written; 1 --update found no complete block; 2 it could not be done.`;

/** The lists of @certpin/auth0. That package is loaded when the command runs. A test compares the lists. */
export const blockClients = [
  'https',
  'axios',
  'fetch',
  'pg',
  'mysql2',
  'mysql',
  'mariadb',
  'tedious',
  'mongodb',
  'ldapts',
] as const;

/** What `--update` says of a block, by its state before. */
const stateWords: Readonly<Record<BlockState, (block: string, now: string) => string>> = {
  unmodified: (block) => `${block} is up to date`,
  modified: (block, now) => `${block} was modified; now it is ${now}, unmodified`,
  'unknown-version': (block, now) => `${block} was outdated; now it is ${now}`,
};

interface BlockFlags {
  readonly insert?: string;
  readonly update?: string;
}

export function defineAuth0Block(auth0: Command, io: Io, finish: (code: ExitCode) => void): void {
  auth0
    .command('block')
    .summary('print certpin for one client, or put it into a script')
    .description(description)
    .addArgument(new Argument('[client]', 'what the script calls the server with').choices(blockClients))
    .option('--insert <file>', 'put the block into this script')
    .option('--update <file>', 'replace the blocks in this script by those of this release')
    .addHelpText('after', examples)
    .action(async (client: InlineClient | undefined, flags: BlockFlags) => finish(await block(client, flags, io)));
}

async function block(client: InlineClient | undefined, { insert, update }: BlockFlags, io: Io): Promise<ExitCode> {
  if (insert !== undefined && update !== undefined)
    throw new UsageError('--insert and --update exclude each other: give one of them', COMMAND);
  const { inlineBlock, insertBlock, updateBlocks, verifyInline } = await import('@certpin/auth0');
  if (update !== undefined) {
    if (client !== undefined) throw new UsageError('--update takes no client: each block names its own', COMMAND);
    return change(update, io, (text) => {
      const { updated, broken, ...changed } = updateBlocks(text);
      for (const { client, line } of broken)
        printError(io, `${update}:${line}: the block for ${client} is not complete`);
      for (const { client, line, state, from, to } of updated)
        printText(io, `${quote(update)}:${line}: ${stateWords[state](`certpin ${from} for ${client}`, to)}`);
      if (updated.length > 0) return broken.length > 0 ? undefined : changed.text;
      if (broken.length === 0) printError(io, `${update}: there is no block of certpin`);
      printHint(io, `certpin auth0 block CLIENT --insert ${quote(update)}`);
      return undefined;
    });
  }
  if (client === undefined) throw new UsageError(`the clients are ${blockClients.join(', ')}`, COMMAND);
  if (insert === undefined) {
    io.stdout(inlineBlock(client).text);
    return 0;
  }
  return change(insert, io, (text) => {
    let changed: string;
    try {
      changed = insertBlock(text, client, insert);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const others = verifyInline(text).filter((block) => block.client !== client);
      throw others.length === 0
        ? error
        : new FileError(
            error.message,
            `put the calls for ${client} into a function of their own, and the block into that: certpin auth0 block ${client}`,
          );
    }
    printText(io, `certpin for ${client} is now in ${quote(insert)}; the script must call it`);
    return changed;
  });
}

/** Reads the file, and writes the new text as a whole. `undefined`: nothing is written, and the answer is no. */
function change(file: string, io: Io, work: (text: string) => string | undefined): ExitCode {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    printError(io, `${file}: ${plainWords(failureOf(error))}`);
    return 2;
  }
  let changed: string | undefined;
  try {
    changed = work(text);
  } catch (error) {
    const { message, hint } = failureOf(error);
    printError(io, `${file}: ${message}`);
    if (hint !== undefined) printHint(io, hint);
    return 2;
  }
  if (changed === undefined) return 1;
  if (changed === text) return 0;
  const failed = writeFiles(dirname(file), [{ path: basename(file), content: changed }]);
  if (failed === undefined) return 0;
  printError(io, `${file}: nothing was written: ${plainWords(failureOf(failed.error))}`);
  return 2;
}
