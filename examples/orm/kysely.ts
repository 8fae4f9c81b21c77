import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import { type Dialect, Kysely, MysqlDialect, PostgresDialect } from 'kysely';
import { createPool } from 'mysql2';
import pg from 'pg';
import type { PinnedDatabase, User, Users } from './database.ts';

/** kysely takes the pool that you made. */
export function openPostgres({ pins, ...database }: PinnedDatabase): Users {
  return users(new PostgresDialect({ pool: new pg.Pool(pinnedPg(database, { pins })) }));
}

/** mysql2's too: the one with callbacks, not the one of `mysql2/promise`. */
export function openMysql({ pins, ...database }: PinnedDatabase): Users {
  return users(new MysqlDialect({ pool: createPool(pinnedMysql2(database, { pins })) }));
}

function users(dialect: Dialect): Users {
  const db = new Kysely<{ users: User }>({ dialect });
  return {
    find: (email) => db.selectFrom('users').select(['id', 'email']).where('email', '=', email).executeTakeFirst(),
    close: () => db.destroy(),
  };
}
