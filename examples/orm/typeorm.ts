import { pinnedPg } from 'certpin/pg';
import { DataSource } from 'typeorm';
import type { PinnedDatabase, User } from './database.ts';

/** typeorm merges `extra` into what it gives pg. */
export async function findUser({ pins, ...database }: PinnedDatabase, email: string): Promise<User | undefined> {
  const { host, port, user, password, database: name } = database;
  const { ssl, stream } = pinnedPg(database, { pins });
  const source = new DataSource({
    type: 'postgres',
    host,
    port,
    username: user,
    password,
    database: name,
    extra: { ssl, stream },
  });
  await source.initialize();
  try {
    const [found] = await source.query<User[]>('SELECT id, email FROM users WHERE email = $1', [email]);
    return found;
  } finally {
    await source.destroy();
  }
}
