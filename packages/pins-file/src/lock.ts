import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * The right to change a file. To get it, a process makes a file of its own next to it, a claim, and then looks for others. Without another
 * claim, it has the right. Each process looks after it has made its claim. So of two processes, the later one sees the other, and they
 * never both go on. If several claims were made at once, the first by name stays and waits, and the others are taken back.
 *
 * The name of a claim says whose it is. So a claim of a killed process is recognised and removed. This never removes the claim of a living
 * process, because no name is used twice.
 */
export interface Lock {
  /** The claim: a new file next to the locked one. Renaming it to the locked file gives the right back. */
  readonly path: string;
  /** The claim, open for writing. */
  readonly descriptor: number;
  readonly release: () => void;
}

/**
 * @param place the file, with links followed: two names of it must not have separate claims
 * @param waitMs how long to wait for one and the same claim. If the queue moves, the wait goes on
 * @returns the name of the claim in the way
 * @throws Node's error if a file cannot be made
 */
export async function lock(place: string, waitMs: number): Promise<Lock | string> {
  let own: Lock | undefined;
  let met = { name: '', time: 0 };
  try {
    for (;;) {
      let others = findClaims(place, own);
      // A process that has seen another claim takes its own back, so that it is in nobody's way.
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
  // A random number comes first, so that the order of the names favours nobody.
  const path = `${place}.lock-${randomBytes(6).toString('hex')}-${process.pid}-${lookUp(process.pid)?.started ?? ''}-${here()}`;
  const descriptor = openSync(path, 'wx');
  const release = (): void => {
    closeSync(descriptor);
    rmSync(path, { force: true });
  };
  return { path, descriptor, release };
}

/** The claims of processes that may be alive. Those of dead ones are removed. */
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
      return true; // It belongs to another user, in a folder in which users can remove only their own files.
    }
  });
}

/** Some file systems accept several spellings of one name. */
function folded(name: string): string {
  return name.normalize().toLowerCase();
}

/** Whether the owner of a claim is certainly dead. Nothing is known of the processes of another machine, or of a name that is not ours. */
function isDead(name: string): boolean {
  const [, pid, started, where] = /\.lock-[0-9a-f]{12}-([1-9]\d{0,9})-(\d*)-([0-9a-f]{12})$/.exec(name) ?? [];
  if (where !== here()) return false;
  try {
    process.kill(Number(pid), 0); // No signal is sent: signal 0 only asks.
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const now = lookUp(Number(pid));
  return now !== undefined && started !== '' && (now.isZombie || now.started !== started);
}

/**
 * On Linux, the start time of a process distinguishes it from a later one with the same number. Elsewhere undefined: only the number
 * counts.
 */
function lookUp(pid: number): { readonly isZombie: boolean; readonly started: string } | undefined {
  const text = read(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // proc_pid_stat(5): the name in brackets may contain anything. After it comes the state, and the start time is the 22nd field.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', started = ''] = [fields[0], fields[19]];
  return started === '' ? undefined : { isZombie: /[ZX]/.test(state), started };
}

let known: string | undefined;

/** Where a process number means this process: on this machine since its start, and in this container. */
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
