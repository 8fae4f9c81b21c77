import type { Frame } from '../frame.ts';

/** The tasks for which a script needs its client, and has functions. */
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
  /** The names of the settings. The last one holds the pins. */
  readonly settings: readonly string[];
  /** How the driver is required: `const { Pool } = `. undefined: it is part of Node. */
  readonly binding: string | undefined;
  /** An expression for the error that says what happened, from the driver's error. Default: its `cause`, if it has no code. */
  readonly reported?: string;
  /** The functions `select`, `change` or `request`, and the one that makes the pool or the HTTP client. */
  readonly functions: (frame: Frame, needs: readonly Need[]) => readonly string[];
}

/** The pieces of a database's driver. */
export interface SqlPieces extends ClientPieces {
  /** A statement with `?` for its values, in the driver's own spelling. */
  readonly statement: (sql: string) => string;
  /** The name of a table or a column as it is written in a statement. Names that are not plain lower-case words are quoted. */
  readonly identifier: (name: string) => string;
  /** An expression: whether `error` is something other than a unique index that refuses a row. */
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
  /** The content of the setting for its URL, for the head of the script. */
  readonly url: string;
  /** What the directory must keep, for the head of the script. */
  readonly keeps: Readonly<Record<'findPerson' | 'findRoles', string>>;
}

export type AnyPieces = ClientPieces | SqlPieces | DocumentPieces | DirectoryPieces;
