import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import createKnex, { type Knex } from 'knex';
import type { PinnedDatabase, User, Users } from './database.ts';

/** knex copies `connection`, the functions in it as they are, and hands the copy on to pg. */
export function openPostgres({ pins, ...database }: PinnedDatabase): Users {
  return users(createKnex({ client: 'pg', connection: pinnedPg(database, { pins }) }));
}

/** And to mysql2. */
export function openMysql({ pins, ...database }: PinnedDatabase): Users {
  return users(createKnex({ client: 'mysql2', connection: pinnedMysql2(database, { pins }) }));
}

function users(knex: Knex): Users {
  return {
    find: (email) => knex<User>('users').select('id', 'email').where({ email }).first(),
    close: () => knex.destroy(),
  };
}
