import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, mint, startHttp2Server, startHttpsServer, startTlsServer } from '@certpin/testkit';
import { loginTo } from '@certpin/testkit/clients';
import { conformanceCases, type SuiteAdapter, whyNotRun } from '@certpin/testkit/conformance';
import { recordCases } from '@certpin/testkit/conformance-records';
import { ConformanceTable } from '@certpin/testkit/conformance-table';
import { type Slapd, startLdapRelay, startSlapd } from '@certpin/testkit/ldap';
import { type Mariadb, startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { startMongodb } from '@certpin/testkit/mongodb';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { type HttpProxy, startHttpProxy } from '@certpin/testkit/proxy';
import { type Redis, startRedis, startRedisRelay } from '@certpin/testkit/redis';
import { startTdsServer, type TdsServer } from '@certpin/testkit/tds';
import { createLivePolicy, type NamedClient, type Surroundings, suiteClients } from './suite-clients.ts';
import { mongodbLogin } from './suite-mongodb.ts';

let postgres: Postgres;
let mariadb: Mariadb;
let slapd: Slapd;
let redis: Redis;
let proxy: HttpProxy;

/** A server that speaks the client's protocol, and answers. */
function startServerFor({ name, protocol }: NamedClient): SuiteAdapter['startServer'] {
  if (protocol === 'postgres') return (options) => startPostgresRelay({ ...options, upstream: postgres });
  if (protocol === 'mysql') return (options) => startMysqlRelay({ ...options, upstream: mariadb });
  if (protocol === 'ldap' || protocol === 'ldaps') return (options) => startLdapRelay({ ...options, upstream: slapd });
  if (name === 'mssql') return async (options) => everySecond(await startTdsServer(options));
  if (protocol === 'tds') return startTdsServer;
  if (name.endsWith('strict')) return (options) => startTdsServer({ ...options, strict: true });
  if (protocol === 'http2') return startHttp2Server;
  if (['ioredis', 'redis'].includes(name)) return (options) => startRedisRelay({ ...options, upstream: redis.plain });
  if (name.startsWith('mongodb')) return (options) => startMongodb({ ...options, login: mongodbLogin });
  return ['tls', 'driver-tls', 'forward'].includes(name) ? startTlsServer : startHttpsServer;
}

/** How to log in to what stands behind the counting servers. */
const login: Surroundings['login'] = (protocol) => {
  if (protocol === 'ldap') return { ...slapd, database: slapd.base };
  if (protocol === 'redis') return { user: redis.username, password: redis.password, database: '0' };
  return loginTo(protocol === 'postgres' ? postgres : mariadb);
};
/** mssql tries its configuration with a connection that it ends at once, before it makes its pool. */
function everySecond(server: TdsServer): TdsServer {
  const later = <Value>(values: readonly Value[]): Value[] => values.filter((_, index) => index % 2 === 1);
  return {
    ...server,
    handshakes: () => server.handshakes() / 2,
    get servernames() {
      return later(server.servernames);
    },
    get resumptions() {
      return later(server.resumptions);
    },
  };
}

const adapters: readonly SuiteAdapter[] = suiteClients({
  login,
  proxyUrl: () => proxy.url,
}).map((client) => ({ ...client, startServer: startServerFor(client), createLivePolicy }));

const cases = [...conformanceCases, ...recordCases];

before(async () => {
  [postgres, mariadb, slapd, redis, proxy] = await Promise.all([
    startPostgres({ certificate: await mint() }),
    startMariadb({ certificate: await mint() }),
    startSlapd(await mint()),
    startRedis({ certificate: await mint() }),
    startHttpProxy(),
  ]);
});
after(() => Promise.all([postgres.stop(), mariadb.stop(), slapd.stop(), redis.stop(), proxy.stop()]));

const table = new ConformanceTable(adapters, cases);

for (const adapter of adapters) {
  describe(`${adapter.name} conforms`, () => {
    if (adapter.notOnThisNode !== undefined) {
      test(`on this Node the configuration is refused when it is made: ${adapter.notOnThisNode}`, async () => {
        const pins = certificateHex(await mint());
        const make = (): unknown => adapter.createClient({ host: 'localhost', port: 1 }, { pins }, {});
        assert.throws(make, { code: 'ERR_CLIENT_UNSUPPORTED' });
      });
      return;
    }
    for (const suiteCase of cases) {
      const skip = whyNotRun(adapter, suiteCase) ?? false;
      test(suiteCase.name, { skip }, () => table.run(adapter, suiteCase));
    }
  });
}

test('docs/reference/conformance.md is the table of this run', (t) => {
  const page = fileURLToPath(new URL('../../../docs/reference/conformance.md', import.meta.url));
  if (table.isPartial()) t.skip('a part of the suite is no table: docs/reference/conformance.md stays as it is');
  else table.publish(page);
});
after(() => console.log(table.toText()));
