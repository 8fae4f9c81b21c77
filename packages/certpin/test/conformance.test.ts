import { after, before, describe, test } from 'node:test';
import { mint, startHttpsServer, startTlsServer } from '@certpin/testkit';
import { agentClient, loginTo, mysqlPoolClient, poolClient, sqlClient, tlsClient } from '@certpin/testkit/clients';
import { conformanceCases, type SuiteAdapter } from '@certpin/testkit/conformance';
import { type Mariadb, startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
// By name: the suite runs against the build, which is what is published.
import { pinnedAgent } from 'certpin/https';
import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import { pinnedPostgres } from 'certpin/postgres';
import { connect } from 'certpin/tls';
import mysql from 'mysql2/promise';
import pg from 'pg';
import postgresJs from 'postgres';

let postgres: Postgres;
let mariadb: Mariadb;

const adapters: readonly SuiteAdapter[] = [
  {
    name: 'tls',
    pools: false,
    startServer: startTlsServer,
    createClient: (target, policy, tls) => tlsClient(() => connect({ ...target, ...policy, ...tls })),
  },
  {
    name: 'https',
    pools: true,
    startServer: startHttpsServer,
    createClient: (target, policy, tls) => agentClient(target, pinnedAgent({ keepAlive: true, ...policy, ...tls })),
  },
  {
    name: 'pg',
    pools: true,
    startServer: (options) => startPostgresRelay({ ...options, upstream: postgres }),
    createClient: (target, policy, tls) => {
      const config = pinnedPg({ ...target, ...loginTo(postgres), max: 10, ssl: tls }, policy);
      return poolClient(() => new pg.Pool(config));
    },
  },
  {
    name: 'postgres',
    pools: true,
    startServer: (options) => startPostgresRelay({ ...options, upstream: postgres }),
    createClient: (target, policy, tls) => {
      const options = pinnedPostgres({ ...target, ...loginTo(postgres), ssl: tls }, policy);
      return sqlClient(() => postgresJs(options));
    },
  },
  {
    name: 'mysql2',
    pools: true,
    startServer: (options) => startMysqlRelay({ ...options, upstream: mariadb }),
    createClient: (target, policy, tls) => {
      const config = pinnedMysql2({ ...target, ...loginTo(mariadb), connectionLimit: 10, ssl: tls }, policy);
      return mysqlPoolClient(() => mysql.createPool(config));
    },
  },
];

before(async () => {
  [postgres, mariadb] = await Promise.all([
    startPostgres({ certificate: await mint() }),
    startMariadb({ certificate: await mint() }),
  ]);
});
after(() => Promise.all([postgres.stop(), mariadb.stop()]));

for (const adapter of adapters) {
  describe(`${adapter.name} conforms`, () => {
    for (const { name, run } of conformanceCases) test(name, () => run(adapter));
  });
}
