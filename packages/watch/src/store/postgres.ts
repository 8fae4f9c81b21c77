import type { Pool, PoolConfig } from 'pg';
import { type Database, loadPg, openDatabase } from './postgres-database.ts';
import { toStoreError } from './postgres-errors.ts';
import { lockDatabase, type WatchLock } from './postgres-lock.ts';
import { createOutboxStore } from './postgres-outbox.ts';
import { refuseOthersSchemas } from './postgres-owner.ts';
import { createPageStore } from './postgres-pages.ts';
import { migrations } from './postgres-schema.ts';
import { createShardStore, type ShardStore } from './postgres-shards.ts';
import { createTargetStore } from './postgres-targets.ts';
import type { Store } from './store.ts';
import { StoreError } from './store-error.ts';

const DAY_MS = 86_400_000;

export interface PostgresOptions {
  /** Refuses a second watcher, and makes the tables. A command that only reads, or mutes, does without. */
  readonly watches: boolean;
  /** As messages name it. */
  readonly name: string;
  readonly now?: () => number;
}

/** The store, and what several machines need of it beside. */
export interface PostgresStore extends Store, ShardStore {
  /** For the queue, which speaks to the database in words of its own. */
  readonly pool: Pool;
}

/**
 * The store in a database of PostgreSQL, in a schema of its own.
 *
 * @throws StoreError, and so does every method
 */
export async function openPostgresStore(
  config: PoolConfig,
  { watches, name, now = Date.now }: PostgresOptions,
): Promise<PostgresStore> {
  const pg = await loadPg();
  const database = openDatabase(pg, config);
  let lock: WatchLock | undefined;
  try {
    lock = watches ? await lockDatabase(pg.Client, config, name) : undefined;
    await migrate(database, name, watches);
  } catch (error) {
    await lock?.release();
    await database.close();
    throw toStoreError(error, name);
  }
  const targets = createTargetStore(database, now);
  const store: Store = {
    ...targets,
    ...createOutboxStore(database),
    ...createPageStore(database, now),
    // With one of these, each round of a watcher begins.
    async importTargets(...given) {
      await lock?.ensure();
      return targets.importTargets(...given);
    },
    async due(...asked) {
      await lock?.ensure();
      return targets.due(...asked);
    },
    async nextDueAt() {
      await lock?.ensure();
      return targets.nextDueAt();
    },
    prune: (before) => prune(database, before),
    async close() {
      await lock?.release();
      await database.close();
    },
  };
  return { ...withWords({ ...store, ...createShardStore(database, now) }, name), pool: database.pool };
}

/** Makes the tables, or brings them up to date; who does not watch finds them as they are. */
async function migrate(database: Database, name: string, watches: boolean): Promise<void> {
  await refuseOthersSchemas(database, name);
  const { rows } = await database.query("SELECT to_regclass('certpin.version') IS NOT NULL AS known");
  const isKnown = Boolean(rows[0]?.known);
  if (!isKnown && !watches) throw new StoreError(`${name}: no watcher has run with this store`, false);
  const version = isKnown ? await versionOf(database) : 0;
  if (version > migrations.length) throw newer(name);
  if (version === migrations.length) return;
  if (!watches) throw new StoreError(`${name}: an older certpin has made this store; restart the watcher`, false);
  await database.inOneStep(async (step) => {
    await step.query('CREATE SCHEMA IF NOT EXISTS certpin');
    await step.query('CREATE SCHEMA IF NOT EXISTS certpin_queue');
    await refuseOthersSchemas(step, name); // somebody may have made them a moment ago
    await step.query('CREATE TABLE IF NOT EXISTS certpin.version (steps int NOT NULL)');
    const seen = await versionOf(step);
    for (const sql of migrations.slice(seen)) await step.query(sql);
    await step.query('DELETE FROM certpin.version');
    await step.query('INSERT INTO certpin.version VALUES (?)', migrations.length);
  });
}

async function versionOf(queries: Pick<Database, 'query'>): Promise<number> {
  return Number((await queries.query('SELECT steps FROM certpin.version')).rows[0]?.steps ?? 0);
}

function newer(name: string): StoreError {
  return new StoreError(`${name}: a newer certpin has made this store; update certpin, or name another store`, false);
}

async function prune(database: Database, before: Parameters<Store['prune']>[0]): Promise<void> {
  const { transitions, days } = before;
  await database.inOneStep(async (step) => {
    // What a receiver still has to hear stays, however old it is.
    await step.query(
      `DELETE FROM certpin.transition t WHERE t.at < ?
         AND NOT EXISTS (SELECT FROM certpin.outbox o WHERE o.number = t.number)
         AND NOT EXISTS (SELECT FROM certpin.heard h WHERE h.number = t.number)
         AND NOT EXISTS (SELECT FROM certpin.message_row r JOIN certpin.message m ON m.number = r.message
           WHERE r.number = t.number AND m.done_at IS NULL)`,
      transitions,
    );
    await step.query(
      'DELETE FROM certpin.message_row WHERE message IN (SELECT number FROM certpin.message WHERE done_at < ?)',
      transitions,
    );
    await step.query('DELETE FROM certpin.message WHERE done_at < ?', transitions);
    await step.query('DELETE FROM certpin.day WHERE day < ?', Math.floor(days / DAY_MS));
    await step.query('DELETE FROM certpin.mute WHERE until < ?', transitions);
  });
}

/** Each method throws a StoreError in place of what the driver throws. */
function withWords<Methods extends object>(store: Methods, name: string): Methods {
  const wrapped = Object.entries(store).map(([method, own]) => {
    if (method === 'eachTarget') return [method, own];
    const call = async (...values: unknown[]): Promise<unknown> => {
      try {
        return await (own as (...values: unknown[]) => Promise<unknown>)(...values);
      } catch (error) {
        throw toStoreError(error, name);
      }
    };
    return [method, call];
  });
  return Object.fromEntries(wrapped) as Methods;
}
