import type { Need } from '../clients/client.ts';
import type { DatabaseKey, UserColumn } from '../options.ts';

/** What the flow of a script is written with. */
export interface SqlWords {
  /** A statement with `?` for its values, quoted, in the driver's spelling. */
  readonly sql: (statement: string) => string;
  /** `require('bcryptjs@2.4.3')` */
  readonly bcrypt: string;
  readonly duplicateCode: string;
  /** The table, and a column, in the driver's spelling. */
  readonly table: string;
  readonly column: (name: UserColumn) => string;
  readonly has: (name: UserColumn) => boolean;
  /** What a profile is made of: `id, mail AS email, …` */
  readonly profileColumns: string;
}

/** A custom database script: one file each. */
export interface DatabaseTemplate {
  readonly key: DatabaseKey;
  /** As Auth0's documentation names the function. */
  readonly name: string;
  /** Before `context` and `callback`. */
  readonly parameters: readonly string[];
  /** Where they are other ones beside `context`. */
  readonly contextParameters?: readonly string[];
  /** What a reader has to know before the script is used. */
  readonly caveat?: (context: boolean) => string | undefined;
  /** Statements at the top: constants, parameters. */
  readonly top?: (words: { readonly context: boolean; readonly isSql: boolean }) => string;
  /** What an API has to answer, in words. */
  readonly api: string;
  /** What it does with a `user_id`: it makes one, in a profile, or finds the id of the table in one. */
  readonly userId?: 'made' | 'taken apart';
  readonly sqlNeeds: readonly Need[];
  readonly sql: (words: SqlWords) => string;
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
