import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

export interface PlannedFile {
  /** With `/`, relative to the folder. */
  readonly path: string;
  readonly content: string;
}

/** What is where a file is to be written: nothing, the very same, another file, something that is no file, or a file where a folder has to be. */
export type Occupancy = 'free' | 'same' | 'other' | 'no-file' | 'no-folder';

export function occupancyOf(folder: string, { path, content }: PlannedFile): Occupancy {
  const file = join(folder, path);
  try {
    if (!statSync(file).isFile()) return 'no-file';
    return readFileSync(file, 'utf8') === content ? 'same' : 'other';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return lstatSync(file, { throwIfNoEntry: false }) ? 'no-file' : 'free'; // a link to nothing
    if (code === 'ENOTDIR') return 'no-folder';
    throw error;
  }
}

/**
 * Writes all files: each under another name first, and only when all of them are on the disk are they given their own.
 *
 * @returns undefined; or Node's error of the file system, and the files that had their name before it, none as a rule
 */
export function writeFiles(
  folder: string,
  files: readonly PlannedFile[],
): { error: unknown; named: string[] } | undefined {
  const named: string[] = [];
  const written: { readonly draft: string; readonly file: string }[] = [];
  try {
    for (const { path, content } of files) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      const draft = `${file}.${process.pid}.tmp`;
      const descriptor = openSync(draft, 'wx');
      written.push({ draft, file }); // ours from now on: something else of that name is not taken away
      try {
        writeFileSync(descriptor, content);
      } finally {
        closeSync(descriptor);
      }
    }
    for (const { draft, file } of written) {
      renameSync(draft, file);
      named.push(file);
    }
    return undefined;
  } catch (error) {
    for (const { draft } of written) rmSync(draft, { force: true });
    return { error, named };
  }
}
