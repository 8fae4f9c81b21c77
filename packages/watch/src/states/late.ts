import type { WatcherRow } from '../types.ts';

/** The interval of targets if neither the configuration nor the pins file gives one. */
export const DEFAULT_INTERVAL_MS = 3_600_000;

/**
 * Whether checks are overdue: for two intervals and a minute, some target was always due. A watcher that runs for the first time has time
 * for its first cycle.
 */
export function isLate({ caughtUpAt, startedAt, intervalMs }: WatcherRow, now: number): boolean {
  return now - (caughtUpAt ?? startedAt ?? 0) > 2 * (intervalMs ?? DEFAULT_INTERVAL_MS) + 60_000;
}

/** Whether the known states of the targets are present ones. */
export function isReady(watcher: WatcherRow, now: number): boolean {
  return watcher.caughtUpAt !== null && watcher.networkLostAt === null && !isLate(watcher, now);
}
