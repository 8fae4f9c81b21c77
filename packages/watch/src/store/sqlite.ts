import { attempt, inOneStep, lockFile, openFile } from './sqlite-file.ts';
import type { Database } from './sqlite-module.ts';
import { createOutboxStore } from './sqlite-outbox.ts';
import { createPageStore } from './sqlite-pages.ts';
import { createTargetStore } from './sqlite-targets.ts';
import type { Store } from './store.ts';

const DAY_MS = 86_400_000;

export interface SqliteOptions {
  /** Refuses a second watcher. A command that only reads, or mutes, does without. */
  readonly watches: boolean;
  readonly now?: () => number;
}

/**
 * The store in one file of SQLite.
 *
 * @throws StoreError, and so does every method: where the disk is full, what was to be written is not, and the file stays as it was
 */
export function openSqliteStore(path: string, { watches, now = Date.now }: SqliteOptions): Store {
  const unlock = watches ? lockFile(path) : () => undefined;
  let database: Database;
  try {
    database = openFile(path);
  } catch (error) {
    unlock();
    throw error;
  }
  const store: Store = {
    ...createTargetStore(database, now),
    ...createOutboxStore(database),
    ...createPageStore(database, now),
    async prune(before) {
      inOneStep(database, () => {
        const { transitions, days } = before;
        // What a receiver still has to hear stays, however old it is.
        database
          .prepare(
            `DELETE FROM transition WHERE at < ? AND number NOT IN (SELECT number FROM outbox)
               AND number NOT IN (SELECT number FROM heard)
               AND number NOT IN (SELECT r.number FROM message_row r JOIN message m ON m.number = r.message WHERE m.done_at IS NULL)`,
          )
          .run(transitions);
        database
          .prepare('DELETE FROM message_row WHERE message IN (SELECT number FROM message WHERE done_at < ?)')
          .run(transitions);
        database.prepare('DELETE FROM message WHERE done_at < ?').run(transitions);
        database.prepare('DELETE FROM day WHERE day < ?').run(Math.floor(days / DAY_MS));
        database.prepare('DELETE FROM mute WHERE until < ?').run(transitions);
      });
    },
    async close() {
      database.close();
      unlock();
    },
  };
  return withWords(store, path);
}

/** Each method throws a StoreError in place of what SQLite throws. */
function withWords(store: Store, path: string): Store {
  const wrapped = Object.entries(store).map(([name, method]) => {
    if (name === 'eachTarget') return [name, method];
    const call = async (...values: unknown[]): Promise<unknown> => {
      try {
        return await (method as (...values: unknown[]) => Promise<unknown>)(...values);
      } catch (error) {
        return attempt(path, () => {
          throw error;
        });
      }
    };
    return [name, call];
  });
  return Object.fromEntries(wrapped) as Store;
}
