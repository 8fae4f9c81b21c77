// The ORMs that reach SQL Server through tedious or mssql: what each makes of the pinned options, and what another server receives.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { certificateHex, failureOf, mint } from '@certpin/testkit';
import { startTdsServer } from '@certpin/testkit/tds';
import { findCertpinError } from 'certpin';
import { pinnedMssql, pinnedTedious } from 'certpin/mssql';
import createKnex from 'knex';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';

const [right, impostor] = [await mint(), await mint()];
const policy = { pins: certificateHex(right) };
const login = { user: 'app', password: randomUUID(), database: 'app' };
const QUESTION = "SELECT 'a row' AS answer";
const answer = [{ answer: 'a row' }];

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Asks a server, and ends the connection. */
const clients: Record<string, (place: Place) => Promise<unknown>> = {
  sequelize: async (place) => {
    const { options } = pinnedTedious({ options: {} }, policy);
    const sequelize = new Sequelize(login.database, login.user, login.password, {
      ...place,
      dialect: 'mssql',
      dialectOptions: { options },
      logging: false,
    });
    try {
      const [rows] = await sequelize.query(QUESTION);
      return rows;
    } finally {
      await sequelize.close();
    }
  },
  knex: async ({ host: server, port }) => {
    const connection = pinnedMssql({ ...login, server, port }, policy);
    const log = { warn: () => undefined };
    const knex = createKnex({ client: 'mssql', connection, log });
    try {
      return await knex.raw(QUESTION);
    } finally {
      await knex.destroy();
    }
  },
  typeorm: async (place) => {
    const { user: username, ...rest } = login;
    const extra = pinnedMssql({}, policy);
    const source = new DataSource({ type: 'mssql', ...place, ...rest, username, extra });
    await source.initialize();
    try {
      return await source.query(QUESTION);
    } finally {
      await source.destroy();
    }
  },
};

for (const [name, ask] of Object.entries(clients))
  test(`${name} hands the pinned options on to the driver`, async (t) => {
    const servers = [
      await startTdsServer({ certificate: right }),
      await startTdsServer({ certificate: impostor }),
    ] as const;
    t.after(() => Promise.all(servers.map((server) => server.close())));
    const [own, other] = servers.map(({ host, port }) => ({ host, port })) as [Place, Place];
    assert.deepEqual(await ask(own), answer);
    const error = await failureOf(ask(other));
    assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
    assert.equal(servers[1].received(), 0);
  });
