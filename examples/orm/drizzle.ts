import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import { eq } from 'drizzle-orm';
import * as mysql from 'drizzle-orm/mysql-core';
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres';
import * as postgres from 'drizzle-orm/pg-core';
import { createPool } from 'mysql2/promise';
import pg from 'pg';
import type { PinnedDatabase, Users } from './database.ts';

/** drizzle takes the pool that you made. */
export function openPostgres({ pins, ...database }: PinnedDatabase): Users {
  const pool = new pg.Pool(pinnedPg(database, { pins }));
  const db = drizzlePostgres(pool);
  const users = postgres.pgTable('users', { id: postgres.integer().notNull(), email: postgres.text().notNull() });
  return {
    find: async (email) => (await db.select().from(users).where(eq(users.email, email)))[0],
    close: () => pool.end(),
  };
}

/** mysql2's too. */
export function openMysql({ pins, ...database }: PinnedDatabase): Users {
  const pool = createPool(pinnedMysql2(database, { pins }));
  const db = drizzleMysql(pool);
  const users = mysql.mysqlTable('users', { id: mysql.int().notNull(), email: mysql.text().notNull() });
  return {
    find: async (email) => (await db.select().from(users).where(eq(users.email, email)))[0],
    close: () => pool.end(),
  };
}
