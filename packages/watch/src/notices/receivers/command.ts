import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { toCloudEvent } from '../cloud-event.ts';
import type { Outcome, Receiver } from '../receiver.ts';

export interface CommandOptions {
  readonly name: string;
  /** The program and its arguments. They are passed on unchanged, and no shell reads them. */
  readonly command: readonly [string, ...string[]];
  readonly source: string;
}

/** What a program needs to run at all. The rest of our environment may contain secrets. */
const HANDED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'SystemRoot'];

/** EX_TEMPFAIL of sysexits(3). */
const TRY_LATER = 75;

/** A program of yours on this machine. It gets the CloudEvent on its standard input. */
export function createCommand({ name, command, source }: CommandOptions): Receiver {
  return {
    name,
    capacity: 500,
    deliver: (message, form, signal) => run(command, toCloudEvent(message, source, form), signal),
  };
}

/** It settles when the program has ended, with everything that it has started in its group. */
async function run(
  [program, ...args]: readonly [string, ...string[]],
  input: string,
  signal: AbortSignal,
): Promise<Outcome> {
  if (signal.aborted) return TOO_LATE;
  const env = Object.fromEntries(
    HANDED_ON.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key]]])),
  );
  // Its output is not kept: it may contain a secret. It has a group of its own, so that everything that it starts ends with it.
  const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'ignore'], detached: true, shell: false });
  const end = (): unknown => killGroup(child);
  signal.addEventListener('abort', end, { once: true });
  const ended = new Promise<Outcome>((resolve) => {
    child.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve({ result: 'failed', detail: `it cannot be started (${code})` }),
    );
    child.once('exit', (code, killedBy) => resolve(outcomeOf(code, killedBy, signal)));
  });
  child.stdin.on('error', () => undefined); // It may end without having read everything.
  child.stdin.end(input);
  const outcome = await ended;
  signal.removeEventListener('abort', end);
  await endGroup(child);
  return outcome;
}

const TOO_LATE: Outcome = { result: 'failed', detail: 'it did not end in time' };

function outcomeOf(code: number | null, killedBy: string | null, signal: AbortSignal): Outcome {
  if (code === 0) return { result: 'delivered', detail: 'it has ended with 0' };
  if (signal.aborted) return TOO_LATE;
  if (code === null) return { result: 'failed', detail: `it was ended by ${killedBy}` };
  return { result: code === TRY_LATER ? 'failed' : 'refused', detail: `it has ended with ${code}` };
}

/** A second at most: if nobody collects ended processes, they stay in their group. */
const TRIES = 100;

/** Repeated, because a process may start another one while it is being killed. */
async function endGroup(child: ChildProcess): Promise<void> {
  for (let count = 0; count < TRIES && killGroup(child); count++) await delay(10);
}

/** @returns whether a process is left in it */
function killGroup({ pid }: ChildProcess): boolean {
  try {
    return pid !== undefined && process.kill(-pid, 'SIGKILL');
  } catch {
    return false;
  }
}
