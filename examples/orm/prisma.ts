import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { PrismaPg } from '@prisma/adapter-pg';
import { pinnedMariadb } from 'certpin/mariadb';
import { pinnedPg } from 'certpin/pg';
import type { PinnedDatabase, Users } from './database.ts';
import * as mysql from './prisma/generated/mysql/client.ts';
import * as postgres from './prisma/generated/postgres/client.ts';

/** The adapter makes a `Pool` of the configuration, or takes the one that you made. */
export function openPostgres({ pins, ...database }: PinnedDatabase): Users {
  const prisma = new postgres.PrismaClient({ adapter: new PrismaPg(pinnedPg(database, { pins })) });
  return {
    find: (email) => prisma.user.findFirst({ where: { email } }),
    close: () => prisma.$disconnect(),
  };
}

/** For MySQL and MariaDB, Prisma has MariaDB's connector. */
export function openMysql({ pins, ...database }: PinnedDatabase): Users {
  // Milliseconds. A refused connection is tried again until `acquireTimeout`, and Prisma's first query waits for it twice. The connector
  // gives one connection a second; on a busy machine that would hide the reason of the refusal.
  const limits = { acquireTimeout: 2_000, connectTimeout: 10_000 };
  const config = pinnedMariadb({ ...database, ...limits }, { pins });
  const prisma = new mysql.PrismaClient({ adapter: new PrismaMariaDb(config) });
  return {
    find: (email) => prisma.user.findFirst({ where: { email } }),
    close: () => prisma.$disconnect(),
  };
}
