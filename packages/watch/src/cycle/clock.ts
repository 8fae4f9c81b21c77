import { setTimeout as wait } from 'node:timers/promises';

/** What time it is, and a way to wait. Tests have one in which hours pass at once. */
export interface Clock {
  /** Milliseconds since 1970, as the machine believes. */
  readonly now: () => number;
  /** Milliseconds that only go forward, and stand still while the machine sleeps. */
  readonly elapsed: () => number;
  /** Ends early, without an error, where the signal is aborted. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  sleep: (milliseconds, signal) => wait(milliseconds, undefined, { signal }).catch(() => undefined),
};

/** More than a busy machine is late. */
const JUMP_MS = 10_000;

/**
 * Each call tells whether the clock was set, the machine slept or the process was stopped since the last call. A probe that ran in between ended at
 * its time limit, and the server is not to blame.
 *
 * @param expectedMs the longest time between two calls
 */
export function createJumpDetector(clock: Clock, expectedMs: number): () => number | undefined {
  let now = clock.now();
  let elapsed = clock.elapsed();
  return () => {
    const [wall, own] = [clock.now() - now, clock.elapsed() - elapsed];
    now += wall;
    elapsed += own;
    const jump = Math.abs(wall - own) > JUMP_MS ? wall - own : own - expectedMs;
    return Math.abs(jump) > JUMP_MS ? Math.round(jump) : undefined;
  };
}
