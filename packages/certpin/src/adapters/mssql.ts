import { readDriverConfig, withPinned } from '../drivers/driver-config.ts';
import { type PinnedTediousOptions, pinTediousOptions } from '../drivers/mssql.ts';
import type { TediousConfigTypes } from '../drivers/refused-types.ts';
import type { TediousOptions } from '../drivers/tedious-options.ts';
import { CertpinError, optionErrors } from '../errors.ts';
import { readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, pinnerOf } from '../tls/pinner-of.ts';

export type { PinnedTediousOptions };

const invalid = optionErrors('pinnedMssql');

const NATIVE_ONLY =
  'only the native driver reads `connectionString`; give what `sql.ConnectionPool.parseConnectionString` makes of it';

/** A configuration with certpin's own options in its `options`. */
type Pinned<Config extends object> = Omit<Config, 'options' | 'encrypt'> & {
  readonly options: Omit<Config extends { readonly options?: infer Options } ? Options : object, OwnKeys> &
    PinnedTediousOptions;
};
type OwnKeys = keyof PinnedTediousOptions;

interface TediousConfig {
  readonly options?: TediousOptions | undefined;
}

/** What `pinnedMssql` reads of a configuration of mssql. */
interface MssqlConfig extends TediousConfig {
  readonly encrypt?: unknown;
  readonly trustServerCertificate?: unknown;
  readonly driver?: unknown;
  readonly connectionString?: unknown;
}

/** Only the native driver reads it. It cannot parse it, so it fails before it opens a connection of its own. */
const NO_NATIVE_DRIVER = 'certpin: the native driver cannot be pinned, use the JavaScript driver';

/**
 * A configuration for tedious' `Connection`, and for every library that passes it to tedious unchanged. The driver gets a stream. This
 * stream makes the upgrade of TDS and the TLS handshake, and is ready only after a matching verdict. There is no plaintext path.
 *
 * ```ts
 * import { Connection } from 'tedious';
 * import { pinnedTedious } from 'certpin/mssql';
 * const connection = new Connection(pinnedTedious({ server: 'db.example.com', authentication, options }, { pins }));
 * ```
 *
 * With `options.encrypt: 'strict'`, the connection begins with TLS (TDS 8, SQL Server 2022). If the server redirects to another one, the
 * policy for the host of that other server applies.
 *
 * Needs tedious 16.1 or newer: older ones do not connect.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, if the configuration cannot be used. The error of a refused
 * connection is the `cause` of the driver's own error (`findCertpinError`)
 */
export function pinnedTedious<const Config extends object>(
  config: Config & TediousConfigTypes<Config>,
  policy: PolicyInput,
): Pinned<Config>;
export function pinnedTedious(config: TediousConfig, policy: PolicyInput): object {
  const given: TediousConfig = readDriverConfig(config, {}, 'pinnedTedious');
  const pinner = pinnerOf(policy, 'mssql');
  const options = pinTediousOptions(given.options, {}, pinner, readTlsOptions, 'pinnedTedious');
  return withPinned(given, { options }, 'pinnedTedious');
}

/**
 * As {@link pinnedTedious}, for mssql's `ConnectionPool` and `connect`, with tedious below it.
 *
 * ```ts
 * import sql from 'mssql';
 * import { pinnedMssql } from 'certpin/mssql';
 * const pool = await sql.connect(pinnedMssql({ server: 'db.example.com', user: 'app', password, database: 'app' }, { pins }));
 * ```
 *
 * Only mssql itself can read a connection string: give `sql.ConnectionPool.parseConnectionString(text)`.
 *
 * Needs mssql 10 or newer.
 *
 * @throws CertpinError as {@link pinnedTedious}, and `ERR_CLIENT_UNSUPPORTED` for the native driver
 */
export function pinnedMssql<const Config extends object>(
  config: Config & TediousConfigTypes<Config>,
  policy: PolicyInput,
): Pinned<Config> & { readonly connectionString: string };
export function pinnedMssql(config: MssqlConfig, policy: PolicyInput): object {
  if (typeof config === 'string')
    throw invalid('config', 'give what `sql.ConnectionPool.parseConnectionString` makes of a connection string');
  const given: MssqlConfig = readDriverConfig(config, { connectionString: NATIVE_ONLY }, 'pinnedMssql');
  const { driver } = given;
  if (driver === 'msnodesqlv8') throw new CertpinError('ERR_CLIENT_UNSUPPORTED', NO_NATIVE_DRIVER, { client: driver });
  const pinner = pinnerOf(policy, 'mssql');
  const options = pinTediousOptions(given.options, given, pinner, readTlsOptions, 'pinnedMssql');
  return withPinned(given, { options, connectionString: NO_NATIVE_DRIVER }, 'pinnedMssql');
}
