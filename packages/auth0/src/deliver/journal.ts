import { execFile } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { followLinks, type Place } from '@certpin/pins-file';
import { DeliverError } from './deliver-error.ts';

/** What was known of a place before it was written. */
export type Before = { readonly known: true; readonly text: string | null } | { readonly known: false };

/**
 * Shows later whether a place that cannot be read is still as it was left. For `configuration`, it is a hash of the ciphertext. For a
 * secret, it is the time of its last change.
 */
export type Witness = string;

interface Head {
  /** Which push. */
  readonly push: string;
  /** UTC. */
  readonly time: string;
}

export type JournalLine = Head &
  (
    | {
        readonly event: 'begin';
        readonly user: string;
        /** The commit of the pins file's folder. null: it is not a git repository. */
        readonly commit: string | null;
        readonly tenant: string | null;
        /** SHA-256 of the pins file. */
        readonly file: string;
        readonly undoes?: string;
      }
    | {
        readonly event: 'writing';
        readonly target: string;
        readonly place: Place;
        readonly before: Before;
        readonly pins: string;
      }
    | {
        readonly event: 'written';
        readonly target: string;
        readonly place: Place;
        readonly pins: string;
        /** SHA-256 of the text that was delivered. */
        readonly sha256: string;
        readonly witness: Witness | null;
      }
    /** Somebody else had changed it, so the push left it alone. */
    | { readonly event: 'unwritten'; readonly target: string; readonly place: Place }
    | { readonly event: 'end'; readonly ok: boolean }
  );

/** Without its head. */
type Omitted<Line> = Line extends unknown ? Omit<Line, 'push' | 'time'> : never;
export type JournalEvent = Omitted<JournalLine>;

/** The files beside a pins file that machines write. A link to the pins file leads to the same files, so two names share one lock. */
export function besideOf(pinsFile: string): {
  readonly journal: string;
  readonly snapshots: string;
  readonly learned: string;
} {
  const base = followLinks(resolve(pinsFile)).replace(/\.json$/, '');
  return { journal: `${base}.journal.jsonl`, snapshots: `${base}.snapshots`, learned: `${base}.learned.json` };
}

/** Where the files are that the pins file names. */
export function folderOf(pinsFile: string): string {
  return dirname(followLinks(resolve(pinsFile)));
}

/** A link could lead a writer out of the folder of the pins file. @throws DeliverError `ERR_PLACE` */
function refuseLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new DeliverError(
      'ERR_PLACE',
      `${path}: it is a link, and certpin does not write through links here; remove it`,
    );
}

/** @throws DeliverError if a line cannot be read, or a link is in the way. The last line may be torn, if its writer was killed */
export function readJournal(pinsFile: string): readonly JournalLine[] {
  const { journal, snapshots } = besideOf(pinsFile);
  for (const path of [journal, snapshots]) refuseLink(path);
  let text: string;
  try {
    text = readFileSync(journal, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const lines = text.split('\n').map((line, index) => ({ line, index }));
  return lines.flatMap(({ line, index }) => {
    if (line === '') return [];
    try {
      return [JSON.parse(line) as JournalLine];
    } catch {
      // The next writer ends a torn line, so other lines may follow it.
      if (index === lines.length - 1 || line.startsWith(HEAD) || HEAD.startsWith(line)) return [];
      throw new DeliverError('ERR_PLACE', `${journal}:${index + 1}: it is not a line of a journal`);
    }
  });
}

/** How each line begins. */
const HEAD = '{"push":';

/** It is on the disk when this returns. A line that a killed push has left unfinished is ended first. */
export function appendJournal(pinsFile: string, push: string, event: JournalEvent): void {
  const descriptor = openSync(
    besideOf(pinsFile).journal,
    constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0),
    0o644,
  );
  try {
    const { size } = fstatSync(descriptor);
    const last = Buffer.alloc(1);
    const isTorn = size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
    const line: JournalLine = { push, time: new Date().toISOString(), ...event };
    writeSync(descriptor, `${isTorn ? '\n' : ''}${JSON.stringify(line)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Two objects with the same keys and values are one place, whatever the order of the keys. */
export function keyOfPlace(place: Place): string {
  return JSON.stringify(Object.entries(place).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** What was last written to a place. */
export function lastWritten(
  lines: readonly JournalLine[],
  place: Place,
): Extract<JournalLine, { event: 'written' }> | undefined {
  const key = keyOfPlace(place);
  const isMeant = (line: JournalLine): line is Extract<JournalLine, { event: 'written' }> =>
    line.event === 'written' && keyOfPlace(line.place) === key;
  return lines.filter(isMeant).at(-1);
}

/** Whether a push has begun to write a place, and has not finished. */
export function isUnderWay(lines: readonly JournalLine[], place: Place): boolean {
  const key = keyOfPlace(place);
  const line = lines.filter((one) => 'place' in one && keyOfPlace(one.place) === key).at(-1);
  return line?.event === 'writing';
}

const KEPT_SNAPSHOTS = 10;

/** Saves what was there before the first write. Only the owner can read the file. @returns its path */
export function writeSnapshot(pinsFile: string, push: string, content: unknown): string {
  const folder = besideOf(pinsFile).snapshots;
  refuseLink(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${push}.json`);
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  // The name begins with the time.
  const old = readdirSync(folder)
    .filter((name) => /^\d{8}T\d{6}Z-[0-9a-f]+\.json$/.test(name))
    .sort();
  for (const name of old.slice(0, -KEPT_SNAPSHOTS)) rmSync(join(folder, name), { force: true });
  return path;
}

export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // A container's user may have no name.
  }
}

/** Which commit of the pins file's repository is checked out. */
export async function commitOf(pinsFile: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: folderOf(pinsFile) });
    const commit = stdout.trim();
    return /^[0-9a-f]{40,64}$/.test(commit) ? commit : null;
  } catch {
    return null;
  }
}
