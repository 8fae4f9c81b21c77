import type { Clock } from '../cycle/clock.ts';
import type { Log } from '../log.ts';
import type { PostgresStore } from '../store/postgres.ts';
import type { DueTarget, Store } from '../store/store.ts';
import type { WatcherRow } from '../types.ts';
import type { Plan } from './plan.ts';
import type { Claim, ShardQueue } from './queue.ts';

export interface ShardSourceOptions {
  readonly store: PostgresStore;
  readonly queue: ShardQueue;
  /** What the planner says now. */
  readonly readPlan: () => Promise<Plan>;
  readonly clock: Clock;
  readonly log: Log;
  /** undefined: the planner itself. */
  readonly worker: string | undefined;
}

/** The store of a cycle that asks what the queue gives it. */
export interface ShardSource {
  readonly store: Store;
  /** A target that cannot be asked at all: its shard does not wait for it. */
  readonly passOver: (key: string) => void;
  /** Says that it lives, and ends shards of which nothing is left, until it is stopped. */
  readonly run: (stop: AbortSignal) => Promise<void>;
  /** Gives back what was not written down, when the cycle has ended. */
  readonly release: () => Promise<void>;
}

interface Held {
  readonly claim: Claim;
  /** Those that were not written down yet, by their keys. */
  readonly left: Map<string, DueTarget>;
}

/** How often a worker says that it lives. */
const RENEW_MS = 5_000;
/** When an empty queue is asked again. */
const IDLE_MS = 1_000;
/** When a planner that had no more targets of its own machine looks for some again. */
const HERE_MS = 1_000;

/**
 * A cycle asks its store for what is due, and writes down what it has found. In between stands this: what is due comes from shards, and a shard
 * is done when all of its targets are written down. A worker that is cut off from the network gives its shards to others.
 */
export function createShardSource({ store, queue, readPlan, clock, log, worker }: ShardSourceOptions): ShardSource {
  const held = new Set<Held>();
  let size = 0;
  let idleUntil = 0;
  let hereUntil = 0;
  let isCutOff = false;
  let taking: Promise<void> | undefined;

  const letGo = async (): Promise<void> => {
    const all = [...held];
    held.clear();
    await Promise.all(all.map(({ claim }) => queue.giveBack(claim)));
  };
  const end = async (one: Held): Promise<void> => {
    if (!held.delete(one)) return; // it was ended, or given back, meanwhile
    await queue.done(one.claim);
    log('shard-done', { shard: one.claim.shard });
  };
  const takeOne = async (): Promise<void> => {
    const claim = await queue.take();
    if (claim === undefined) {
      idleUntil = clock.elapsed() + IDLE_MS;
      return;
    }
    size = (await readPlan()).shardSize;
    const targets = await store.dueOfShard(claim.shard, size, clock.now());
    const one: Held = { claim, left: new Map(targets.map((due) => [due.row.key, due])) };
    // This process stood still for so long that its shard was given away, and given back to it.
    for (const old of [...held]) if (old.claim.shard === claim.shard) held.delete(old);
    held.add(one);
    if (targets.length === 0) await end(one);
  };
  const take = (): Promise<void> => {
    taking ??= takeOne().finally(() => {
      taking = undefined;
    });
    return taking;
  };
  /** Each target once: shards are not cut in the same way before and after a new plan. */
  const inHand = (without: ReadonlySet<string>): DueTarget[] =>
    [...new Map([...held].flatMap(({ left }) => [...left])).values()].filter(({ row }) => !without.has(row.key));

  /** Files and unix sockets: the planner alone has them. */
  const takeHere = async (at: number, limit: number, without: ReadonlySet<string>): Promise<readonly DueTarget[]> => {
    if (worker !== undefined || clock.elapsed() < hereUntil) return [];
    const here = await store.dueHere(at, limit, without);
    if (here.length < limit) hereUntil = clock.elapsed() + HERE_MS;
    return here;
  };

  /** What a worker says of itself is no word of the planner's. */
  const own = (change: Partial<WatcherRow>): Partial<WatcherRow> => {
    const { caughtUpAt: _at, passTargets: _targets, passSeconds: _seconds, ...others } = change;
    return worker === undefined ? others : {};
  };

  const source: Store = {
    ...store,
    async due(at, limit, without) {
      const here = await takeHere(at, limit, without);
      if (here.length === limit) return here;
      let found = inHand(without);
      const mayTake = (): boolean => !isCutOff && clock.elapsed() >= idleUntil;
      while (here.length + found.length === 0 && mayTake()) {
        await take();
        found = inHand(without);
      }
      // Before the last one is used up, the next shard is taken.
      if (found.length < size / 2 && mayTake()) void take().catch(() => undefined); // the next one says why
      return [...here, ...found].slice(0, limit);
    },
    /** It is the planner who tells whether anything is late. */
    nextDueAt: async () => null,
    async record(checks) {
      const written = await store.record(checks);
      for (const one of [...held]) {
        for (const { key } of checks) one.left.delete(key);
        if (one.left.size === 0) await end(one);
      }
      return written;
    },
    async recordWatcher(change, transitions = []) {
      const { networkLostAt } = change;
      await store.recordWatcher(
        own(change),
        transitions.map(({ transition, receivers }) => {
          const reason = worker === undefined ? transition.reason : `worker ${worker}: ${transition.reason}`;
          return { transition: { ...transition, reason }, receivers };
        }),
      );
      if (networkLostAt === undefined) return;
      isCutOff = networkLostAt !== null;
      if (isCutOff) await letGo();
    },
    async watcher() {
      const known = await store.watcher();
      return worker === undefined ? known : { ...known, networkLostAt: null, fileError: null };
    },
    async clampDue(at) {
      if (worker === undefined) await store.clampDue(at);
    },
    async prune(before) {
      if (worker === undefined) await store.prune(before);
    },
  };

  return {
    store: source,
    passOver(key) {
      for (const { left } of held) left.delete(key);
    },
    release: letGo,
    async run(stop) {
      for (;;) {
        await clock.sleep(RENEW_MS, stop);
        if (stop.aborted) return;
        try {
          for (const one of [...held]) if (one.left.size === 0) await end(one);
          const lost = await queue.renew([...held].map(({ claim }) => claim));
          for (const one of [...held]) if (lost.includes(one.claim)) held.delete(one);
        } catch (error) {
          log('queue-failed', { error: (error as Error).message });
        }
      }
    },
  };
}
