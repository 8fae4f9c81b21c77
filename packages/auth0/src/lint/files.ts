import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { CONFIGURATION, readBounded, walk } from '../script-files.ts';
import { lintEmbedded } from './embedded.ts';
import { chooseRules, type LintResult, type LintTextOptions, lintText } from './lint-text.ts';

export interface LintFilesOptions extends Omit<LintTextOptions, 'path'> {
  /** With `fix`: whether the files are written. Default: true. */
  readonly write?: boolean;
}

/**
 * Lints files and folders: JavaScript and TypeScript, and the scripts in a `database.json` or `tenant.yaml` of the Deploy CLI.
 * `node_modules`, `dist` and `.git` are skipped. A file that is named is linted whatever its name is.
 *
 * There is one result for each file, in the order of the paths. A file that cannot be read is a result with an `error`.
 *
 * @throws TypeError if a named rule does not exist
 */
export async function* lintFiles(
  paths: readonly string[],
  { write = true, ...options }: LintFilesOptions = {},
): AsyncGenerator<LintResult, void, void> {
  chooseRules(options.rules);
  const seen = new Set<string>();
  for (const given of paths) {
    for await (const { path, error } of walk(given)) {
      if (error !== undefined) yield unreadable(path, error);
      else if (!seen.has(path)) {
        seen.add(path);
        yield await lintFile(path, path === given, write, options);
      }
    }
  }
}

async function lintFile(path: string, isNamed: boolean, write: boolean, options: LintTextOptions): Promise<LintResult> {
  try {
    // As Node reads scripts: in UTF-8. A repair keeps a byte order mark.
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

function unreadable(path: string, error: unknown): LintResult {
  const { code, message } = error as NodeJS.ErrnoException;
  const words = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    ERR_ENCODING_INVALID_ENCODED_DATA: 'not UTF-8: save it as UTF-8',
  };
  return { path, findings: [], error: { message: words[code as keyof typeof words] ?? message } };
}
