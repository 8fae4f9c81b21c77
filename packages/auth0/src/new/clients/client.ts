import type { Frame } from '../frame.ts';

/** What a script does with its client, and so has functions for. */
export type Need = 'select' | 'change' | 'request';

/** The pieces of a script that belong to one client. */
export interface ClientPieces {
  /** What people call it. */
  readonly title: string;
  /** The names of the settings; the last one holds the pins. */
  readonly settings: readonly string[];
  /** What the driver is required as: `const { Pool } = `; undefined: it is part of Node. */
  readonly binding: string | undefined;
  /** The functions `select`, `change` or `request`, and the one that makes the pool or the HTTP client. */
  readonly functions: (frame: Frame, needs: readonly Need[]) => readonly string[];
}

/** The pieces of a database's driver. */
export interface SqlPieces extends ClientPieces {
  /** A statement with `?` for its values, in the driver's own spelling. */
  readonly statement: (sql: string) => string;
  /** The name of a table or a column as it stands in a statement; what is no plain word in lower case is quoted. */
  readonly identifier: (name: string) => string;
  /** The code of the error where a unique index refuses a row. */
  readonly duplicateCode: string;
}
