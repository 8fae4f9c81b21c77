import type { Node } from 'estree';
import type { AnyCall } from './ast.ts';
import { HOLE } from './markers.ts';
import { type Entry, type ModuleValue, type ObjectValue, objectsOf, type Value } from './value.ts';
import type { Values } from './values.ts';

export type Driver =
  | 'pg'
  | 'postgres'
  | 'mysql'
  | 'mysql2'
  | 'mariadb'
  | 'tedious'
  | 'mssql'
  | 'mongodb'
  | 'ioredis'
  | 'redis'
  | 'ldapts'
  | 'ldapjs'
  | 'nodemailer';

/** A place at which a connection to a database, a directory or a mail server is configured. */
export interface Connection {
  readonly driver: Driver;
  readonly version: string | undefined;
  readonly node: AnyCall;
  /** The options, if they can be seen. */
  readonly config: ObjectValue | undefined;
  /** The connection string, with holes for unknown parts. undefined: there is none. */
  readonly url: string | undefined;
  /** Whether every option can be seen. */
  readonly complete: boolean;
}

const PACKAGES: Readonly<Record<string, Driver>> = {
  pg: 'pg',
  'pg-pool': 'pg',
  postgres: 'postgres',
  mysql: 'mysql',
  mysql2: 'mysql2',
  'mysql2/promise': 'mysql2',
  mariadb: 'mariadb',
  'mariadb/callback': 'mariadb',
  tedious: 'tedious',
  mssql: 'mssql',
  mongodb: 'mongodb',
  mongoose: 'mongodb',
  ioredis: 'ioredis',
  redis: 'redis',
  ldapts: 'ldapts',
  ldapjs: 'ldapjs',
  nodemailer: 'nodemailer',
};

/** What makes a connection or a pool, as a path below the package; '' is the package itself. */
const MAKERS: Readonly<Record<Driver, RegExp>> = {
  pg: /^(?:|Client|Pool|native\.Client|native\.Pool|connect)$/,
  postgres: /^$/,
  mysql: /^(?:|createConnection|createPool)$/,
  mysql2: /^(?:createConnection|createPool|promise\.createConnection|promise\.createPool)$/,
  mariadb: /^(?:createConnection|createPool)$/,
  tedious: /^Connection$/,
  mssql: /^(?:connect|ConnectionPool)$/,
  mongodb: /^(?:MongoClient|MongoClient\.connect|connect|createConnection)$/,
  ioredis: /^(?:|Redis|Cluster|Redis\.Cluster)$/,
  redis: /^create(?:Client|ClientPool|Cluster|Sentinel)$/,
  ldapts: /^Client$/,
  ldapjs: /^createClient$/,
  nodemailer: /^createTransport$/,
};

/** The property that holds the connection string beside other options. */
const URL_KEYS = ['connectionString', 'uri', 'url'];

function driverOf({ name, path }: ModuleValue): Driver | undefined {
  const driver = Object.hasOwn(PACKAGES, name) ? PACKAGES[name] : undefined;
  // The package `postgres` itself is called. The package `pg` is not, but `pg-pool` is.
  if (driver === undefined || (name === 'pg' && path.length === 0)) return undefined;
  return MAKERS[driver].test(path.join('.')) ? driver : undefined;
}

/** The package whose pool cluster `cluster.add` is called on. */
function clusterOf(callee: Value): ModuleValue | undefined {
  const isAdd = callee.kind === 'made' && callee.path.join('.') === 'add';
  return isAdd && callee.by.path.at(-1) === 'createPoolCluster' ? callee.by : undefined;
}

/** The connection that a call configures. undefined: it configures none. */
export function connectionOf(node: AnyCall, values: Values): Connection | undefined {
  const cluster = clusterOf(values.of(node.callee as Node));
  const module = cluster ?? values.moduleOf(node.callee as Node);
  const driver = cluster ? PACKAGES[cluster.name] : module && driverOf(module);
  if (driver === undefined || node.arguments.some(({ type }) => type === 'SpreadElement')) return undefined;
  // A member of a cluster may have a name before its options.
  const options = cluster ? node.arguments.slice(-1) : node.arguments.slice(0, 2);
  const given = options.map((argument) => values.of(argument));
  const config = given.find((value) => value.kind === 'object');
  const text = given[0]?.kind === 'text' ? given[0].text : config && urlIn(config, values);
  return {
    driver,
    version: module?.version,
    node,
    config,
    url: text,
    complete:
      given.length > 0 &&
      !config?.open &&
      given.every(({ kind }) => kind === 'object' || kind === 'text' || kind === 'function' || kind === 'constant'),
  };
}

function urlIn(config: ObjectValue, values: Values): string | undefined {
  const entry = URL_KEYS.map((key) => config.entries.get(key)).find((found) => found !== undefined);
  if (entry === undefined) return undefined;
  const value = values.of(entry.value);
  return value.kind === 'text' ? value.text : HOLE;
}

export function isSqlServer({ driver }: Connection): boolean {
  return driver === 'tedious' || driver === 'mssql';
}

/** The first number of the required version. Without a version, that of the newest. */
export function majorOf(version: string | undefined): number {
  return Number(version?.split('.')[0] ?? Number.POSITIVE_INFINITY);
}

/** Whether a client of SQL Server makes TLS by default: since version 6, and tedious without any `options` since 6.7. */
export function encryptsByDefault({ driver, version, config }: Connection): boolean {
  const isBare = driver === 'tedious' && config?.entries.has('options') === false;
  return majorOf(version) > 5 && !(isBare && /^6\.[0-6](?:\.|$)/.test(version ?? ''));
}

/** The property of a connection's options that controls TLS. For SQL Server, `options.encrypt`. */
export function tlsEntry(connection: Connection, values: Values): Entry | undefined {
  const { config } = connection;
  if (isSqlServer(connection)) {
    const options = values.of(config?.entries.get('options')?.value);
    const entry = options.kind === 'object' ? options.entries.get('encrypt') : undefined;
    return entry ?? config?.entries.get('encrypt');
  }
  return config?.entries.get('ssl') ?? config?.entries.get('tls');
}

/** The objects that contain `ca`, `checkServerIdentity` and so on, or that somebody mistook for them. */
export function tlsObjects(connection: Connection, values: Values): ObjectValue[] {
  const { driver, config } = connection;
  if (config === undefined) return [];
  const inside = (object: ObjectValue, key: string): ObjectValue[] =>
    objectsOf(values.possible(object.entries.get(key)?.value));
  if (driver === 'mongodb') return [config];
  if (!isSqlServer(connection)) return inside(config, 'ssl');
  const options = inside(config, 'options');
  return [config, ...options, ...options.flatMap((object) => inside(object, 'cryptoCredentialsDetails'))];
}

/** Whether certpin made a value, or the object that contains it: a pinned configuration, or the end of a pinned connection. */
export function isOfCertpin(value: Value): boolean {
  return /^certpin(?:\/|$)/.test(packageOf(value) ?? '');
}

/** The package at the root of a value: of `pool`, of `axios`, of `client.query`. */
export function packageOf(value: Value): string | undefined {
  if (value.kind === 'made') return value.by.name;
  return value.kind === 'module' ? value.name : undefined;
}
