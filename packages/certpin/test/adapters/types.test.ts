// What is refused at run time is refused by the compiler, where a configuration says it outright: `npm run types` compiles this file, and
// an error that does not come is one. What a driver's own type merely allows is taken.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AxiosRequestConfig } from 'axios';
import type { RedisOptions } from 'ioredis';
import type { PoolConfig as MariadbConfig } from 'mariadb';
import type { MongoClient } from 'mongodb';
import type { MongoClient as MongoClient4 } from 'mongodb-4';
import type { MongoClient as MongoClient5 } from 'mongodb-5';
import type { config as MssqlConfig } from 'mssql';
import type { ConnectionConfig as MysqlConfig } from 'mysql';
import mysql from 'mysql';
import type { PoolOptions } from 'mysql2';
import type { PoolConfig } from 'pg';
import type { RedisClientOptions } from 'redis';
import type { ConnectionConfiguration as TediousConfig } from 'tedious';
import { pinnedAxios } from '../../src/adapters/axios.ts';
import { isSupported, pinnedTls } from '../../src/adapters/driver-tls.ts';
import { pinnedForward } from '../../src/adapters/forward.ts';
import { pinnedHttp2 } from '../../src/adapters/http2.ts';
import { pinnedAgent } from '../../src/adapters/https.ts';
import { pinnedLdapjs, pinnedLdapts } from '../../src/adapters/ldap.ts';
import { pinnedMariadb } from '../../src/adapters/mariadb.ts';
import { type ConnectableMongodb, pinnedMongodbForward } from '../../src/adapters/mongodb.ts';
import { pinnedMssql, pinnedTedious } from '../../src/adapters/mssql.ts';
import { pinnedMysql } from '../../src/adapters/mysql.ts';
import { pinnedMysql2 } from '../../src/adapters/mysql2.ts';
import { pinnedPg } from '../../src/adapters/pg.ts';
import { pinnedPostgres } from '../../src/adapters/postgres.ts';
import { pinnedIoredis, pinnedRedis } from '../../src/adapters/redis.ts';
import { pinnedConnector, pinnedDispatcher, pinnedFetch } from '../../src/adapters/undici.ts';
import { createPolicy, type PolicyOptions, verify } from '../../src/index.ts';
import { connect, type GuardOptions } from '../../src/tls/index.ts';

const pins = 'A'.repeat(64);
const ssl = { rejectUnauthorized: false };
const host = 'db.example.com';
const url = `mongodb://${host}`;
const ldap = `ldaps://${host}`;

const refused: Record<string, () => unknown> = {
  // @ts-expect-error: verification off, in a literal
  'pg, verification off': () => pinnedPg({ host, ssl: { rejectUnauthorized: false } }, { pins }),
  // @ts-expect-error: and in a variable
  'pg, verification off in a variable': () => pinnedPg({ host, ssl }, { pins }),
  // @ts-expect-error: no TLS
  'pg, no TLS': () => pinnedPg({ host, ssl: false }, { pins }),
  // @ts-expect-error: a stream of somebody else
  'pg, a stream': () => pinnedPg({ host, stream: () => undefined }, { pins }),
  // @ts-expect-error: no pin
  'pg, no pin': () => pinnedPg({ host }, {}),
  // @ts-expect-error: verification off
  'postgres, verification off': () => pinnedPostgres({ host, ssl: { rejectUnauthorized: false } }, { pins }),
  // @ts-expect-error: no TLS
  'postgres, no TLS': () => pinnedPostgres({ host, ssl: false }, { pins }),
  // @ts-expect-error: no TLS
  'postgres, a mode': () => pinnedPostgres({ host, ssl: 'prefer' }, { pins }),
  // @ts-expect-error: no pin
  'postgres, no pin': () => pinnedPostgres({ host }, {}),
  // @ts-expect-error: verification off
  'mysql2, verification off': () => pinnedMysql2({ host, ssl: { rejectUnauthorized: false } }, { pins }),
  // @ts-expect-error: a list of CAs
  'mysql2, a profile': () => pinnedMysql2({ host, ssl: 'Amazon RDS' }, { pins }),
  // @ts-expect-error: another check of the name
  'mysql2, verifyIdentity': () => pinnedMysql2({ host, ssl: { verifyIdentity: true } }, { pins }),
  // @ts-expect-error: a unix socket
  'mysql2, a unix socket': () => pinnedMysql2({ socketPath: '/run/mysqld.sock' }, { pins }),
  // @ts-expect-error: no pin
  'mysql2, no pin': () => pinnedMysql2({ host }, {}),
  // @ts-expect-error: verification off
  'mysql, verification off': () => pinnedMysql(mysql, { host, ssl: { rejectUnauthorized: false } }, { pins }),
  // @ts-expect-error: a list of CAs
  'mysql, a profile': () => pinnedMysql(mysql, { host, ssl: 'Amazon RDS' }, { pins }),
  // @ts-expect-error: no pin
  'mysql, no pin': () => pinnedMysql(mysql, { host }, {}),
  // @ts-expect-error: verification off
  'mariadb, verification off': () => pinnedMariadb({ host, ssl: { rejectUnauthorized: false } }, { pins }),
  // @ts-expect-error: no TLS
  'mariadb, no TLS': () => pinnedMariadb({ host, ssl: false }, { pins }),
  // @ts-expect-error: no pin
  'mariadb, no pin': () => pinnedMariadb({ host }, {}),
  // @ts-expect-error: no TLS, beside the options
  'mssql, no TLS beside the options': () => pinnedMssql({ server: host, encrypt: false }, { pins }),
  // @ts-expect-error: any server
  'mssql, trust': () => pinnedMssql({ server: host, options: { trustServerCertificate: true } }, { pins }),
  // @ts-expect-error: no pin
  'tedious, no pin': () => pinnedTedious({ server: host }, {}),
  // @ts-expect-error: an agent of somebody else
  'axios, an agent': () => pinnedAxios({ httpsAgent: pinnedAgent({ pins }) }, { pins }),
  // @ts-expect-error: a proxy that would make the connection
  'axios, a proxy': () => pinnedAxios({ proxy: { host: '127.0.0.1', port: 3128 } }, { pins }),
  // @ts-expect-error: verification off
  'axios, verification off': () => pinnedAxios({}, { pins }, { rejectUnauthorized: false }),
  // @ts-expect-error: no pin
  'axios, no pin': () => pinnedAxios({}, {}),
  // @ts-expect-error: verification off
  'an agent, verification off': () => pinnedAgent({ pins, rejectUnauthorized: false }),
  // @ts-expect-error: no pin
  'an agent, no pin': () => pinnedAgent({}),
  // @ts-expect-error: no pin
  'fetch, no pin': () => pinnedFetch({}),
  // @ts-expect-error: verification off
  'fetch, verification off': () => pinnedFetch({ pins }, { tls: { rejectUnauthorized: false } }),
  // @ts-expect-error: no pin
  'a dispatcher, no pin': () => pinnedDispatcher({}),
  // @ts-expect-error: no pin
  'a connector, no pin': () => pinnedConnector({}),
  // @ts-expect-error: verification off
  'a connector, verification off': () => pinnedConnector({ pins }, { rejectUnauthorized: false }),
  // @ts-expect-error: no pin
  'http2, no pin': () => pinnedHttp2({}),
  // @ts-expect-error: verification off
  'http2, verification off': () => pinnedHttp2({ pins }, { rejectUnauthorized: false }),
  // @ts-expect-error: every certificate
  'tedious, every certificate': () => pinnedTedious({ options: { trustServerCertificate: true } }, { pins }),
  // @ts-expect-error: no TLS
  'tedious, no TLS': () => pinnedTedious({ options: { encrypt: false } }, { pins }),
  // @ts-expect-error: a stream of somebody else
  'tedious, a connector': () => pinnedTedious({ options: { connector: async () => undefined } }, { pins }),
  // @ts-expect-error: every certificate
  'mssql, every certificate': () => pinnedMssql({ server: host, options: { trustServerCertificate: true } }, { pins }),
  // @ts-expect-error: every certificate
  'mssql, every certificate, at the top': () => pinnedMssql({ server: host, trustServerCertificate: true }, { pins }),
  // @ts-expect-error: no TLS
  'mssql, no TLS': () => pinnedMssql({ server: host, options: { encrypt: false } }, { pins }),
  // @ts-expect-error: no pin
  'mssql, no pin': () => pinnedMssql({ server: host }, {}),
  // @ts-expect-error: every certificate
  'mongodb, every certificate': () => pinnedMongodbForward(url, { pins }, { tlsAllowInvalidCertificates: true }),
  // @ts-expect-error: verification off
  'mongodb, verification off': () => pinnedMongodbForward(url, { pins }, { tlsInsecure: true }),
  // @ts-expect-error: no TLS
  'mongodb, no TLS': () => pinnedMongodbForward(url, { pins }, { tls: false }),
  // @ts-expect-error: no pin
  'mongodb, no pin': () => pinnedMongodbForward(url, {}),
  // @ts-expect-error: verification off
  'ioredis, verification off': () => pinnedIoredis({ host, tls: { rejectUnauthorized: false } }, { pins }),
  // @ts-expect-error: no TLS
  'ioredis, no TLS': () => pinnedIoredis({ host, tls: false }, { pins }),
  // @ts-expect-error: no pin
  'ioredis, no pin': () => pinnedIoredis({ host }, {}),
  // @ts-expect-error: verification off
  'redis, verification off': () => pinnedRedis({ socket: { host, rejectUnauthorized: false } }, { pins }),
  // @ts-expect-error: no TLS
  'redis, no TLS': () => pinnedRedis({ socket: { host, tls: false } }, { pins }),
  // @ts-expect-error: verification off
  'redis 3, verification off': () => pinnedRedis({ host, tls: { rejectUnauthorized: false } }, { pins }),
  // @ts-expect-error: no pin
  'redis, no pin': () => pinnedRedis({ socket: { host } }, {}),
  // @ts-expect-error: verification off
  'ldapts, verification off': () => pinnedLdapts({ url: ldap, tlsOptions: { rejectUnauthorized: false } }, { pins }),
  // @ts-expect-error: verification off
  'ldapjs, verification off': () => pinnedLdapjs({ url: ldap, tlsOptions: { rejectUnauthorized: false } }, { pins }),
  // @ts-expect-error: no pin
  'ldapts, no pin': () => pinnedLdapts({ url: ldap }, {}),
  // @ts-expect-error: verification off
  'driver-tls, verification off': () => pinnedTls({ pins }, { rejectUnauthorized: false }),
  // @ts-expect-error: a session of somebody else
  'driver-tls, a session': () => pinnedTls({ pins }, { session: Buffer.alloc(1) }),
  // @ts-expect-error: no pin
  'driver-tls, no pin': () => pinnedTls({}),
  // @ts-expect-error: verification off
  'forward, verification off': () => pinnedForward({ host, port: 1 }, { pins }, { tls: { rejectUnauthorized: false } }),
  // @ts-expect-error: a session of somebody else
  'forward, a session': () => pinnedForward({ host, port: 1 }, { pins }, { tls: { session: Buffer.alloc(1) } }),
  // @ts-expect-error: no pin
  'forward, no pin': () => pinnedForward({ host, port: 1 }, {}),
  // @ts-expect-error: no pin
  'tls, no pin': () => connect({ host }),
  // @ts-expect-error: no pin
  'a policy, no pin': () => createPolicy({}),
  // @ts-expect-error: no pin
  'a policy, a switch alone': () => createPolicy({ expired: 'accept' }),
  // @ts-expect-error: no pin
  'a verdict, no pin': () => verify({ certificates: [] }, {}),
  // @ts-expect-error: no pin
  'hosts, a host without a pin': () => pinnedPg({ host }, { hosts: { [host]: {} } }),
  // @ts-expect-error: no pin
  'hosts of an agent, a switch alone': () => pinnedAgent({ hosts: { [host]: { expired: 'accept' } } }),
};

for (const [what, configure] of Object.entries(refused)) {
  test(`the compiler and the run refuse: ${what}`, async () => {
    await assert.rejects(async () => configure(), { code: /^ERR_(?:OPTION|PIN)_INVALID$/ } as never);
  });
}

test('the types of the drivers, of a policy and of the environment are taken', () => {
  const ofPg: PoolConfig = { host, ssl: { servername: host } };
  const ofMysql2: PoolOptions = { host, ssl: { ca: [] } };
  const ofMariadb: MariadbConfig = { host, ssl: true };
  const ofMysql: MysqlConfig = { host, ssl: {} };
  const ofTedious: TediousConfig = { server: host, options: { encrypt: true } };
  const ofMssql: MssqlConfig = { server: host, options: { trustServerCertificate: false } };
  const ofIoredis: RedisOptions = { host, tls: {} };
  const ofRedis: RedisClientOptions = { socket: { host, tls: true } };
  const ofAxios: AxiosRequestConfig = { baseURL: 'https://api.example.com', proxy: false };
  const policy: PolicyOptions = { pins, expired: 'accept' };
  const guarded: GuardOptions = { hosts: { [host]: { pins } }, connectTimeoutMs: 5_000 };
  pinnedPg(ofPg, policy);
  pinnedPg({ host, ssl: true }, guarded);
  pinnedPostgres({ host, ssl: { servername: host } }, policy);
  pinnedMysql2(ofMysql2, guarded);
  pinnedMariadb(ofMariadb, policy);
  pinnedMysql(mysql, ofMysql, policy);
  const ofMongodb: readonly ConnectableMongodb[] = [] as MongoClient[] | MongoClient4[] | MongoClient5[];
  assert.deepEqual(ofMongodb, []);
  pinnedTedious(ofTedious, policy);
  pinnedTedious({ server: host, options: { encrypt: 'strict' } }, policy);
  pinnedMssql(ofMssql, policy);
  pinnedIoredis(ofIoredis, policy);
  pinnedIoredis({ host, tls: { servername: host } }, policy);
  if (isSupported()) {
    pinnedRedis(ofRedis, guarded);
    pinnedRedis({ socket: { host, tls: true, servername: host } }, policy);
  }
  pinnedAxios(ofAxios, policy, { keepAlive: true });
  pinnedAxios({ proxy: false, url: 'https://api.example.com' }, policy);
  pinnedAgent({ ...policy, keepAlive: true });
  if (isSupported()) {
    // Clients name fewer options of TLS than Node, and with narrower types (mqtt).
    const ofClient: { cert?: string; timeout?: number; rejectUnauthorized?: boolean } = pinnedTls(policy);
    assert.equal(ofClient.rejectUnauthorized, true);
  }
  assert.throws(() => pinnedPg(ofPg, { pins: process.env.CERTPIN_NOT_SET }), { code: 'ERR_OPTION_INVALID' });
});
