import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { DeliverError } from './deliver-error.ts';
import { folderOf } from './journal.ts';

/** A file of a delivery. */
export interface TextFile {
  /** The path, with links followed. */
  readonly path: string;
  /** undefined: the file does not exist yet. */
  readonly text: string | undefined;
}

/**
 * Reads a file that a pins file names. Neither its path nor a link may lead out of the folder of the pins file: a reviewed file must not
 * write anywhere else.
 *
 * @throws DeliverError `ERR_PLACE`
 */
export function readTextFile(pinsFile: string, path: string): TextFile {
  const folder = realpathSync(folderOf(pinsFile));
  const place = locate(resolve(folder, path), path);
  if (!place.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)) {
    throw bad(`${path}: a link leads out of the folder of the pins file`);
  }
  const found = statSync(place, { throwIfNoEntry: false });
  if (found === undefined) return { path: place, text: undefined };
  if (!found.isFile()) throw bad(`${path}: it is not a regular file`);
  if (isSameFile(place, pinsFile)) throw bad(`${path}: it is the pins file itself`);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(place));
    return { path: place, text };
  } catch (error) {
    throw bad(`${path}: it cannot be read as UTF-8 (${(error as NodeJS.ErrnoException).code ?? 'another encoding'})`);
  }
}

function locate(wanted: string, shown: string): string {
  try {
    return realpathSync(wanted);
  } catch {
    // A link to nothing would become a file somewhere else.
    if (lstatSync(wanted, { throwIfNoEntry: false }) !== undefined)
      throw bad(`${shown}: it is a link to a file that does not exist`);
  }
  try {
    return join(realpathSync(dirname(wanted)), basename(wanted));
  } catch {
    throw bad(`${shown}: there is no such folder`);
  }
}

function isSameFile(one: string, other: string): boolean {
  const found = statSync(other, { throwIfNoEntry: false });
  const { dev, ino } = statSync(one);
  return found !== undefined && found.dev === dev && found.ino === ino;
}

/**
 * Writes in one step, by a rename. A writer has the lock of the journal, so the draft always has the same name. The next push overwrites
 * what a killed push has left.
 *
 * @throws DeliverError `ERR_CHANGED` if the file has changed since it was read, or its name now leads to another place
 */
export function writeTextFile(pinsFile: string, { path, text: before }: TextFile, text: string, shown: string): void {
  refuseChange(pinsFile, { path, text: before }, shown);
  const draft = join(dirname(path), `.${basename(path)}.certpin-draft`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);
  const old = statSync(path, { throwIfNoEntry: false });
  const descriptor = openSync(draft, flags, 0o600);
  try {
    if (old !== undefined) keepOwner(descriptor, old);
    fchmodSync(descriptor, old === undefined ? 0o644 : old.mode & 0o7777); // After the change of the owner, which clears permission bits.
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
    refuseChange(pinsFile, { path, text: before }, shown);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true }); // It may hold the secrets of the file.
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** A person may have thought for an hour. In this time, a folder may have become a link. */
function refuseChange(pinsFile: string, { path, text }: TextFile, shown: string): void {
  let now: TextFile | undefined;
  try {
    now = readTextFile(pinsFile, shown);
  } catch (error) {
    if (!(error instanceof DeliverError)) throw error;
  }
  if (now?.path !== path || now.text !== text)
    throw new DeliverError(
      'ERR_CHANGED',
      `${shown}: somebody else has changed it since it was read; it was not written`,
    );
}

function keepOwner(descriptor: number, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  try {
    fchownSync(descriptor, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error; // Only root may give files away.
  }
}

function bad(message: string): DeliverError {
  return new DeliverError('ERR_PLACE', message);
}
