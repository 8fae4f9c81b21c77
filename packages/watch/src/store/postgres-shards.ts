import type { Database } from './postgres-database.ts';
import { TARGET_COLUMNS, toDue, withMute } from './rows.ts';
import type { DueTarget } from './store.ts';

/** For several machines: targets by their shards, which are neighbours in the order in which they came into the store. */
export interface ShardStore {
  /** The shards in which a target is due. */
  dueShards(now: number, size: number): Promise<readonly number[]>;
  /**
   * The targets of a shard that are due, and those that nearly are: nine tenths of their time are over. So a shard that was asked together is
   * asked together again.
   */
  dueOfShard(shard: number, size: number, now: number): Promise<readonly DueTarget[]>;
  /** Files and unix sockets that are due: they are in no shard, because a worker on another machine would ask another one. */
  dueHere(now: number, limit: number, without: ReadonlySet<string>): Promise<readonly DueTarget[]>;
  /** What the planner tells the workers. */
  publishPlan(plan: string): Promise<void>;
  /** undefined: there was no planner yet. */
  readPlan(): Promise<string | undefined>;
}

export function createShardStore(database: Database, now: () => number): ShardStore {
  return {
    async dueShards(at, size) {
      const { rows } = await database.query(
        'SELECT DISTINCT number / ?::bigint AS shard FROM certpin.target WHERE NOT is_here AND next_check_at <= ? ORDER BY 1',
        ...[size, at],
      );
      return rows.map(({ shard }) => Number(shard));
    },
    async dueOfShard(shard, size, at) {
      const { rows } = await database.query(
        `SELECT ${TARGET_COLUMNS} FROM ${withMute('certpin.')}
         WHERE NOT t.is_here AND t.number >= ? AND t.number < ? AND t.next_check_at - (t.next_check_at - coalesce(t.checked_at, t.next_check_at)) / 10 <= ?
         ORDER BY t.next_check_at, t.number`,
        ...[now(), shard * size, (shard + 1) * size, at],
      );
      return rows.map(toDue);
    },
    async dueHere(at, limit, without) {
      const { rows } = await database.query(
        `SELECT ${TARGET_COLUMNS} FROM ${withMute('certpin.')}
         WHERE t.is_here AND t.next_check_at <= ? AND t.key <> ALL(?::text[]) ORDER BY t.next_check_at, t.number LIMIT ?`,
        ...[now(), at, [...without], limit],
      );
      return rows.map(toDue);
    },
    async publishPlan(plan) {
      await database.query(
        'INSERT INTO certpin.plan (value) VALUES (?) ON CONFLICT (one) DO UPDATE SET value = excluded.value',
        plan,
      );
    },
    async readPlan() {
      const { rows } = await database.query('SELECT value FROM certpin.plan');
      return rows[0]?.value as string | undefined;
    },
  };
}
