import { parameterRefused } from '../drivers/driver-config.ts';
import { configureMariadb, type MariadbConfig, type PinnedMariadb } from '../drivers/mariadb.ts';
import type { DriverConfigTypes } from '../drivers/refused-types.ts';
import { CertpinError, optionErrors } from '../errors.ts';
import { readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, pinnerOf } from '../tls/pinner-of.ts';

export type { PinnedMariadb };

const invalid = optionErrors('pinnedMariadb');

/** The content of a connection string, as the connector's own options. */
export interface MariadbUrlOptions {
  readonly user?: string;
  readonly password?: string;
  readonly host?: string;
  readonly port?: number;
  readonly database: string;
}

/**
 * A configuration for the `createConnection`, `createPool`, `importFile` and `PoolCluster.add` of MariaDB's connector, with promises
 * (`mariadb`) or callbacks (`mariadb/callback`). User name, password and queries leave only after a matching verdict. There is no plaintext
 * path, and no redirect to another server.
 *
 * ```ts
 * import { createPool } from 'mariadb';
 * import { pinnedMariadb } from 'certpin/mariadb';
 * const pool = createPool(pinnedMariadb({ host: 'db.example.com', user: 'app', password, database: 'app' }, { pins }));
 * ```
 *
 * A connection string works in place of the configuration, but without `ssl…` parameters. Give the string to `pinnedMariadb`, and only the
 * result to the connector.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, if the configuration cannot be used. `createConnection` rejects
 * with the error of a refused connection, unchanged. A pool wraps it (`findCertpinError`)
 */
export function pinnedMariadb(config: string, policy: PolicyInput): MariadbUrlOptions & PinnedMariadb;
export function pinnedMariadb<Config extends object>(
  config: Config & DriverConfigTypes<Config, 'stream' | 'socketPath'>,
  policy: PolicyInput,
): Omit<Config, keyof PinnedMariadb | 'socketPath'> & PinnedMariadb;
export function pinnedMariadb(config: string | MariadbConfig, policy: PolicyInput): object {
  const given = (typeof config === 'string' ? readConnectionString(config) : config) as MariadbConfig;
  return configureMariadb(given, pinnerOf(policy, 'mariadb'), readTlsOptions);
}

/**
 * The connector takes a `stream` only in an object. So it gets the content of the string as options. A message never contains the string,
 * nor the error of the URL parser, because both hold a password.
 */
function readConnectionString(text: string): MariadbUrlOptions {
  try {
    const { protocol, username, password, hostname, port, pathname, search } = new URL(text);
    const database = decodeURIComponent(pathname.slice(1));
    if (protocol !== 'mariadb:' || database === '') throw unreadable();
    return {
      ...(username === '' ? {} : { user: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      ...(hostname === '' ? {} : { host: decodeURIComponent(hostname.replace(/^\[(.*)\]$/, '$1')) }),
      ...(port === '' ? {} : { port: Number(port) }),
      database,
      ...readParameters(search.slice(1)),
    };
  } catch (error) {
    throw error instanceof CertpinError ? error : unreadable();
  }
}

/** Parameters that are not booleans to the connector (lib/config/connection-options.js, pool-options.js). */
const numberParameters: readonly string[] = [
  ...['charsetNumber', 'connectTimeout', 'keepAliveDelay', 'keepAliveInitialDelay', 'socketTimeout', 'queryTimeout'],
  ...['debugLen', 'prepareCacheLength', 'maxAllowedPacket', 'maxAllowedColumns'],
  ...['acquireTimeout', 'connectionLimit', 'idleTimeout', 'leakDetectionTimeout', 'initializationTimeout'],
  ...['minDelayValidation', 'minimumIdle', 'pingTimeout'],
];
const textParameters: readonly string[] = [
  ...['charset', 'collation', 'timezone', 'initSql', 'rsaPublicKey', 'cachingRsaPublicKey', 'restrictedAuth'],
];
const jsonParameters: readonly string[] = ['connectAttributes', 'sessionVariables'];

function readParameters(query: string): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const parameter of query.split('&').filter((text) => text !== '')) {
    const [, name = '', encoded = ''] = /^([^=]*)=?(.*)$/.exec(parameter) ?? [];
    // Not URLSearchParams, which reads a plus sign as a space: to the connector it is a plus sign.
    const value = decodeURIComponent(encoded);
    if (/^(?:ssl|stream$|socketPath$)/i.test(name)) throw parameterRefused('pinnedMariadb', 'connection string', name);
    if (numberParameters.includes(name) && /^-?\d+$/.test(value)) options[name] = Number(value);
    else if (textParameters.includes(name)) options[name] = value;
    else if (jsonParameters.includes(name)) options[name] = JSON.parse(value);
    else if (value === 'true' || value === 'false') options[name] = value === 'true';
    else throw invalid('connectionString', 'a parameter of the connection string cannot be read; use an object');
  }
  return options;
}

function unreadable(): CertpinError {
  const message =
    'the connection string cannot be read; write mariadb://user:password@host:port/database, with percent-encoded names';
  return invalid('connectionString', message);
}
