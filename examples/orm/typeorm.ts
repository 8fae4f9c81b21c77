import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import { DataSource, EntitySchema } from 'typeorm';
import type { PinnedDatabase, User, Users } from './database.ts';

const entity = new EntitySchema<User>({
  name: 'users',
  columns: { id: { type: 'int', primary: true }, email: { type: 'text' } },
});

/** typeorm merges `extra` into what it gives pg. The address is in its own options. */
export function openPostgres({ pins, user, ...database }: PinnedDatabase): Promise<Users> {
  const extra = pinnedPg({}, { pins });
  return users(new DataSource({ type: 'postgres', ...database, username: user, extra, entities: [entity] }));
}

/** And into what it gives mysql2. */
export function openMysql({ pins, user, ...database }: PinnedDatabase): Promise<Users> {
  const extra = pinnedMysql2({}, { pins });
  return users(new DataSource({ type: 'mysql', ...database, username: user, extra, entities: [entity] }));
}

async function users(source: DataSource): Promise<Users> {
  await source.initialize(); // connects: another server is refused here
  return {
    find: (email) => source.getRepository(entity).findOneBy({ email }),
    close: () => source.destroy(),
  };
}
