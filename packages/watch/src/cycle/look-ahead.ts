import type { DueTarget, Store } from '../store/store.ts';
import type { Clock } from './clock.ts';

/** Targets that are taken from the store at a time. */
const TAKE = 500;
/** When a store that had no more of them is asked again. */
const DRY_MS = 500;

/**
 * A cycle asks its store for a few due targets again and again. In between stands this: it takes many of them at a time, because the question costs
 * more than the answer. It belongs to one cycle, and to a store that no other one writes.
 */
export function withLookAhead(store: Store, clock: Pick<Clock, 'elapsed'>): Store {
  /** The next one is the last. */
  let ahead: DueTarget[] = [];
  let dryUntil = 0;
  const forget = (): void => {
    ahead = [];
    dryUntil = 0;
  };
  const take = async (at: number, without: ReadonlySet<string>, found: readonly DueTarget[]): Promise<void> => {
    const more = await store.due(at, TAKE, new Set([...without, ...found.map(({ row }) => row.key)]));
    ahead = [...more].reverse();
    if (more.length < TAKE) dryUntil = clock.elapsed() + DRY_MS;
  };
  return {
    ...store,
    async due(at, limit, without) {
      const found: DueTarget[] = [];
      while (found.length < limit) {
        const next = ahead.pop();
        if (next !== undefined) {
          if (!without.has(next.row.key)) found.push(next);
        } else if (clock.elapsed() < dryUntil) break;
        else await take(at, without, found);
      }
      return found;
    },
    async record(checks) {
      const written = await store.record(checks);
      // They may have been asked out of their turn.
      if (ahead.length > 0) ahead = ahead.filter(({ row }) => !written.has(row.key));
      return written;
    },
    // What is due is another thing afterwards.
    async importTargets(...given) {
      await store.importTargets(...given);
      forget();
    },
    async clampDue(now) {
      await store.clampDue(now);
      forget();
    },
    async allDue(now) {
      await store.allDue(now);
      forget();
    },
  };
}
