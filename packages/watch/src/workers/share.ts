import { systemClock } from '../cycle/clock.ts';
import type { Log } from '../log.ts';
import type { PostgresStore } from '../store/postgres.ts';
import type { Store } from '../store/store.ts';
import type { Plan } from './plan.ts';
import { createPlanner } from './planner.ts';
import { openQueue } from './queue.ts';
import { createShardSource } from './shard-source.ts';

/** The part of a watcher that shares its targets with workers. */
export interface Sharing {
  /** For its own cycle, which is one of the workers. */
  readonly store: Store;
  readonly passOver: (key: string) => void;
  readonly runs: readonly ((stop: AbortSignal) => Promise<void>)[];
  /** When all of it has ended. */
  readonly close: () => Promise<void>;
}

/** @throws (as a rejection) StoreError */
export async function share(
  store: PostgresStore,
  { log, plan }: { readonly log: Log; readonly plan: () => Plan },
): Promise<Sharing> {
  const clock = systemClock;
  const queue = await openQueue(store.pool, { plans: true, log });
  const source = createShardSource({ store, queue, readPlan: async () => plan(), clock, log, worker: undefined });
  const planner = createPlanner({ store, queue, clock, log, plan });
  await planner.step(); // a worker may begin from now on
  return {
    store: source.store,
    passOver: source.passOver,
    runs: [planner.run, source.run],
    async close() {
      await source.release();
      await queue.close();
    },
  };
}
