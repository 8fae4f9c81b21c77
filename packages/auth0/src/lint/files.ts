import { createReadStream } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { lintEmbedded } from './embedded.ts';
import { chooseRules, type LintResult, type LintTextOptions, lintText } from './lint-text.ts';

export interface LintFilesOptions extends Omit<LintTextOptions, 'path'> {
  /** With `fix`: whether the files are written. Default: true. */
  readonly write?: boolean;
}

const SOURCE = /\.[cm]?[jt]sx?$/;
const DECLARATIONS = /\.d\.[cm]?ts$/;
/** Files in which the Deploy CLI may keep a script as a string. */
const CONFIGURATION = /^(?:database\.json|tenant\.ya?ml)$/;
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git']);
const LARGEST = 16 * 1024 * 1024;

/**
 * Lints files, and what is in folders: JavaScript and TypeScript, and the scripts that a `database.json` or `tenant.yaml` of the Deploy
 * CLI holds as text. `node_modules`, `dist` and `.git` are passed over. A file that is named is linted whatever its name is.
 *
 * One result per file, in the order of the paths; a file that cannot be read is a result with an `error`.
 *
 * @throws TypeError where a rule is named that does not exist
 */
export async function* lintFiles(
  paths: readonly string[],
  { write = true, ...options }: LintFilesOptions = {},
): AsyncGenerator<LintResult, void, void> {
  chooseRules(options.rules);
  const seen = new Set<string>();
  for (const given of paths) {
    for await (const path of walk(given)) {
      if (typeof path !== 'string') yield path;
      else if (!seen.has(path)) {
        seen.add(path);
        yield await lintFile(path, path === given, write, options);
      }
    }
  }
}

async function lintFile(path: string, isNamed: boolean, write: boolean, options: LintTextOptions): Promise<LintResult> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readBounded(path));
    if (isNamed && /\.(?:json|ya?ml)$/i.test(path)) return lintEmbedded(text, path, { ...options, isNamed });
    if (CONFIGURATION.test(basename(path))) return lintEmbedded(text, path, options);
    const result = lintText(text, { ...options, path });
    if (result.output !== undefined && write) await writeFile(path, result.output);
    return result;
  } catch (error) {
    return unreadable(path, error);
  }
}

/** A device and a pipe need not end. */
async function readBounded(path: string): Promise<Buffer> {
  const bytes = Buffer.concat(await createReadStream(path, { end: LARGEST }).toArray());
  if (bytes.length > LARGEST) throw new Error('the file is larger than 16 MiB');
  return bytes;
}

function unreadable(path: string, error: unknown): LintResult {
  const { code, message } = error as NodeJS.ErrnoException;
  const words = { ENOENT: 'no such file', EACCES: 'permission denied', ERR_ENCODING_INVALID_ENCODED_DATA: 'not UTF-8' };
  return { path, findings: [], error: { message: words[code as keyof typeof words] ?? message } };
}

async function* walk(path: string): AsyncGenerator<string | LintResult, void, void> {
  try {
    if (!(await stat(path)).isDirectory()) yield path;
    else yield* walkFolder(path);
  } catch (error) {
    yield unreadable(path, error);
  }
}

async function* walkFolder(folder: string): AsyncGenerator<string, void, void> {
  const found = await readdir(folder, { withFileTypes: true });
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) yield* walkFolder(path);
    else if (entry.isFile() && isLinted(entry.name)) yield path;
  }
}

function isLinted(name: string): boolean {
  return (SOURCE.test(name) && !DECLARATIONS.test(name)) || CONFIGURATION.test(name);
}
