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

/**
 * What is at the place of a file to write: nothing, the same file, another file, or something that is not a file. The last value means a
 * file in the place of a folder.
 */
export type Occupancy = 'free' | 'same' | 'other' | 'no-file' | 'no-folder';

export function occupancyOf(folder: string, { path, content }: PlannedFile): Occupancy {
  const file = join(folder, path);
  try {
    if (!statSync(file).isFile()) return 'no-file';
    return readFileSync(file, 'utf8') === content ? 'same' : 'other';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return lstatSync(file, { throwIfNoEntry: false }) ? 'no-file' : 'free'; // For a link to nothing.
    if (code === 'ENOTDIR') return 'no-folder';
    throw error;
  }
}

/**
 * Writes all files. Each is written under another name first. Only when all are on the disk do they get their own names.
 *
 * @returns undefined, or Node's error of the file system and the files that had got their name before it (usually none)
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
      written.push({ draft, file }); // From now on, the file is ours. A file that somebody else made under this name is not removed.
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
