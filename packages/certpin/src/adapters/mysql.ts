import { refuseParameters } from '../drivers/driver-config.ts';
import { configureMysql, hookMysql, type MysqlConfig, type MysqlModule, type PinnedMysql } from '../drivers/mysql.ts';
import type { DriverConfigTypes } from '../drivers/refused-types.ts';
import { optionErrors } from '../errors.ts';
import { readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, pinnerOf } from '../tls/pinner-of.ts';

export type { PinnedMysql };

const invalid = optionErrors('pinnedMysql');

/**
 * A configuration for `createConnection`, `createPool` and `PoolCluster.add` of mysql, and for whatever hands it on to the same copy
 * of that package. The driver's user name, password and queries leave only after a matching verdict; there is no plaintext path.
 *
 * ```ts
 * import mysql from 'mysql';
 * import { pinnedMysql } from 'certpin/mysql';
 * const pool = mysql.createPool(pinnedMysql(mysql, { host: 'db.example.com', user: 'app', password, database: 'app' }, { pins }));
 * ```
 *
 * mysql has no place for a stream or a socket. So `connect` of its connections is replaced, once, in the copy that is given here;
 * connections whose configuration was not made by certpin go on as before.
 *
 * A URL works as ever, without parameters for TLS.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`, at once, for what cannot be used; the
 * error of a refused connection comes out of the driver's own call as it is
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

/** The driver's own reading of a URL. It holds a password, so it is never in a message. */
function readUrl(mysql: MysqlModule, url: string): object {
  refuseParameters(url, /^(?:ssl|socketpath)/i, 'pinnedMysql', 'URL');
  try {
    // A pool connects when it is asked to. What it keeps in its configuration is its own, and what it was given goes back in.
    const { config } = mysql.createPool(url) as { config: { connectionConfig: object } };
    const { connectionConfig, ...ofPool } = config;
    const { pool: _, ssl: __, ...ofConnection } = connectionConfig as { pool?: object; ssl?: unknown };
    return { ...ofConnection, ...ofPool };
  } catch {
    throw invalid('url', 'the driver cannot read the URL');
  }
}
