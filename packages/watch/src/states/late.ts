import type { WatcherRow } from '../types.ts';

/** Of targets about which neither the configuration nor the pins file says anything. */
export const DEFAULT_INTERVAL_MS = 3_600_000;

/**
 * Whether checks are overdue: nothing was caught up with for two intervals and a minute. A watcher that runs for the first time has its first
 * cycle before it.
 */
export function isLate({ caughtUpAt, startedAt, intervalMs }: WatcherRow, now: number): boolean {
  return now - (caughtUpAt ?? startedAt ?? 0) > 2 * (intervalMs ?? DEFAULT_INTERVAL_MS) + 60_000;
}

/** Whether what is known of the targets is known of now. */
export function isReady(watcher: WatcherRow, now: number): boolean {
  return watcher.caughtUpAt !== null && watcher.networkLostAt === null && !isLate(watcher, now);
}
