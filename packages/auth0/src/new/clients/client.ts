import type { Frame } from '../frame.ts';

/** What a script does with its client, and so has functions for. */
export type Need =
  | 'select'
  | 'change'
  | 'find'
  | 'insert'
  | 'update'
  | 'remove'
  | 'request'
  | 'findPerson'
  | 'findRoles';

/** The pieces of a script that belong to one client. */
export interface ClientPieces {
  /** What people call it. */
  readonly title: string;
  /** The names of the settings; the last one holds the pins. */
  readonly settings: readonly string[];
  /** What the driver is required as: `const { Pool } = `; undefined: it is part of Node. */
  readonly binding: string | undefined;
  /** The error that says what happened, of the one that the driver gave: an expression. Default: its `cause`, where it has no code. */
  readonly reported?: string;
  /** The functions `select`, `change` or `request`, and the one that makes the pool or the HTTP client. */
  readonly functions: (frame: Frame, needs: readonly Need[]) => readonly string[];
}

/** The pieces of a database's driver. */
export interface SqlPieces extends ClientPieces {
  /** A statement with `?` for its values, in the driver's own spelling. */
  readonly statement: (sql: string) => string;
  /** The name of a table or a column as it stands in a statement; what is no plain word in lower case is quoted. */
  readonly identifier: (name: string) => string;
  /** Whether `error` is another one than that of a unique index which refuses a row: an expression. */
  readonly isOtherError: string;
}

/** The pieces of a driver whose database keeps documents. */
export interface DocumentPieces extends ClientPieces {
  readonly isOtherError: string;
  /** The field that the database itself fills with an ObjectId. */
  readonly ownId: string;
}

/** The pieces of a client that asks a directory. */
export interface DirectoryPieces extends ClientPieces {
  /** What stands in the setting of its URL, for the head of the script. */
  readonly url: string;
  /** What the directory has to keep, for the head of the script. */
  readonly keeps: Readonly<Record<'findPerson' | 'findRoles', string>>;
}

export type AnyPieces = ClientPieces | SqlPieces | DocumentPieces | DirectoryPieces;
