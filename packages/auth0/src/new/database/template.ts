import type { Need } from '../clients/client.ts';
import type { DatabaseKey, UserColumn } from '../options.ts';

/** What the flow of a script is written with. */
export interface SqlWords {
  /** A statement with `?` for its values, quoted, in the driver's spelling. */
  readonly sql: (statement: string) => string;
  /** `require('bcryptjs@2.4.3')` */
  readonly bcrypt: string;
  /** An expression. */
  readonly isOtherError: string;
  /** The table, and a column, in the driver's spelling. */
  readonly table: string;
  readonly column: (name: UserColumn) => string;
  readonly has: (name: UserColumn) => boolean;
  /** What a profile is made of: `id, mail AS email, …` */
  readonly profileColumns: string;
}

/** As {@link SqlWords}, where the users are documents. */
export interface DocumentWords extends Pick<SqlWords, 'bcrypt' | 'isOtherError' | 'has'> {
  /** A field of an object: `email`, `mail: email`, `password: hash`. */
  readonly field: (name: UserColumn, value: string) => string;
  /** `user.email` */
  readonly of: (object: string, name: UserColumn) => string;
  /** The value by which a user is found again. It is an ObjectId if the database fills the field itself. */
  readonly idOf: (id: string) => string;
}

/** A custom database script: one file each. */
export interface DatabaseTemplate {
  readonly key: DatabaseKey;
  /** As Auth0's documentation names the function. */
  readonly name: string;
  /** Before `context` and `callback`. */
  readonly parameters: readonly string[];
  /** Present if they differ when there is a `context`. */
  readonly contextParameters?: readonly string[];
  /** What a reader must know before the script is used. */
  readonly caveat?: (context: boolean) => string | undefined;
  /** Statements at the top: constants, parameters. */
  readonly top?: (words: { readonly context: boolean; readonly isDatabase: boolean }) => string;
  /** What an API has to answer, in words. */
  readonly api: string;
  /** What it does with a `user_id`: it makes one for a profile, or gets the id of the table from one. */
  readonly userId?: 'made' | 'taken apart';
  readonly sqlNeeds: readonly Need[];
  readonly sql: (words: SqlWords) => string;
  readonly documentNeeds: readonly Need[];
  readonly documents: (words: DocumentWords) => string;
  readonly http: string;
}

/** The call of `work`, and the only two calls of `callback`. `success` and `failure` are arrow functions. */
export function settle(work: string, success: string, failure: string): string {
  return `${work}().then(
  ${success},
  ${failure},
);`;
}

export const failed = '(error) => callback(conceal(error))';
