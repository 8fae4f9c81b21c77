import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  agentClient,
  axiosClient,
  callbackPoolClient,
  fetchClient,
  hostHeaders,
  type LdapLike,
  ldapClient,
  mariadbClient,
  mysqlPoolClient,
  poolClient,
  postClient,
  promisedLdapjs,
  redisClient,
  sqlClient,
  tlsClient,
} from '@certpin/testkit/clients';
import type { LivePolicy, SuiteAdapter, SuiteHostPolicy, SuitePolicy } from '@certpin/testkit/conformance';
// By name: the suite runs against the build, which is what is published.
import axios from 'axios';
import { createPolicy, livePins, type Policy } from 'certpin';
import { pinnedAxios } from 'certpin/axios';
import { isSupported, pinnedTls } from 'certpin/driver-tls';
import { pinnedForward } from 'certpin/forward';
import { pinnedHttp2 } from 'certpin/http2';
import { pinnedAgent } from 'certpin/https';
import { pinnedLdapjs, pinnedLdapts } from 'certpin/ldap';
import { pinnedMariadb } from 'certpin/mariadb';
import { pinnedMysql } from 'certpin/mysql';
import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import { pinnedPostgres } from 'certpin/postgres';
import { pinnedIoredis, pinnedRedis } from 'certpin/redis';
import { connect } from 'certpin/tls';
import { pinnedConnector, pinnedFetch } from 'certpin/undici';
import { Redis } from 'ioredis';
import ldapjs from 'ldapjs';
import { Client } from 'ldapts';
import mysql from 'mysql';
import mysql2 from 'mysql2/promise';
import pg from 'pg';
import postgresJs from 'postgres';
import { createClient } from 'redis';
import { Agent } from 'undici-6';
import { mariadb as connector } from './adapters/mariadb-of-node.ts';
import { mongodbClients } from './suite-mongodb.ts';
import { mssqlClients } from './suite-mssql.ts';

/** A client of the suite, without its servers. */
export type NamedClient = Omit<SuiteAdapter, 'startServer'>;

/** What a client logs in to. */
type Login = 'postgres' | 'mysql' | 'ldap' | 'redis';

/** Where the clients log in, and the proxy of those that go through one; asked when a client is made. */
export interface Surroundings {
  readonly login: (protocol: Login) => { user: string; password: string; database: string };
  readonly proxyUrl: () => string;
}

/** Without a limit undici opens another connection where a request comes in the tick in which the last one ends. */
const oneConnection = { connections: 1 };

const noHeader = { 'host header': 'its protocol has no Host header' };
/** undici.test.ts shows it. */
const ownHeader = { 'host header': 'the fetch of Node sends the host of the URL, whatever header it is given' };

/** Of clients whose connection certpin sees when it is made. */
const seen: Pick<NamedClient, 'cannot' | 'notOnThisNode'> = {
  cannot: { 'own sessions': 'the client makes its own connection, so no session of it is resumed' },
  ...(isSupported() ? {} : { notOnThisNode: `Node ${process.version} does not announce TLS sockets` }),
};

/** The live pins of the library. */
export function createLivePolicy(pins: string): LivePolicy {
  const live = livePins(pins);
  return { policy: createPolicy({ pins: live }) as object as SuiteHostPolicy, set: live.set };
}

/** Every client that certpin has an adapter for, and those that go through a proxy. */
export const suiteClients = ({ login, proxyUrl }: Surroundings): readonly NamedClient[] => [
  {
    name: 'tls',
    protocol: 'tls',
    pools: false,
    keepsConfiguration: false,
    cannot: noHeader,
    createClient: (target, policy, tls) => tlsClient(() => connect({ ...target, ...policy, ...tls })),
  },
  {
    name: 'forward',
    protocol: 'tls',
    pools: false,
    cannot: noHeader,
    createClient: ({ host, port }, policy, tls) => {
      const end = pinnedForward({ host, port }, policy, { tls });
      // A host without pins is refused before anybody exchanges anything.
      end.catch(() => undefined);
      return {
        exchange: async () => {
          const where = await end;
          return tlsClient(() => connectTcp(where)).exchange();
        },
        reconnect: async () => undefined,
        close: () => end.then(({ close }) => close()).catch(() => undefined),
      };
    },
  },
  {
    ...seen,
    name: 'driver-tls',
    protocol: 'tls',
    pools: false,
    cannot: { ...seen.cannot, ...noHeader },
    createClient: (target, policy, { ca, ...tls }) => {
      const pinned = pinnedTls(policy, tls);
      // As a driver does it. A CA among its own options tempts the ordinary verification.
      return tlsClient(() => connectTls({ ...target, ...pinned, ...(ca === undefined ? {} : { ca }) }));
    },
  },
  {
    name: 'https',
    protocol: 'tls',
    pools: true,
    createClient: (target, policy, tls, host) =>
      agentClient(target, pinnedAgent({ keepAlive: true, ...policy, ...tls }), host),
  },
  {
    name: 'https, proxied',
    protocol: 'tls',
    pools: true,
    createClient: (target, policy, tls, host) =>
      agentClient(target, pinnedAgent({ keepAlive: true, proxy: proxyUrl(), ...policy, ...tls }), host),
  },
  {
    name: 'pg',
    protocol: 'postgres',
    pools: true,
    cannot: noHeader,
    createClient: (target, policy, tls) => {
      const config = pinnedPg({ ...target, ...login('postgres'), max: 10, ssl: tls }, policy);
      return poolClient(() => new pg.Pool(config));
    },
  },
  {
    name: 'postgres',
    protocol: 'postgres',
    pools: true,
    cannot: noHeader,
    createClient: (target, policy, tls) => {
      const options = pinnedPostgres({ ...target, ...login('postgres'), ssl: tls }, policy);
      return sqlClient(() => postgresJs(options));
    },
  },
  {
    name: 'mysql2',
    protocol: 'mysql',
    pools: true,
    cannot: noHeader,
    createClient: (target, policy, tls) => {
      const config = pinnedMysql2({ ...target, ...login('mysql'), connectionLimit: 10, ssl: tls }, policy);
      return mysqlPoolClient(() => mysql2.createPool(config));
    },
  },
  {
    name: 'mysql',
    protocol: 'mysql',
    pools: true,
    cannot: noHeader,
    createClient: (target, policy, tls) => {
      const config = pinnedMysql(mysql, { ...target, ...login('mysql'), connectionLimit: 10, ssl: tls }, policy);
      return callbackPoolClient(() => mysql.createPool(config));
    },
  },
  {
    name: 'mariadb',
    protocol: 'mysql',
    pools: true,
    cannot: noHeader,
    createClient: (target, policy, tls) => {
      const config = pinnedMariadb({ ...target, ...login('mysql'), connectTimeout: 10_000, ssl: tls }, policy);
      return mariadbClient(() => connector.createConnection(config));
    },
  },
  ...(['ldaps', 'ldap'] as const).map(
    (protocol): NamedClient => ({
      name: protocol === 'ldaps' ? 'ldapts' : 'ldapts, StartTLS',
      protocol,
      pools: true,
      cannot: noHeader,
      createClient: ({ host, port }, policy, tls) => {
        const options = pinnedLdapts({ url: `${protocol}://${host}:${port}`, tlsOptions: tls }, policy);
        return ldapClient(() => new Client(options), login('ldap'));
      },
    }),
  ),
  {
    ...seen,
    name: 'ldapjs',
    protocol: 'ldaps',
    pools: true,
    cannot: { ...seen.cannot, ...noHeader },
    createClient: ({ host, port }, policy, { ca: _, ...tls }) => {
      // Node 24 tells nobody of a reset right behind the handshake: the caller needs a time limit.
      const options = pinnedLdapjs({ url: `ldaps://${host}:${port}`, timeout: 5_000, tlsOptions: tls }, policy);
      const create = (): LdapLike => promisedLdapjs(() => ldapjs.createClient(options) as never);
      return ldapClient(create, login('ldap'));
    },
  },
  {
    name: 'ioredis',
    protocol: 'tls',
    pools: true,
    cannot: noHeader,
    createClient: (target, policy, tls) => {
      const { user: username, password } = login('redis');
      const config = pinnedIoredis(
        { ...target, username, password, tls, lazyConnect: true, retryStrategy: null },
        policy,
      );
      return redisClient(() => {
        const client = new Redis(config);
        return Object.assign(client, { end: () => client.disconnect() });
      });
    },
  },
  {
    ...seen,
    name: 'redis',
    protocol: 'tls',
    pools: true,
    cannot: { ...seen.cannot, ...noHeader },
    createClient: (target, policy, { ca, ...tls }) => {
      const { user: username, password } = login('redis');
      const socket = { ...target, ...tls, reconnectStrategy: false as const };
      const pinned = pinnedRedis({ username, password, socket }, policy);
      // A CA among the options tempts the ordinary verification.
      const tempted = { ...pinned.socket, ...(ca === undefined ? {} : { ca }) };
      return redisClient(() => {
        const client = createClient({ ...pinned, socket: tempted });
        return Object.assign(client, { end: () => (client.isOpen ? client.destroy() : undefined) });
      });
    },
  },
  {
    name: 'fetch',
    protocol: 'tls',
    pools: true,
    cannot: ownHeader,
    createClient: (target, policy, tls) => {
      const made = keep(policy);
      return fetchClient(target, () => pinnedFetch(made, { tls, ...oneConnection }));
    },
  },
  {
    name: 'fetch, proxied',
    protocol: 'tls',
    pools: true,
    cannot: ownHeader,
    keepsConfiguration: false, // each dispatcher has a tunnel of its own
    createClient: (target, policy, tls) => {
      const made = keep(policy);
      return fetchClient(target, () => pinnedFetch(made, { tls, proxy: proxyUrl(), ...oneConnection }));
    },
  },
  {
    name: 'undici',
    protocol: 'tls',
    pools: true,
    createClient: ({ host, port }, policy, tls, hostHeader) => {
      const connect = pinnedConnector(policy, tls);
      return postClient(() => {
        const agent = new Agent({ connect, ...oneConnection });
        return {
          post: async (body) => {
            const origin = `https://${host}:${port}`;
            const headers = hostHeaders(hostHeader);
            const answer = await agent.request({ origin, path: '/login', method: 'POST', headers, body });
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
    protocol: 'http2',
    pools: true,
    createClient: ({ host, port }, policy, tls, hostHeader) => {
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
              const authority = hostHeader === undefined ? {} : { ':authority': hostHeader };
              const stream = session.request({ ':method': 'POST', ':path': '/login', ...authority });
              let status = 0;
              stream.on('response', (headers) => {
                status = headers[':status'] ?? 0;
              });
              // Node 24 tells nobody of a reset right behind the handshake, with certpin and without: the caller needs a time limit.
              setTimeout(() => reject(new Error('no answer')), 5_000).unref();
              // A session that ends takes its streams along, without an error of theirs.
              stream
                .on('error', reject)
                .on('close', () => reject(new Error('closed without an answer')))
                .resume();
              stream.on('end', () => resolve(status)).end(body);
            }),
          close: () => session?.destroy(),
        };
      });
    },
  },
  {
    name: 'axios',
    protocol: 'tls',
    pools: true,
    createClient: ({ host, port }, policy, tls, hostHeader) => {
      const config = pinnedAxios({ baseURL: `https://${host}:${port}` }, policy, { keepAlive: true, ...tls });
      return axiosClient(config.httpsAgent, () => axios.create(config), hostHeader);
    },
  },
  ...mongodbClients(seen),
  ...mssqlClients,
];

/** Closing ends a dispatcher for good; what is kept belongs to the policy. A time limit and `hosts` are none of a policy. */
function keep(policy: SuitePolicy): SuitePolicy | Policy {
  return policy.connectTimeoutMs === undefined && policy.hosts === undefined ? createPolicy(policy as never) : policy;
}
