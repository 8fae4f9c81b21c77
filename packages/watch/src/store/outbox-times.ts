import type { Value } from './rows.ts';

/** Nothing is put off for so long: the clock was set back meanwhile. */
const LONGEST_MS = 7_200_000;

export function isWrong(at: Value | undefined, now: number): boolean {
  return Number(at) > now + LONGEST_MS;
}

export function isAhead(at: Value | undefined, now: number): boolean {
  return Number(at) > now && !isWrong(at, now);
}
