import type { Row, Value } from './rows.ts';

/** As much of `node:sqlite` as is used: the types of Node 18, which the other packages are compiled with, do not have it. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Statement {
  run(...values: Value[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  get(...values: Value[]): Row | undefined;
  all(...values: Value[]): Row[];
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string) => Database;
}

/**
 * Node 22 warns of an experiment when the module is loaded; it has been the same since, and Node 24 does not warn. The warning would stand in
 * the log of every watcher. The module is loaded in one tick, so no other warning is lost.
 */
export function loadSqlite(): SqliteModule {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    const { getBuiltinModule } = process as unknown as { getBuiltinModule: (name: string) => SqliteModule };
    return getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
