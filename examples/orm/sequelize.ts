import { pinnedPg } from 'certpin/pg';
import { QueryTypes, Sequelize } from 'sequelize';
import type { PinnedDatabase, User } from './database.ts';

/**
 * sequelize picks the keys that it knows out of `dialectOptions`; `ssl` and `stream` are among them. It copies them deeply, which
 * functions survive.
 */
export async function findUser({ pins, ...database }: PinnedDatabase, email: string): Promise<User | undefined> {
  const { host, port, user, password, database: name } = database;
  const { ssl, stream } = pinnedPg(database, { pins });
  const sequelize = new Sequelize(name, user, password, {
    dialect: 'postgres',
    host,
    port,
    dialectOptions: { ssl, stream },
    logging: false,
  });
  try {
    const replacements = [email];
    const [found] = await sequelize.query<User>('SELECT id, email FROM users WHERE email = ?', {
      replacements,
      type: QueryTypes.SELECT,
    });
    return found;
  } finally {
    await sequelize.close();
  }
}
