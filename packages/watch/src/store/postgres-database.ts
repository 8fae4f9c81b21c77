import type { Pool, PoolConfig } from 'pg';
import type { Row, Value } from './rows.ts';
import { StoreError } from './store-error.ts';

/** Where queries go: any connection of the pool, or the one of a step. */
export interface Queries {
  /** @param sql with a question mark for each value */
  query(sql: string, ...values: Parameter[]): Promise<Answer>;
}

interface Answer {
  readonly rows: readonly Row[];
  /** Rows that were changed. */
  readonly count: number;
}

type Parameter = Value | readonly Value[];

/** The database, through connections that are opened as they are needed. */
export interface Database extends Queries {
  /**
   * All of it or nothing, for others and after a kill. Where two steps wait for one another, the database ends one, and it is begun again.
   *
   * @param tries 1: for work that cannot be begun again
   */
  inOneStep<Result>(work: (queries: Queries) => Promise<Result>, tries?: number): Promise<Result>;
  /** For what speaks to the database in words of its own. */
  readonly pool: Pool;
  close(): Promise<void>;
}

/** As much of the package as is used. It is an optional peer. */
type Pg = Pick<typeof import('pg'), 'Pool' | 'Client' | 'types'>;

/** @throws StoreError that says what to install */
export async function loadPg(): Promise<Pg> {
  try {
    return (await import('pg')).default;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new StoreError('postgres: needs the packages pg and pg-boss beside certpin: npm install pg pg-boss', false, {
      cause: error,
    });
  }
}

const CONNECTIONS = 6;
const CONNECT_MS = 10_000;
/** A database that has gone without a word is given up after this time. */
const QUERY_MS = 300_000;
const TRIES = 5;

export function openDatabase({ Pool, types }: Pg, config: PoolConfig): Database {
  const pool = new Pool({
    ...config,
    ...{ max: CONNECTIONS, connectionTimeoutMillis: CONNECT_MS, query_timeout: QUERY_MS },
    ...{ keepAlive: true, keepAliveInitialDelayMillis: 30_000, application_name: 'certpin watch' },
    types: { getTypeParser: (oid, format) => (isNumber(oid) ? Number : types.getTypeParser(oid, format)) },
  });
  // An idle connection was lost: the next query opens another one, and says what is wrong.
  pool.on('error', () => undefined);
  const ask = async (connection: Pick<Pool, 'query'>, sql: string, values: Parameter[]): Promise<Answer> => {
    const { rows, rowCount } = await connection.query(numbered(sql), values.map(storable));
    return { rows, count: rowCount ?? 0 };
  };
  const once = async <Result>(work: (queries: Queries) => Promise<Result>): Promise<Result> => {
    const client = await pool.connect();
    let lost: Error | undefined;
    // The pool listens to idle clients alone. A connection that is lost in the middle of a step would end the process.
    const onError = (error: Error): void => {
      lost = error;
    };
    client.on('error', onError);
    try {
      // A process that stands still in the middle keeps nobody away for long.
      await client.query("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '60s'");
      const result = await work({ query: (sql, ...values) => ask(client as never, sql, values) });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((failure: Error) => {
        lost = failure;
      });
      throw error;
    } finally {
      client.off('error', onError);
      client.release(lost);
    }
  };
  return {
    pool,
    query: (sql, ...values) => ask(pool, sql, values),
    async inOneStep(work, tries = TRIES) {
      for (let left = tries; ; left--) {
        try {
          return await once(work);
        } catch (error) {
          if (left <= 1 || !isCrossed((error as { code?: unknown }).code)) throw error;
        }
      }
    },
    close: () => pool.end(),
  };
}

/** int8 and numeric: times, counts and their sums, all of them below 2^53. */
function isNumber(oid: number): boolean {
  return oid === 20 || oid === 1700;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: a serialization failure, a deadlock. */
function isCrossed(code: unknown): boolean {
  return code === '40001' || code === '40P01';
}

const texts = new Map<string, string>();

/** PostgreSQL counts its parameters. */
function numbered(sql: string): string {
  const known = texts.get(sql);
  if (known !== undefined) return known;
  let count = 0;
  const text = sql.replace(/\?/g, () => `$${++count}`);
  texts.set(sql, text);
  return text;
}

/** PostgreSQL stores every character but this one. */
function storable(value: Parameter): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\uFFFD');
  return Array.isArray(value) ? value.map(storable) : value;
}

/**
 * One parameter for each column: the values of all rows, in their order.
 *
 * @param rows each with its values in the order of the columns
 */
export function toColumns(count: number, rows: readonly (readonly Value[])[]): Value[][] {
  return Array.from({ length: count }, (_, column) => rows.map((row) => row[column] ?? null));
}
