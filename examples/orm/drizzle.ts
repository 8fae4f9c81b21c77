import { pinnedPg } from 'certpin/pg';
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import pg from 'pg';
import type { PinnedDatabase, User } from './database.ts';

const users = pgTable('users', { id: integer('id').notNull(), email: text('email').notNull() });

/** drizzle takes the pool that you made, and wraps errors: `findCertpinError` finds ours in the `cause`. */
export async function findUser({ pins, ...database }: PinnedDatabase, email: string): Promise<User | undefined> {
  const pool = new pg.Pool(pinnedPg(database, { pins }));
  try {
    const [user] = await drizzle(pool).select().from(users).where(eq(users.email, email));
    return user;
  } finally {
    await pool.end();
  }
}
