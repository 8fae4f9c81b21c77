import type { Store } from '../store/store.ts';

/** How late a target may be without anybody calling it late: its check may be under way, or its shard waits for a worker. */
const LATE_MS = 60_000;

/**
 * Whether nothing is late. A watcher that runs for the first time has asked every target of the pins file before it says so.
 *
 * @param next when the next target is due, or was. null: there is none
 */
export async function isCaughtUp(
  store: Pick<Store, 'watcher' | 'countStates'>,
  at: number,
  next: number | null,
): Promise<boolean> {
  if (next !== null && next <= at - LATE_MS) return false;
  const { caughtUpAt, fileReadAt } = await store.watcher();
  if (caughtUpAt !== null) return true;
  return fileReadAt !== null && (await store.countStates()).unknown === 0;
}
