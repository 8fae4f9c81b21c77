import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mint, startHttp2Server, startHttpsServer, startTlsServer } from '@certpin/testkit';
import { loginTo } from '@certpin/testkit/clients';
import { conformanceCases, type SuiteAdapter, whyNotRun } from '@certpin/testkit/conformance';
import { recordCases } from '@certpin/testkit/conformance-records';
import { ConformanceTable } from '@certpin/testkit/conformance-table';
import { type Mariadb, startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { type HttpProxy, startHttpProxy } from '@certpin/testkit/proxy';
import { createLivePolicy, type NamedClient, suiteClients } from './suite-clients.ts';

let postgres: Postgres;
let mariadb: Mariadb;
let proxy: HttpProxy;

/** A server that speaks the client's protocol, and answers. */
function startServerFor({ name, protocol }: NamedClient): SuiteAdapter['startServer'] {
  if (protocol === 'postgres') return (options) => startPostgresRelay({ ...options, upstream: postgres });
  if (protocol === 'mysql') return (options) => startMysqlRelay({ ...options, upstream: mariadb });
  if (protocol === 'http2') return startHttp2Server;
  return name === 'tls' ? startTlsServer : startHttpsServer;
}

const adapters: readonly SuiteAdapter[] = suiteClients({
  login: (protocol) => loginTo(protocol === 'postgres' ? postgres : mariadb),
  proxyUrl: () => proxy.url,
}).map((client) => ({ ...client, startServer: startServerFor(client), createLivePolicy }));

const cases = [...conformanceCases, ...recordCases];

before(async () => {
  [postgres, mariadb, proxy] = await Promise.all([
    startPostgres({ certificate: await mint() }),
    startMariadb({ certificate: await mint() }),
    startHttpProxy(),
  ]);
});
after(() => Promise.all([postgres.stop(), mariadb.stop(), proxy.stop()]));

const table = new ConformanceTable(adapters, cases);

for (const adapter of adapters) {
  describe(`${adapter.name} conforms`, () => {
    for (const suiteCase of cases) {
      const skip = whyNotRun(adapter, suiteCase) ?? false;
      test(suiteCase.name, { skip }, () => table.run(adapter, suiteCase));
    }
  });
}

test('docs/conformance.md is the table of this run', (t) => {
  const page = fileURLToPath(new URL('../../../docs/conformance.md', import.meta.url));
  if (table.isPartial()) t.skip('a part of the suite is no table: docs/conformance.md stays as it is');
  else table.publish(page);
});
after(() => console.log(table.toText()));
