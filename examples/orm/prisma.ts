import { PrismaPg } from '@prisma/adapter-pg';
import { pinnedPg } from 'certpin/pg';
import type { PinnedDatabase, Users } from './database.ts';
import { PrismaClient } from './prisma/generated/postgres/client.ts';

/** Prisma's adapter makes a pool of the configuration, or takes yours. */
export function openPostgres({ pins, ...database }: PinnedDatabase): Users {
  return users(new PrismaClient({ adapter: new PrismaPg(pinnedPg(database, { pins })) }));
}

function users(prisma: PrismaClient): Users {
  return {
    find: async (email) => (await prisma.user.findFirst({ where: { email } })) ?? undefined,
    close: () => prisma.$disconnect(),
  };
}
