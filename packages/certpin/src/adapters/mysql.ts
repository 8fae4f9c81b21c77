import { refuseParameters } from '../drivers/driver-config.ts';
import { configureMysql, hookMysql, type MysqlConfig, type MysqlModule, type PinnedMysql } from '../drivers/mysql.ts';
import type { DriverConfigTypes } from '../drivers/refused-types.ts';
import { optionErrors } from '../errors.ts';
import { readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, pinnerOf } from '../tls/pinner-of.ts';

export type { PinnedMysql };

const invalid = optionErrors('pinnedMysql');

/**
 * A configuration for `createConnection`, `createPool` and `PoolCluster.add` of mysql, and for every library that passes it to the same
 * copy of mysql. User name, password and queries leave only after a matching verdict. There is no plaintext path.
 *
 * ```ts
 * import mysql from 'mysql';
 * import { pinnedMysql } from 'certpin/mysql';
 * const pool = mysql.createPool(pinnedMysql(mysql, { host: 'db.example.com', user: 'app', password, database: 'app' }, { pins }));
 * ```
 *
 * mysql takes neither a stream nor a socket. So certpin replaces `connect` of its connections, once, in the copy that is given here.
 * Connections with a configuration that certpin did not make work as before.
 *
 * A URL works too, but without parameters for TLS.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`, at once, if the module or the configuration
 * cannot be used. The driver's own call fails with the error of a refused connection, unchanged
 */
export function pinnedMysql(mysql: MysqlModule, url: string, policy: PolicyInput): object & PinnedMysql;
export function pinnedMysql<Config extends object>(
  mysql: MysqlModule,
  config: Config & DriverConfigTypes<Config, 'socketPath'>,
  policy: PolicyInput,
): Omit<Config, keyof PinnedMysql> & PinnedMysql;
export function pinnedMysql(mysql: MysqlModule, config: string | MysqlConfig, policy: PolicyInput): object {
  hookMysql(mysql);
  const given = (typeof config === 'string' ? readUrl(mysql, config) : config) as MysqlConfig;
  if (Object.hasOwn(Object(given), 'ssl') && typeof given.ssl === 'string') {
    const message = 'a profile in `ssl` is a list of CAs; pin the server, or its CA with `issuerPins`, and remove it';
    throw invalid('ssl', message);
  }
  return configureMysql(given, pinnerOf(policy, 'mysql'), readTlsOptions);
}

/** The driver's own parser reads a URL. A URL holds a password, so no message contains it. */
function readUrl(mysql: MysqlModule, url: string): object {
  refuseParameters(url, /^(?:ssl|socketpath)/i, 'pinnedMysql', 'URL');
  try {
    // A pool parses the URL, and connects only when it is asked to. What the pool adds for itself is left out of the result.
    const { config } = mysql.createPool(url) as { config: { connectionConfig: object } };
    const { connectionConfig, ...ofPool } = config;
    const { pool: _, ssl: __, ...ofConnection } = connectionConfig as { pool?: object; ssl?: unknown };
    return { ...ofConnection, ...ofPool };
  } catch {
    throw invalid('url', 'the driver cannot read the URL');
  }
}
