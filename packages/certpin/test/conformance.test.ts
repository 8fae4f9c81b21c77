import { after, before, describe, test } from 'node:test';
import { mint, startHttpsServer, startTlsServer } from '@certpin/testkit';
import { agentClient, loginTo, poolClient, sqlClient, tlsClient } from '@certpin/testkit/clients';
import { conformanceCases, type SuiteAdapter } from '@certpin/testkit/conformance';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
// By name: the suite runs against the build, which is what is published.
import { pinnedAgent } from 'certpin/https';
import { pinnedPg } from 'certpin/pg';
import { pinnedPostgres } from 'certpin/postgres';
import { connect } from 'certpin/tls';
import pg from 'pg';
import postgresJs from 'postgres';

let postgres: Postgres;

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
];

before(async () => {
  postgres = await startPostgres({ certificate: await mint() });
});
after(() => postgres.stop());

for (const adapter of adapters) {
  describe(`${adapter.name} conforms`, () => {
    for (const { name, run } of conformanceCases) test(name, () => run(adapter));
  });
}
