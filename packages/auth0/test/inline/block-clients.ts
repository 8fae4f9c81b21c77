// The blocks as scripts have them: evaluated in the body of a function, and given to the suite as its clients.
import { createRequire } from 'node:module';
import { runInThisContext } from 'node:vm';
import {
  agentClient,
  axiosClient,
  callbackPoolClient,
  fetchClient,
  mariadbClient,
  mysqlPoolClient,
  poolClient,
} from '@certpin/testkit/clients';
import type { SuiteAdapter, SuiteClient, SuiteProtocol } from '@certpin/testkit/conformance';
import type { pinnedAxios } from 'certpin/axios';
import type { pinnedAgent } from 'certpin/https';
import type { pinnedMariadb } from 'certpin/mariadb';
import type { pinnedMysql } from 'certpin/mysql';
import type { pinnedMysql2 } from 'certpin/mysql2';
import type { pinnedPg } from 'certpin/pg';
import type { pinnedFetch } from 'certpin/undici';
import { mariadb as connector } from '../../../certpin/test/adapters/mariadb-of-node.ts';
import type { Surroundings } from '../../../certpin/test/suite-clients.ts';
import type { InlineClient } from '../../src/inline/index.ts';

const require = createRequire(import.meta.url);
const axios = require('axios') as typeof import('axios').default;
const mysql = require('mysql') as typeof import('mysql');
const mysql2 = require('mysql2/promise') as typeof import('mysql2/promise');
const pg = require('pg') as typeof import('pg');

export interface Block {
  readonly pinnedAgent: typeof pinnedAgent;
  readonly pinnedAxios: typeof pinnedAxios;
  readonly pinnedFetch: typeof pinnedFetch;
  readonly pinnedPg: typeof pinnedPg;
  readonly pinnedMysql2: typeof pinnedMysql2;
  readonly pinnedMysql: typeof pinnedMysql;
  readonly pinnedMariadb: typeof pinnedMariadb;
  readonly findCertpinError: (error: unknown) => { code: string; message: string } | undefined;
}

/** As the platform has it: sloppy code, a function that was given `require`, and nothing else. */
export function evaluate(text: string): Block {
  const indented = text.replace(/^(?=.)/gm, '    ');
  const script = `(function (require) {\n  function login() {\n${indented}\n    return certpin;\n  }\n  return login();\n})`;
  return (runInThisContext(script) as (load: NodeJS.Require) => Block)(require);
}

/** What the block for a client is tested with. */
interface BlockClient {
  readonly protocol: SuiteProtocol;
  readonly create: (block: Block, ...args: Parameters<SuiteAdapter['createClient']>) => SuiteClient;
}

export const blockClients = (login: Surroundings['login']): Record<InlineClient, BlockClient> => ({
  https: {
    protocol: 'tls',
    create: (block, target, policy, tls, host) =>
      agentClient(target, block.pinnedAgent({ keepAlive: true, ...policy, ...tls }), host),
  },
  axios: {
    protocol: 'tls',
    create: (block, { host, port }, policy, tls, hostHeader) => {
      const config = block.pinnedAxios({ baseURL: `https://${host}:${port}` }, policy, { keepAlive: true, ...tls });
      return axiosClient(config.httpsAgent, () => axios.create(config), hostHeader);
    },
  },
  fetch: {
    protocol: 'tls',
    create: (block, target, policy, tls) =>
      fetchClient(target, () => block.pinnedFetch(policy, { tls, connections: 1 })),
  },
  pg: {
    protocol: 'postgres',
    create: (block, target, policy, tls) => {
      const config = block.pinnedPg({ ...target, ...login('postgres'), max: 10, ssl: tls }, policy);
      return poolClient(() => new pg.Pool(config));
    },
  },
  mysql2: {
    protocol: 'mysql',
    create: (block, target, policy, tls) => {
      const config = block.pinnedMysql2({ ...target, ...login('mysql'), connectionLimit: 10, ssl: tls }, policy);
      return mysqlPoolClient(() => mysql2.createPool(config));
    },
  },
  mysql: {
    protocol: 'mysql',
    create: (block, target, policy, tls) => {
      const options = { ...target, ...login('mysql'), connectionLimit: 10, ssl: tls };
      const config = block.pinnedMysql(mysql, options, policy);
      return callbackPoolClient(() => mysql.createPool(config));
    },
  },
  mariadb: {
    protocol: 'mysql',
    create: (block, target, policy, tls) => {
      const config = block.pinnedMariadb({ ...target, ...login('mysql'), connectTimeout: 10_000, ssl: tls }, policy);
      return mariadbClient(() => connector.createConnection(config));
    },
  },
});
