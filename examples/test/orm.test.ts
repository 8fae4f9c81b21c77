import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { certificateHex, mint } from '@certpin/testkit';
import { startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { findCertpinError } from 'certpin';
import { pinnedPg } from 'certpin/pg';
import pg from 'pg';
import type { PinnedDatabase, User } from '../orm/database.ts';
import { findUser as withDrizzle } from '../orm/drizzle.ts';
import { findUser as withKnex } from '../orm/knex.ts';
import { findUser as withKysely } from '../orm/kysely.ts';
import { findUser as withSequelize } from '../orm/sequelize.ts';
import { findUser as withTypeorm } from '../orm/typeorm.ts';

const examples: Record<string, (database: PinnedDatabase, email: string) => Promise<User | undefined>> = {
  drizzle: withDrizzle,
  knex: withKnex,
  kysely: withKysely,
  sequelize: withSequelize,
  typeorm: withTypeorm,
};

const email = 'ada@example.com';
const certificate = await mint();
const postgres = await startPostgres({ certificate });
after(() => postgres.stop());
const { host, port, user, password, database } = postgres;
const pinned = { host, port, user, password, database, pins: certificateHex(certificate) };

const admin = new pg.Client(pinnedPg({ host, port, user, password, database }, { pins: pinned.pins }));
await admin.connect();
// The view answers on encrypted connections only: an example whose copy of the configuration lost the stream finds nobody.
await admin.query(`
  CREATE TABLE everybody (id int, email text);
  INSERT INTO everybody VALUES (1, '${email}');
  CREATE VIEW users AS SELECT id, email FROM everybody
    WHERE (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())`);
await admin.end();

for (const [name, findUser] of Object.entries(examples)) {
  describe(name, () => {
    test('finds the user, over an encrypted and pinned connection', async () => {
      assert.deepEqual({ ...(await findUser(pinned, email)) }, { id: 1, email });
    });

    test('gives an impostor nothing, and shows why', async (t) => {
      const impostor = await startPostgresRelay({ certificate: await mint(), upstream: postgres });
      t.after(impostor.close);
      const error = await findUser({ ...pinned, port: impostor.port }, email).then(
        () => assert.fail('the impostor was not refused'),
        (reason) => reason,
      );
      assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
      assert.equal(impostor.received(), 0);
    });
  });
}
