import type { Pool } from 'pg';
import type { Log } from '../log.ts';
import { toStoreError } from '../store/postgres-errors.ts';
import { StoreError } from '../store/store-error.ts';

/** A shard that is this worker's, as long as it says that it lives. */
export interface Claim {
  readonly id: string;
  /** Which attempt it is: what an earlier one says of the shard counts no more. */
  readonly retryCount: number;
  readonly shard: number;
}

/** The shards that wait for a worker. */
export interface ShardQueue {
  /** Puts shards in. One that waits, or is being asked, is not put in again: a slow shard swallows its next time. */
  put(shards: readonly number[]): Promise<void>;
  take(): Promise<Claim | undefined>;
  /** The worker lives. @returns those that are its no more */
  renew(claims: readonly Claim[]): Promise<readonly Claim[]>;
  done(claim: Claim): Promise<void>;
  /** Another worker, or this one, takes it again at once. */
  giveBack(claim: Claim): Promise<void>;
  close(): Promise<void>;
}

const QUEUE = 'check';
const SCHEMA = 'certpin_queue';
/** A shard of 500 servers that all time out takes some minutes. */
const EXPIRE_SECONDS = 3_600;

interface QueueOptions {
  /** Whether it makes the tables, and watches over the workers. */
  readonly plans: boolean;
  readonly log: Log;
  /** For tests. */
  readonly patience?: Patience;
}

/** When a worker that says nothing is taken for dead, and how often that is looked at. */
interface Patience {
  readonly heartbeatSeconds: number;
  readonly monitorSeconds: number;
}

/** The shards of a worker that was killed go on elsewhere within about a minute. */
const usual: Patience = { heartbeatSeconds: 40, monitorSeconds: 15 };

/**
 * Opens the queue, by pg-boss, on the connections of the store.
 *
 * @throws (as a rejection) StoreError where the package is missing
 */
export async function openQueue(pool: Pool, { plans, log, patience = usual }: QueueOptions): Promise<ShardQueue> {
  const { PgBoss } = await loadBoss();
  const { heartbeatSeconds, monitorSeconds } = patience;
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pool.query(text, values) },
    schema: SCHEMA,
    ...{ migrate: plans, createSchema: plans, supervise: plans, schedule: false },
    ...{ superviseIntervalSeconds: monitorSeconds, monitorIntervalSeconds: monitorSeconds },
    // It would look for jobs that wait for other jobs every five seconds. Shards do not wait for each other.
    flowIntervalSeconds: 3_600,
  });
  boss.on('error', (error: Error) => log('queue-failed', { error: error.message }));
  await boss.start();
  if (plans) {
    await boss.createQueue(QUEUE, {
      policy: 'exclusive',
      ...{ heartbeatSeconds, expireInSeconds: EXPIRE_SECONDS },
      ...{ retryLimit: 3, retryDelay: 0, deleteAfterSeconds: 600 },
    });
  }
  return withWords({
    async put(shards) {
      if (shards.length === 0) return;
      await boss.insert(
        QUEUE,
        shards.map((shard) => ({ singletonKey: String(shard), data: { shard } })),
      );
    },
    async take() {
      const [job] = await boss.fetch<{ shard: number }>(QUEUE, { batchSize: 1, includeMetadata: true });
      return job === undefined ? undefined : { id: job.id, retryCount: job.retryCount, shard: job.data.shard };
    },
    async renew(claims) {
      if (claims.length === 0) return [];
      const { settled } = (await boss.touch(QUEUE, [...claims])) as { settled?: readonly string[] };
      return settled === undefined ? [] : claims.filter(({ id }) => !settled.includes(id));
    },
    async done(claim) {
      await boss.complete(QUEUE, claim);
    },
    async giveBack(claim) {
      await boss.fail(QUEUE, claim);
    },
    close: () => boss.stop({ graceful: false, close: false }),
  });
}

/** Each method throws a StoreError in place of what the driver throws. */
function withWords(queue: ShardQueue): ShardQueue {
  const wrapped = Object.entries(queue).map(([name, method]) => {
    const call = async (...values: unknown[]): Promise<unknown> => {
      try {
        return await (method as (...values: unknown[]) => Promise<unknown>)(...values);
      } catch (error) {
        throw toStoreError(error, 'the queue of the store');
      }
    };
    return [name, call];
  });
  return Object.fromEntries(wrapped) as unknown as ShardQueue;
}

async function loadBoss(): Promise<typeof import('pg-boss')> {
  try {
    return await import('pg-boss');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new StoreError('a store on PostgreSQL needs the package pg-boss beside certpin: npm install pg-boss', false, {
      cause: error,
    });
  }
}
