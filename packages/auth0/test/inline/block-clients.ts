// The blocks as scripts have them: evaluated in the body of a function, and given to the suite as its clients.
import { createRequire } from 'node:module';
import { runInThisContext } from 'node:vm';
import {
  agentClient,
  askingClient,
  axiosClient,
  callbackPoolClient,
  fetchClient,
  type LdapLike,
  ldapClient,
  mariadbClient,
  mysqlPoolClient,
  poolClient,
} from '@certpin/testkit/clients';
import type { SuiteAdapter, SuiteClient, SuiteProtocol } from '@certpin/testkit/conformance';
import type { pinnedAxios } from 'certpin/axios';
import type { pinnedAgent } from 'certpin/https';
import type { pinnedLdapts } from 'certpin/ldap';
import type { pinnedMariadb } from 'certpin/mariadb';
import type { pinnedMongodb } from 'certpin/mongodb';
import type { pinnedMysql } from 'certpin/mysql';
import type { pinnedMysql2 } from 'certpin/mysql2';
import type { pinnedPg } from 'certpin/pg';
import type { pinnedFetch } from 'certpin/undici';
import { requirePackage } from '../../../../dev/tools/nodes/packages.ts';
import { mariadb as connector } from '../../../certpin/test/adapters/mariadb-of-node.ts';
import { openTedious, type Tedious } from '../../../certpin/test/adapters/tedious-database.ts';
import type { Surroundings } from '../../../certpin/test/suite-clients.ts';
import type { InlineClient } from '../../src/inline/index.ts';

const require = createRequire(import.meta.url);
const axios = require('axios') as typeof import('axios').default;
const { Client: LdaptsClient } = require('ldapts') as { Client: new (options: object) => LdapLike };
const mysql = require('mysql') as typeof import('mysql');
const mysql2 = require('mysql2/promise') as typeof import('mysql2/promise');
const pg = require('pg') as typeof import('pg');
/** Those that the platform has. */
const tedious = requirePackage('tedious-11') as Tedious;
export const { MongoClient } = requirePackage('mongodb-5.1') as {
  MongoClient: new (...config: unknown[]) => MongoLike;
};

type TediousConnection = InstanceType<Tedious['Connection']>;

export interface Block {
  readonly pinnedAgent: typeof pinnedAgent;
  readonly pinnedAxios: typeof pinnedAxios;
  readonly pinnedFetch: typeof pinnedFetch;
  readonly pinnedPg: typeof pinnedPg;
  readonly pinnedMysql2: typeof pinnedMysql2;
  readonly pinnedMysql: typeof pinnedMysql;
  readonly pinnedMariadb: typeof pinnedMariadb;
  readonly pinnedTedious: (
    Connection: Tedious['Connection'],
    config: object,
    policy: Parameters<typeof pinnedMongodb>[1],
  ) => TediousConnection;
  readonly pinnedMongodb: typeof pinnedMongodb;
  readonly pinnedLdapts: typeof pinnedLdapts;
  readonly findCertpinError: (error: unknown) => { code: string; message: string } | undefined;
}

/** As the platform has it: sloppy code, a function that was given `require`, and nothing else. */
export function evaluate(text: string): Block {
  const indented = text.replace(/^(?=.)/gm, '    ');
  const script = `(function (require) {\n  function login() {\n${indented}\n    return certpin;\n  }\n  return login();\n})`;
  return (runInThisContext(script) as (load: NodeJS.Require) => Block)(require);
}

/** What is used of a client of MongoDB. */
interface MongoLike {
  readonly once: (event: 'serverHeartbeatFailed', listener: (event: { failure: Error }) => void) => unknown;
  connect(): Promise<unknown>;
  db(): { aggregate(pipeline: object[]): { toArray(): Promise<{ answer?: unknown }[]> } };
  close(): Promise<void>;
}

/** What the block for a client is tested with. */
interface BlockClient {
  readonly protocol: SuiteProtocol;
  /** `false`: each connection has a configuration of its own. */
  readonly keepsConfiguration?: false;
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
  tedious: {
    protocol: 'tds',
    keepsConfiguration: false,
    create: (block, { host, port }, policy, { servername, ...cryptoCredentialsDetails }) => {
      const { user: userName, password, database } = login('postgres');
      const authentication = { type: 'default', options: { userName, password } };
      const name = servername === undefined ? {} : { serverName: servername };
      const config = { server: host, authentication, options: { port, database, cryptoCredentialsDetails, ...name } };
      const make = (): TediousConnection => block.pinnedTedious(tedious.Connection, config, policy);
      let next: TediousConnection | undefined = make();
      return askingClient(() => {
        const connection = next ?? make();
        next = undefined;
        return openTedious(tedious, connection);
      });
    },
  },
  ldapts: {
    protocol: 'ldap',
    create: (block, { host, port }, policy, tls) => {
      const options = block.pinnedLdapts({ url: `ldap://${host}:${port}`, timeout: 5_000, tlsOptions: tls }, policy);
      return ldapClient(() => new LdaptsClient(options), login('ldap'));
    },
  },
  mongodb: {
    protocol: 'tls',
    create: (block, { host, port }, policy, tls) => {
      const { user, password } = login('postgres');
      const config = block.pinnedMongodb(`mongodb://${host}:${port}/`, policy, {
        ...{ auth: { username: user, password }, authSource: 'admin', ...tls },
      });
      return askingClient(async () => {
        const client = new MongoClient(...config);
        const close = (): Promise<void> => client.close();
        // The driver would ask a server that was refused again, for 30 seconds.
        const refused = new Promise<never>((_, reject) => {
          client.once('serverHeartbeatFailed', ({ failure }) => reject(failure));
        });
        const connected = client.connect();
        connected.catch(() => undefined);
        await Promise.race([connected, refused]).catch(async (error: unknown) => {
          await close();
          // This driver keeps it in no `cause`.
          throw new Error('not connected', { cause: block.findCertpinError(error) ?? error });
        });
        const ask = async (answer: string): Promise<unknown> =>
          (
            await client
              .db()
              .aggregate([{ $documents: [{ answer }] }])
              .toArray()
          )[0]?.answer;
        return { ask, close };
      });
    },
  },
});
