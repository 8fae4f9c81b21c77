import { isCaughtUp } from '../cycle/caught-up.ts';
import type { Clock } from '../cycle/clock.ts';
import type { Log } from '../log.ts';
import type { PostgresStore } from '../store/postgres.ts';
import { StoreError } from '../store/store-error.ts';
import type { Plan } from './plan.ts';
import type { ShardQueue } from './queue.ts';

export interface PlannerOptions {
  readonly store: PostgresStore;
  readonly queue: Pick<ShardQueue, 'put'>;
  readonly clock: Clock;
  readonly log: Log;
  /** As it is now. */
  readonly plan: () => Plan;
}

/** Puts the shards that are due into the queue. */
export interface Planner {
  /** Once: what the workers have to know, and the shards. */
  readonly step: () => Promise<void>;
  /** Again and again, until it is stopped. */
  readonly run: (stop: AbortSignal) => Promise<void>;
}

const TICK_MS = 5_000;

export function createPlanner({ store, queue, clock, log, plan }: PlannerOptions): Planner {
  let published = '';
  const step = async (): Promise<void> => {
    const now = plan();
    const text = JSON.stringify(now);
    if (text !== published) await store.publishPlan(text);
    published = text;
    const at = clock.now();
    const next = await store.nextDueAt(); // who has lost the lock finds it out here, and puts nothing
    await queue.put(await store.dueShards(at, now.shardSize));
    if (await isCaughtUp(store, at, next)) await store.recordWatcher({ caughtUpAt: at });
  };
  return {
    step,
    async run(stop) {
      while (!stop.aborted) {
        try {
          await step();
        } catch (error) {
          if (!(error instanceof StoreError) || !error.mayPass) throw error;
          log('planner-failed', { error: error.message });
        }
        await clock.sleep(TICK_MS, stop);
      }
    },
  };
}
