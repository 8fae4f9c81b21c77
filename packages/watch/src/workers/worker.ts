import { ConfigError } from '../config/config-error.ts';
import type { WatchConfig } from '../config/read-config.ts';
import { createSecretReader } from '../config/secret.ts';
import { nameOfStore } from '../config/store-place.ts';
import { askEntry } from '../cycle/ask.ts';
import { systemClock } from '../cycle/clock.ts';
import { Cycle } from '../cycle/cycle.ts';
import { hasGlobalAddress } from '../cycle/own-addresses.ts';
import type { Log } from '../log.ts';
import { type ChooseReceivers, createChooser } from '../notices/choose.ts';
import { openPostgresAt } from '../store/open.ts';
import type { PostgresStore } from '../store/postgres.ts';
import { toStoreError } from '../store/postgres-errors.ts';
import { StoreError } from '../store/store-error.ts';
import { type Plan, readPlan } from './plan.ts';
import { openQueue } from './queue.ts';
import { createShardSource } from './shard-source.ts';

export interface WorkerHost {
  readonly log: Log;
  readonly version: string;
  readonly stop: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Asks what a planner on another machine puts into the queue, until it is stopped. It needs the store, and neither a pins file nor receivers.
 *
 * @throws (as a rejection) StoreError, ConfigError
 */
export async function watchAsWorker(config: WatchConfig, { log, version, stop, env }: WorkerHost): Promise<void> {
  const { store: place, name, folder, concurrency } = config;
  if (!('postgres' in place)) {
    throw new ConfigError('--worker shares a store with a watcher on another machine: --store postgres://…');
  }
  const store = await openPostgresAt(place.postgres, { watches: false, readSecret: createSecretReader(folder, env) });
  try {
    const plan = await createPlanReader(store, nameOfStore(place));
    const queue = await openQueue(store.pool, { plans: false, log });
    const source = createShardSource({ store, queue, readPlan: plan.read, clock: systemClock, log, worker: name });
    const cycle = new Cycle({
      ...{ store: source.store, log, version, clock: systemClock, concurrency, ask: askEntry },
      hasFamily: hasGlobalAddress,
      onFailed: source.passOver,
      source: { look: async () => ({ what: 'same' }) },
      defaults: { intervalMs: undefined, expiresWithin: undefined },
      keepDays: { transitions: 0, days: 0 }, // the planner keeps house
      poke: () => undefined, // and tells the receivers
      ...{ chooseReceivers: plan.chooseReceivers, rotating: plan.rotating },
      // What the planner says may change while this runs.
      get pinsFile() {
        return plan.now.pinsFile;
      },
      get hysteresis() {
        return plan.now.hysteresis;
      },
      get timeoutMs() {
        return plan.now.timeoutMs;
      },
      get retries() {
        return plan.now.retries;
      },
      get recheckMs() {
        return plan.now.recheckMs;
      },
    });
    await cycle.begin();
    log('worker-started', { store: nameOfStore(place), worker: name });
    const end = new AbortController();
    const both = AbortSignal.any([stop, end.signal]);
    const renewing = source.run(both);
    try {
      await cycle.run(both);
    } finally {
      end.abort();
      await renewing;
      await source.release();
      await queue.close();
    }
    log('stopped');
  } finally {
    await store.close();
  }
}

/** What the planner says: read again with each shard. */
interface PlanReader {
  readonly now: Plan;
  readonly read: () => Promise<Plan>;
  readonly chooseReceivers: ChooseReceivers;
  readonly rotating: () => ReadonlySet<string>;
}

async function createPlanReader(store: PostgresStore, name: string): Promise<PlanReader> {
  let text: string | undefined;
  let plan: Plan | undefined;
  let rotating: ReadonlySet<string> = new Set();
  const read = async (): Promise<Plan> => {
    const found = await store.readPlan();
    if (found === undefined) {
      throw new StoreError(
        `${name}: nobody plans with this store yet; start certpin watch without --worker first`,
        false,
      );
    }
    if (found !== text || plan === undefined) {
      try {
        plan = readPlan(found);
      } catch (error) {
        throw toStoreError(error, name);
      }
      text = found;
      rotating = new Set(plan.rotating);
    }
    return plan;
  };
  const first = await read();
  return {
    read,
    get now() {
      return plan ?? first;
    },
    chooseReceivers: (...about) => createChooser((plan ?? first).receivers)(...about),
    rotating: () => rotating,
  };
}
