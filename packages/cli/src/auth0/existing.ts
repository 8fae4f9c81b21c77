import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateScriptsOptions, ScriptFile } from '@certpin/auth0';
import { failureOf, UsageError } from '../failure.ts';
import { type Io, printError, printWarning, quote } from '../io.ts';
import type { NewFlags } from './new-flags.ts';

const COMMAND = 'auth0 new';

/** The library names its options as JavaScript does. */
export function asUsageError<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const { code, message } = failureOf(error);
    if (code !== 'ERR_OPTION_INVALID') throw error;
    const words = message.replace('createScripts: ', '').replace(/`(\w+)`/g, (_, name) => flagOf(name));
    // On the command line, this question has a second answer.
    throw new UsageError(
      words.replace("'' for none:", "'' for none, or --new-users where nobody logs in yet:"),
      COMMAND,
    );
  }
}

function flagOf(option: string): string {
  if (option === 'columns') return '--column';
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * What `user_id` begins with: as the flags say, or as the existing scripts say.
 *
 * @throws UsageError if the two differ
 */
export async function prefixOf(planned: CreateScriptsOptions, flags: NewFlags): Promise<string | undefined> {
  const { userIdPrefix, newUsers, name = 'users', output } = flags;
  if (planned.kind !== 'database') {
    if (userIdPrefix === undefined && newUsers === undefined) return undefined;
    throw new UsageError('--user-id-prefix and --new-users are for the scripts of a database', COMMAND);
  }
  if (userIdPrefix !== undefined && newUsers)
    throw new UsageError('--new-users and --user-id-prefix are two answers to one question: give one', COMMAND);
  const given = newUsers ? `${name}|` : userIdPrefix;
  const { createScripts, databaseKeys, readUserIdPrefixes } = await import('@certpin/auth0');
  const keys = planned.layout === 'deploy-cli' ? undefined : databaseKeys;
  const scripts = asUsageError(() => createScripts({ ...planned, keys, columns: {}, userIdPrefix: '' }));
  const files = scripts.map(({ path }) => join(output, path));
  const texts = files.map((file) => unescaped(file, contentOf(file) ?? ''));
  const there = readUserIdPrefixes(texts.join('\n'));
  const strange = newUsers ? files.find((_, at) => isStrange(texts[at] ?? '')) : undefined;
  if (strange !== undefined)
    throw new UsageError(
      `${quote(strange)} is there, and certpin did not write it, so people may log in with it: give the beginning of its user_id with --user-id-prefix`,
      COMMAND,
    );
  if (there.length > 1 && given === undefined)
    throw new UsageError(
      `the scripts in ${output} do not agree on what user_id begins with: ${there.map(shown).join(', ')}`,
      COMMAND,
    );
  const other = there.find((prefix) => prefix !== given);
  if (given !== undefined && other !== undefined) {
    const problem = `the scripts in ${output} begin user_id with ${shown(other)}, and not with ${shown(given)}`;
    throw new UsageError(
      `${problem}: every user would become another user; for a new set give another --output`,
      COMMAND,
    );
  }
  const wanted = asUsageError(() => createScripts({ ...planned, keys, userIdPrefix: '' }));
  const [table] = tablesIn(wanted.map(({ content }) => content));
  const otherTable = tablesIn(texts).find((known) => known !== table);
  if (otherTable !== undefined) {
    const problem = `the scripts in ${output} are for the table ${otherTable}`;
    throw new UsageError(`${problem}: give --table and --column as before, or another --output`, COMMAND);
  }
  return given ?? there[0];
}

/** Whether somebody else wrote a script that makes a `user_id`. */
function isStrange(text: string): boolean {
  return text.includes('user_id') && !text.includes('written by certpin auth0 new');
}

/** What scripts say of `user_id` that certpin did not write and that would be replaced: each line with its file. */
export function userIdLines(
  files: readonly ScriptFile[],
  output: string,
): readonly (readonly [file: string, line: string])[] {
  return files.flatMap(({ path, isScript }) => {
    const text = isScript ? (contentOf(join(output, path)) ?? '') : '';
    if (!isStrange(text)) return [];
    const lines = text.split(/\r?\n/).filter((line) => /\buser_id\b["']?\s*[:=]/.test(line));
    return lines.slice(0, 3).map((line) => [join(output, path), line.trim().slice(0, 160)] as const);
  });
}

/** The tables that scripts name in their heads, each once, if the name is on one line. */
function tablesIn(texts: readonly string[]): string[] {
  return [
    ...new Set(texts.flatMap((text) => [...text.matchAll(/\/\/ Table: (.*?\)|.*)/g)].map(([, table = '']) => table))),
  ];
}

function shown(prefix: string): string {
  return prefix === '' ? 'nothing' : `'${prefix}'`;
}

/** In a heredoc of Terraform `$${` stands for `${`. */
function unescaped(path: string, text: string): string {
  return path.endsWith('.tf') ? text.replace(/([$%])\1\{/g, '$1{') : text;
}

/** undefined: there is no such file. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * The files to write. Settings are merged into an existing file. If a Terraform module already names its providers, it gets no second list
 * of them.
 */
export async function withWhatIsThere(
  files: readonly ScriptFile[],
  { output }: NewFlags,
  io: Io,
): Promise<readonly ScriptFile[] | undefined> {
  const { isMerged, mergeSettings } = await import('@certpin/auth0');
  const merged: ScriptFile[] = [];
  for (const file of files) {
    const path = join(output, file.path);
    if (file.path === 'versions.tf') {
      const other = providersFile(output);
      if (other !== undefined) {
        if (!other.hasAuth0) printWarning(io, `${quote(other.path)} names providers, and not this one: ${PROVIDER}`);
        continue;
      }
    }
    const existing = isMerged(file.path) ? contentOf(path) : undefined;
    try {
      merged.push(existing === undefined ? file : { ...file, content: mergeSettings(path, existing, file.content) });
    } catch (error) {
      printError(io, `${path}: ${(error as Error).message}, so nothing can be put into it`);
      return undefined;
    }
  }
  return merged;
}

/** A module has one list of providers. */
const PROVIDER = 'write auth0 = { source = "auth0/auth0" } into its required_providers';

/** The file of a module that names its providers, if it is not the one that would be written. */
function providersFile(folder: string): { readonly path: string; readonly hasAuth0: boolean } | undefined {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of names.filter((one) => one.endsWith('.tf'))) {
    const text = (contentOf(join(folder, name)) ?? '').replace(/(?:#|\/\/).*|\/\*[\s\S]*?\*\//g, '');
    const [, list] = /\brequired_providers\s*\{([\s\S]*)/.exec(text) ?? [];
    if (list !== undefined) return { path: join(folder, name), hasAuth0: /"(?:[\w.-]+\/)?auth0\/auth0"/.test(list) };
  }
  return undefined;
}
