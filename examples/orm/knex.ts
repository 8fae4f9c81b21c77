import { pinnedPg } from 'certpin/pg';
import createKnex from 'knex';
import type { PinnedDatabase, User } from './database.ts';

/** knex hands `connection` on to pg as it is, with the stream in it. */
export async function findUser({ pins, ...database }: PinnedDatabase, email: string): Promise<User | undefined> {
  const knex = createKnex({ client: 'pg', connection: pinnedPg(database, { pins }) });
  try {
    return await knex<User>('users').select('id', 'email').where({ email }).first();
  } finally {
    await knex.destroy();
  }
}
