import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * The right to change a file. Whoever wants it makes a file of their own beside it, a claim, and then looks: who finds no other claim has
 * the right. Each looks after having made a claim, so of two the later one sees the other, and never both go on. Where several were made
 * at once, the first by name stays and waits, and the others are taken back.
 *
 * The name of a claim says whose it is. So what a killed process has left is known to be nobody's, and is taken away; and what is taken
 * away is never another's, because no name is used twice.
 */
export interface Lock {
  /** The claim: a new file beside the locked one. To rename it, in the place of that one, gives the right back. */
  readonly path: string;
  /** The claim, open for writing. */
  readonly descriptor: number;
  readonly release: () => void;
}

/**
 * @param place the file, links followed: under two names, each would have claims of its own
 * @param waitMs for one and the same claim: a queue that moves is waited for
 * @returns the name of the claim that stands in the way
 * @throws what Node throws where a file cannot be made
 */
export async function lock(place: string, waitMs: number): Promise<Lock | string> {
  let own: Lock | undefined;
  let met = { name: '', time: 0 };
  try {
    for (;;) {
      let others = findClaims(place, own);
      // Who has seen a claim gets into nobody's way with another.
      if (own === undefined && others.length === 0) {
        own = claim(place);
        others = findClaims(place, own);
      }
      const [other] = others;
      if (own !== undefined && other === undefined) return own;
      if (other !== undefined && other !== met.name) met = { name: other, time: performance.now() };
      if (performance.now() - met.time > waitMs) break;
      const name = own === undefined ? '' : basename(own.path);
      if (own !== undefined && others.some((one) => one < name)) {
        own.release();
        own = undefined;
      }
      await delay(own === undefined ? 10 + Math.random() * 60 : 1);
    }
  } catch (error) {
    own?.release();
    throw error;
  }
  own?.release();
  return met.name;
}

function claim(place: string): Lock {
  // A random number first: the order of the names is nobody's advantage.
  const path = `${place}.lock-${randomBytes(6).toString('hex')}-${process.pid}-${lookUp(process.pid)?.started ?? ''}-${here()}`;
  const descriptor = openSync(path, 'wx');
  const release = (): void => {
    closeSync(descriptor);
    rmSync(path, { force: true });
  };
  return { path, descriptor, release };
}

/** The claims of whoever may be alive. Those of the dead are taken away. */
function findClaims(place: string, own?: Lock): string[] {
  const prefix = folded(`${basename(place)}.lock`);
  return readdirSync(dirname(place)).filter((name) => {
    const path = join(dirname(place), name);
    if (path === own?.path || !folded(name).startsWith(prefix)) return false;
    if (!isDead(name)) return true;
    try {
      rmSync(path, { force: true });
      return false;
    } catch {
      return true; // somebody else's, in a folder where each may remove their own only
    }
  });
}

/** Some file systems know one file by several spellings. */
function folded(name: string): string {
  return name.normalize().toLowerCase();
}

/** Whether a claim is certainly nobody's. Of another machine's processes, and of a name that is none of ours, nothing is known. */
function isDead(name: string): boolean {
  const [, pid, started, where] = /\.lock-[0-9a-f]{12}-([1-9]\d{0,9})-(\d*)-([0-9a-f]{12})$/.exec(name) ?? [];
  if (where !== here()) return false;
  try {
    process.kill(Number(pid), 0); // no signal: a question
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const now = lookUp(Number(pid));
  return now !== undefined && started !== '' && (now.isZombie || now.started !== started);
}

/** Linux says when a process was started, which tells it from a later one of the same number. Elsewhere undefined: the number has to do. */
function lookUp(pid: number): { readonly isZombie: boolean; readonly started: string } | undefined {
  const text = read(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // proc_pid_stat(5): the name in brackets may hold anything; behind it the state, and as the 22nd of all the time of the start.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', started = ''] = [fields[0], fields[19]];
  return started === '' ? undefined : { isZombie: /[ZX]/.test(state), started };
}

let known: string | undefined;

/** Where a process's number means that process: this machine since it was started, and this container. */
function here(): string {
  known ??= findOut();
  return known;
}

function findOut(): string {
  const boot = read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'));
  const container = read(() => readlinkSync('/proc/self/ns/pid'));
  return createHash('sha256')
    .update(JSON.stringify([hostname(), boot, container]))
    .digest('hex')
    .slice(0, 12);
}

function read(file: () => string): string {
  try {
    return file();
  } catch {
    return '';
  }
}
