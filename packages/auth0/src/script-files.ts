import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const SOURCE = /\.[cm]?[jt]sx?$/;
const DECLARATIONS = /\.d\.[cm]?ts$/;
/** Files in which the Deploy CLI may keep a script as a string. */
export const CONFIGURATION: RegExp = /^(?:database\.json|tenant\.ya?ml)$/;
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git']);
const LARGEST = 16 * 1024 * 1024;

/** A file that was found, or what could not be read, and why. */
export interface Walked {
  readonly path: string;
  readonly error?: unknown;
}

/** A named file, whatever its name is. For a folder, the files in it that contain scripts. */
export async function* walk(
  path: string,
  isWanted: (name: string) => boolean = holdsScripts,
): AsyncGenerator<Walked, void, void> {
  try {
    if (!(await stat(path)).isDirectory()) yield { path };
    else yield* walkFolder(path, isWanted);
  } catch (error) {
    yield { path, error };
  }
}

async function* walkFolder(folder: string, isWanted: (name: string) => boolean): AsyncGenerator<Walked, void, void> {
  const found = await readdir(folder, { withFileTypes: true });
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) yield* walkFolder(path, isWanted);
    else if (entry.isFile() && isWanted(entry.name)) yield { path };
  }
}

/** JavaScript, TypeScript, and what the Deploy CLI keeps scripts in. */
export function holdsScripts(name: string): boolean {
  return (SOURCE.test(name) && !DECLARATIONS.test(name)) || CONFIGURATION.test(name);
}

/**
 * The content of a file. A device or a pipe may have no end.
 *
 * @throws Node's own error
 */
export async function readBounded(path: string): Promise<Buffer> {
  const bytes = Buffer.concat(await createReadStream(path, { end: LARGEST }).toArray());
  if (bytes.length > LARGEST) throw new Error('the file is larger than 16 MiB');
  return bytes;
}
