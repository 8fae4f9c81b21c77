import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import { QueryTypes, Sequelize } from 'sequelize';
import type { PinnedDatabase, User, Users } from './database.ts';

/** sequelize copies the keys that it knows out of `dialectOptions`; `ssl` and `stream` are among them. The address is in its own options. */
export function openPostgres({ pins, user, ...database }: PinnedDatabase): Users {
  const dialectOptions = pinnedPg({}, { pins });
  return users(new Sequelize({ ...database, username: user, dialect: 'postgres', dialectOptions, logging: false }));
}

/** For mysql2 it copies all of them. */
export function openMysql({ pins, user, ...database }: PinnedDatabase): Users {
  const dialectOptions = pinnedMysql2({}, { pins });
  return users(new Sequelize({ ...database, username: user, dialect: 'mysql', dialectOptions, logging: false }));
}

function users(sequelize: Sequelize): Users {
  return {
    find: async (email) => {
      const [user] = await sequelize.query<User>('SELECT id, email FROM users WHERE email = :email', {
        replacements: { email },
        type: QueryTypes.SELECT,
      });
      return user;
    },
    close: () => sequelize.close(),
  };
}
