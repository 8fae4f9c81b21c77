import { pinnedPg } from 'certpin/pg';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { PinnedDatabase, User } from './database.ts';

/** kysely takes the pool that you made. */
export async function findUser({ pins, ...database }: PinnedDatabase, email: string): Promise<User | undefined> {
  const pool = new pg.Pool(pinnedPg(database, { pins }));
  const db = new Kysely<{ users: User }>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await db.selectFrom('users').select(['id', 'email']).where('email', '=', email).executeTakeFirst();
  } finally {
    await db.destroy();
  }
}
