import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { encodingOf, type TextEncoding } from 'certpin/probe';
import { type Lock, lock } from './lock.ts';
import { type PinsDocument, parsePinsFile } from './parse.ts';
import { fileErrorWords, PinsFileError } from './pins-file-error.ts';

/** Ten thousand targets take some two MiB. */
const MAX_BYTES = 64 * 1024 * 1024;

/** @throws PinsFileError */
export function loadPinsFile(path: string): PinsDocument {
  return parse(readExisting(path), path);
}

/** Its text, for `openPinsText`. @throws PinsFileError */
export function readPinsText(path: string): string {
  return decode(readExisting(path), path);
}

function readExisting(path: string): Buffer {
  const bytes = attempt(path, () => readBytes(path));
  if (bytes === undefined) throw new PinsFileError(`${path}: no such file`, 'certpin help trust');
  return bytes;
}

/**
 * The same, but undefined if there is no file yet. Called before anybody is asked about a change of the file.
 *
 * @throws PinsFileError also if the file could not be written
 */
export function openPinsFile(path: string): PinsDocument | undefined {
  const place = attempt(path, () => followLinks(path));
  refuseOtherThanFile(place, path);
  attempt(path, () => accessSync(dirname(place), constants.W_OK));
  const bytes = attempt(path, () => readBytes(place));
  // A new file would get around the mode of the old one.
  if (bytes !== undefined) attempt(path, () => closeSync(openSync(place, 'r+')));
  return bytes === undefined ? undefined : parse(bytes, path);
}

/**
 * Changes a pins file, or makes it. The new text is written next to the old file, and replaces it in one step, so that no reader ever sees
 * half of it. The new file is also the lock: so if two changes happen at once, none is lost. What a killed process has left there does not
 * count.
 *
 * @param lockWaitMs another `certpin` holds the lock for some milliseconds
 * @param change gets the present content, and returns the new text. undefined: no change
 * @throws PinsFileError; whatever `change` throws. Then nothing was written
 */
export async function changePinsFile(
  path: string,
  change: (document: PinsDocument | undefined) => string | undefined,
  lockWaitMs = 10_000,
): Promise<void> {
  await replaceFile(
    attempt(path, () => followLinks(path)),
    path,
    (before) => {
      const document = before === undefined ? undefined : parse(before, path);
      const text = change(document);
      if (text === undefined) return undefined;
      parsePinsFile(text, path); // What could not be read again is never written.
      return encode(text, before === undefined ? 'utf-8' : encodingOf(before));
    },
    lockWaitMs,
  );
}

/**
 * The same for any file that can have a lock next to it.
 *
 * @param place the file, with links followed
 * @param path as messages name it
 * @param change gets the bytes of the file, and returns the new ones. undefined: no change
 */
export async function replaceFile(
  place: string,
  path: string,
  change: (before: Buffer | undefined) => Buffer | undefined,
  lockWaitMs = 10_000,
): Promise<void> {
  const held = await openLock(place, path, lockWaitMs);
  try {
    const before = attempt(path, () => readBytes(place));
    const bytes = change(before);
    if (bytes === undefined) return;
    attempt(path, () => {
      writeFileSync(held.descriptor, bytes);
      if (before !== undefined) keepOwner(held.descriptor, statSync(place));
      fsyncSync(held.descriptor);
    });
    // An editor ignores the lock.
    const after = attempt(path, () => readBytes(place));
    if (before === undefined ? after !== undefined : after?.equals(before) !== true) throw changedMeanwhile(path);
    if (!existsSync(held.path)) {
      throw new PinsFileError(`${path}: somebody removed its lock, so nothing was written; try again`);
    }
    attempt(path, () => renameSync(held.path, place));
  } finally {
    held.release();
  }
}

/** A new file takes the place of the old one: a device or a pipe would be lost. */
function refuseOtherThanFile(place: string, path: string): void {
  const found = attempt(path, () => statSync(place, { throwIfNoEntry: false }));
  if (found !== undefined && !found.isFile()) throw new PinsFileError(`${path}: it is not a regular file`);
}

export function changedMeanwhile(path: string): PinsFileError {
  return new PinsFileError(`${path}: somebody else has changed it, so nothing was written; try again`);
}

async function openLock(place: string, path: string, waitMs: number): Promise<Lock> {
  let held: Lock | string;
  try {
    held = await lock(place, waitMs);
  } catch (error) {
    throw toFileError(path, error);
  }
  if (typeof held !== 'string') return held;
  throw new PinsFileError(`${path}: another certpin is writing it; if none is, remove ${held} beside it`);
}

/** A link is followed to the file that it names, which may not exist yet. The link stays. */
export function followLinks(path: string): string {
  let place = path;
  for (let links = 0; links < 40; links++) {
    try {
      return realpathSync(place);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    try {
      place = resolve(dirname(place), readlinkSync(place));
    } catch {
      return join(realpathSync(dirname(place)), basename(place));
    }
  }
  throw new PinsFileError('too many links');
}

export function readBytes(place: string): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(place, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return readBounded(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The size of a device or a pipe cannot be checked before. */
function readBounded(descriptor: number): Buffer {
  const chunks: Buffer[] = [];
  for (let length = 0; ; ) {
    const chunk = Buffer.allocUnsafe(256 * 1024);
    const count = readSync(descriptor, chunk);
    if (count === 0) return Buffer.concat(chunks);
    length += count;
    if (length > MAX_BYTES) throw new PinsFileError('it has more than 64 MiB: no pins file is so large');
    chunks.push(chunk.subarray(0, count));
  }
}

/** What was read last: a file is checked before a person is asked, and again under the lock. */
let latest: PinsDocument | undefined;

function parse(bytes: Buffer, path: string): PinsDocument {
  const text = decode(bytes, path);
  if (latest?.path !== path || latest.text !== text) latest = parsePinsFile(text, path);
  return latest;
}

function decode(bytes: Buffer, path: string): string {
  try {
    // The byte order mark is kept, because the file is written in the same form.
    return new TextDecoder(encodingOf(bytes), { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new PinsFileError(`${path}: it is neither in UTF-8 nor in UTF-16`);
  }
}

/** In the encoding of the file: some editors on Windows keep UTF-16. */
function encode(text: string, encoding: TextEncoding): Buffer {
  if (encoding === 'utf-8') return Buffer.from(text);
  const bytes = Buffer.from(text, 'utf16le');
  return encoding === 'utf-16be' ? bytes.swap16() : bytes;
}

function keepOwner(descriptor: number, { mode, uid, gid }: Stats): void {
  try {
    fchownSync(descriptor, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error; // Only root may give files away.
  }
  fchmodSync(descriptor, mode & 0o7777); // After the change of the owner, which clears permission bits.
}

export function attempt<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw toFileError(path, error);
  }
}

function toFileError(path: string, error: unknown): PinsFileError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const reason = code === 'ENOENT' ? 'no such folder' : (fileErrorWords[code] ?? message);
  return new PinsFileError(`${path}: ${reason}`, undefined, { cause: error });
}
