import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { mint, startHttp2Server, startHttpsServer, startTlsServer } from '@certpin/testkit';
import {
  agentClient,
  loginTo,
  mariadbClient,
  mysqlPoolClient,
  poolClient,
  postClient,
  sqlClient,
  tlsClient,
} from '@certpin/testkit/clients';
import { conformanceCases, type SuiteAdapter, type SuiteClient, type SuiteTarget } from '@certpin/testkit/conformance';
import { ConformanceTable } from '@certpin/testkit/conformance-table';
import { type Mariadb, startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { type HttpProxy, startHttpProxy } from '@certpin/testkit/proxy';
// By name: the suite runs against the build, which is what is published.
import axios from 'axios';
import { createPolicy } from 'certpin';
import { pinnedAxios } from 'certpin/axios';
import { pinnedHttp2 } from 'certpin/http2';
import { pinnedAgent } from 'certpin/https';
import { pinnedMariadb } from 'certpin/mariadb';
import { pinnedMysql } from 'certpin/mysql';
import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import { pinnedPostgres } from 'certpin/postgres';
import { connect } from 'certpin/tls';
import { pinnedConnector, pinnedFetch } from 'certpin/undici';
import mysql from 'mysql';
import mysql2 from 'mysql2/promise';
import pg from 'pg';
import postgresJs from 'postgres';
import { Agent } from 'undici-6';
import { mariadb as connector } from './adapters/mariadb-of-node.ts';

let postgres: Postgres;
let mariadb: Mariadb;
let proxy: HttpProxy;

/** Without a limit undici opens another connection where a request comes in the tick in which the last one ends. */
const oneConnection = { connections: 1 };

const adapters: readonly SuiteAdapter[] = [
  {
    name: 'tls',
    pools: false,
    keepsConfiguration: false,
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
    name: 'https, proxied',
    pools: true,
    startServer: startHttpsServer,
    createClient: (target, policy, tls) =>
      agentClient(target, pinnedAgent({ keepAlive: true, proxy: proxy.url, ...policy, ...tls })),
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
      return mysqlPoolClient(() => mysql2.createPool(config));
    },
  },
  {
    name: 'mysql',
    pools: true,
    startServer: (options) => startMysqlRelay({ ...options, upstream: mariadb }),
    createClient: (target, policy, tls) => {
      const config = pinnedMysql(mysql, { ...target, ...loginTo(mariadb), connectionLimit: 10, ssl: tls }, policy);
      return mysqlPoolClient(() => {
        const pool = mysql.createPool(config);
        return {
          query: (text, values) =>
            new Promise((resolve, reject) => {
              pool.query(text, values, (error, rows, fields) => (error ? reject(error) : resolve([rows, fields])));
            }),
          end: () => promisify(pool.end).call(pool),
        };
      });
    },
  },
  {
    name: 'mariadb',
    pools: true,
    startServer: (options) => startMysqlRelay({ ...options, upstream: mariadb }),
    createClient: (target, policy, tls) => {
      const login = { ...target, ...loginTo(mariadb), connectTimeout: 10_000 };
      const config = pinnedMariadb({ ...login, ssl: tls }, policy);
      return mariadbClient(() => connector.createConnection(config));
    },
  },
  {
    name: 'fetch',
    pools: true,
    startServer: startHttpsServer,
    createClient: (target, policy, tls) => {
      const made = createPolicy(policy); // closing ends the dispatcher for good; what is kept belongs to the policy
      return fetchClient(target, () => pinnedFetch(made, { tls, ...oneConnection }));
    },
  },
  {
    name: 'fetch, proxied',
    pools: true,
    keepsConfiguration: false, // each dispatcher has a tunnel of its own
    startServer: startHttpsServer,
    createClient: (target, policy, tls) => {
      const made = createPolicy(policy);
      return fetchClient(target, () => pinnedFetch(made, { tls, proxy: proxy.url, ...oneConnection }));
    },
  },
  {
    name: 'undici',
    pools: true,
    startServer: startHttpsServer,
    createClient: ({ host, port }, policy, tls) => {
      const connect = pinnedConnector(policy, tls);
      return postClient(() => {
        const agent = new Agent({ connect, ...oneConnection });
        return {
          post: async (body) => {
            const origin = `https://${host}:${port}`;
            const answer = await agent.request({ origin, path: '/login', method: 'POST', body });
            await answer.body.text();
            return answer.statusCode;
          },
          close: () => agent.destroy(),
        };
      });
    },
  },
  {
    name: 'http2',
    pools: true,
    startServer: startHttp2Server,
    createClient: ({ host, port }, policy, tls) => {
      const options = pinnedHttp2(policy, tls);
      return postClient(() => {
        let session: ClientHttp2Session | undefined;
        return {
          post: (body) =>
            new Promise((resolve, reject) => {
              if (session === undefined || session.destroyed) {
                session = connectHttp2(`https://${host}:${port}`, { ...options });
                session.on('error', reject);
              }
              const stream = session.request({ ':method': 'POST', ':path': '/login' });
              let status = 0;
              stream.on('response', (headers) => {
                status = headers[':status'] ?? 0;
              });
              stream.on('error', reject).resume();
              stream.on('end', () => resolve(status)).end(body);
            }),
          close: () => session?.destroy(),
        };
      });
    },
  },
  {
    name: 'axios',
    pools: true,
    startServer: startHttpsServer,
    createClient: ({ host, port }, policy, tls) => {
      const config = pinnedAxios({ baseURL: `https://${host}:${port}` }, policy, { keepAlive: true, ...tls });
      return postClient(() => {
        const api = axios.create(config);
        return {
          post: async (body) => (await api.post('/login', body)).status,
          close: () => config.httpsAgent.destroy(),
        };
      });
    },
  },
];

function fetchClient({ host, port }: SuiteTarget, create: () => ReturnType<typeof pinnedFetch>): SuiteClient {
  return postClient(() => {
    const pinned = create();
    return {
      post: async (body) => {
        const response = await pinned(`https://${host}:${port}/login`, { method: 'POST', body });
        await response.text();
        return response.status;
      },
      close: () => pinned.dispatcher.destroy(),
    };
  });
}

before(async () => {
  [postgres, mariadb, proxy] = await Promise.all([
    startPostgres({ certificate: await mint() }),
    startMariadb({ certificate: await mint() }),
    startHttpProxy(),
  ]);
});
after(() => Promise.all([postgres.stop(), mariadb.stop(), proxy.stop()]));

const table = new ConformanceTable(adapters, conformanceCases);

for (const adapter of adapters) {
  describe(`${adapter.name} conforms`, () => {
    for (const suiteCase of conformanceCases) test(suiteCase.name, () => table.run(adapter, suiteCase));
  });
}

test('docs/conformance.md is the table of this run', (t) => {
  const page = fileURLToPath(new URL('../../../docs/conformance.md', import.meta.url));
  if (table.isPartial()) t.skip('a part of the suite is no table: docs/conformance.md stays as it is');
  else table.publish(page);
});
after(() => console.log(table.toText()));
