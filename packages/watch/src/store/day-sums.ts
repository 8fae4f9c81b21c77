import type { Recorded } from './store.ts';

const DAY_MS = 86_400_000;

/** A row of the sums of a day: the day, the state, how many checks, their seconds together, and the longest. */
export type DaySum = readonly [day: number, state: string, checks: number, secondsSum: number, secondsMax: number];

/** What one check adds to its day. */
export function daySumOf({ counted }: Recorded): DaySum | undefined {
  if (counted === undefined) return undefined;
  const { state, seconds, at } = counted;
  return [Math.floor(at / DAY_MS), state, 1, seconds, seconds];
}

/** What checks add to their days together, always in the same order: two writers who take rows in other orders would wait for one another. */
export function sumDays(checks: readonly Recorded[]): readonly DaySum[] {
  const sums = new Map<string, DaySum>();
  for (const check of checks) {
    const own = daySumOf(check);
    if (own === undefined) continue;
    const [day, state, , seconds] = own;
    const [, , count, sum, max] = sums.get(`${day} ${state}`) ?? [day, state, 0, 0, 0];
    sums.set(`${day} ${state}`, [day, state, count + 1, sum + seconds, Math.max(max, seconds)]);
  }
  return [...sums].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, sum]) => sum);
}
