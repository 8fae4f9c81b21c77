import { migrations } from './schema.ts';
import { type Database, loadSqlite } from './sqlite-module.ts';
import { StoreError } from './store-error.ts';

/** Another process, `certpin watch mute`, writes for some milliseconds. */
const BUSY_MS = 5_000;

/**
 * Opens the file, makes it where there is none, and brings its tables up to date.
 *
 * @throws StoreError
 */
export function openFile(path: string): Database {
  return attempt(path, () => {
    const { DatabaseSync } = loadSqlite();
    const database = new DatabaseSync(path);
    try {
      database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
      // A transition that was written down is there after a power cut too.
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      migrate(database, path);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function migrate(database: Database, path: string): void {
  const version = (): number => Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (version() === migrations.length) return;
  inOneStep(database, () => {
    const seen = version(); // another process may have done it meanwhile
    if (seen > migrations.length) {
      throw new StoreError(`${path}: a newer certpin has made this file; update certpin, or name another file`, false);
    }
    for (const step of migrations.slice(seen)) database.exec(step);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

/** All of it or nothing, for others and after a kill. */
export function inOneStep<Result>(database: Database, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk has rolled it back already.
    try {
      database.exec('ROLLBACK');
    } catch {}
    throw error;
  }
}

/**
 * The right to watch with this file: a lock that the system takes away from a process that ends, however it ends.
 *
 * @returns gives it back
 * @throws StoreError where another watcher has it
 */
export function lockFile(path: string): () => void {
  return attempt(path, () => {
    const { DatabaseSync } = loadSqlite();
    const database = new DatabaseSync(`${path}.lock`);
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
      return () => database.close();
    } catch (error) {
      database.close();
      if ((error as { errcode?: number }).errcode !== BUSY) throw error;
      throw new StoreError(`${path}: another certpin watch uses this file; end that one, or name another file`, false);
    }
  });
}

const BUSY = 5;

/** https://sqlite.org/rescode.html */
const words: Readonly<Record<number, readonly [words: string, mayPass: boolean]>> = {
  5: ['another process is writing it', true],
  8: ['the file, or its folder, may not be written', true],
  10: ['the disk cannot be read or written', true],
  11: ['the file is damaged: put it aside, and certpin makes a new one', false],
  13: ['no space is left on the disk', true],
  14: ['the file cannot be opened: its folder is not there, or may not be written', false],
  26: ['it is no file of certpin watch', false],
};

/** @throws StoreError in place of what SQLite throws */
export function attempt<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    if (errcode === undefined) throw error;
    const [said, mayPass] = words[errcode & 0xff] ?? [(error as Error).message, false];
    throw new StoreError(`${path}: ${said}`, mayPass, { cause: error });
  }
}
