import { CertpinError, optionInvalid } from '../core/errors.ts';
import { INLINE } from '../core/form.ts';
import type { Policy } from '../core/policy.ts';
import { dial } from '../protocols/dial.ts';
import { createMysqlMediation } from '../protocols/mysql.ts';
import {
  type LostTls,
  lostTls,
  MAKES_STREAM,
  parameterRefused,
  readDriverConfig,
  withPinned,
} from '../tls/driver-config.ts';
import { NO_UNIX_SOCKET } from '../tls/late-stream.ts';
import { type GuardOptions, readClientTls, readPolicy } from '../tls/options.ts';
import { PinnedStream } from '../tls/pinned-stream.ts';
import { openUpgraded } from '../tls/upgrade.ts';

/** What {@link pinnedMariadb} reads of a configuration of the connector; everything else passes through untouched. */
interface MariadbConfig {
  /** TLS options of the client itself: `cert` and `key` for mutual TLS, `servername`, `ciphers`, `ca` for `caVerification`. */
  readonly ssl?: unknown;
  readonly stream?: unknown;
  readonly socketPath?: unknown;
  readonly permitRedirect?: unknown;
}

/** What {@link pinnedMariadb} adds. */
export interface PinnedMariadb {
  /** Makes the TLS connection; the connector makes none. */
  readonly stream: () => PinnedStream;
  /**
   * `stream` wins over it, for it takes it away. A copy of the configuration that has lost the function demands TLS that nobody can
   * begin, so it says nothing to whoever answers.
   */
  readonly ssl: LostTls;
  /** A server does not choose to whom the login goes. */
  readonly permitRedirect: false;
}

/** What a connection string says, in the connector's own options. */
export interface MariadbUrlOptions {
  readonly user?: string;
  readonly password?: string;
  readonly host?: string;
  readonly port?: number;
  readonly database: string;
}

/** The options of one connection, a copy of its own, on which the connector calls `stream` (lib/connection.js). */
interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  ssl: unknown;
  permitRedirect: boolean;
}

/**
 * A configuration for the `createConnection`, `createPool`, `importFile` and `PoolCluster.add` of MariaDB's connector, with promises
 * (`mariadb`) or callbacks (`mariadb/callback`). The connector's user name, password and queries leave only after a matching verdict;
 * there is no plaintext path, and no redirect to another server.
 *
 * ```ts
 * import { createPool } from 'mariadb';
 * import { pinnedMariadb } from 'certpin/mariadb';
 * const pool = createPool(pinnedMariadb({ host: 'db.example.com', user: 'app', password, database: 'app' }, { pins }));
 * ```
 *
 * A connection string works in place of the configuration, without its `ssl…` parameters; give it to `pinnedMariadb` and only the
 * result to the connector.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, for a configuration that cannot be used. The error of a
 * refused connection comes out of `createConnection` as it is; a pool wraps it (`findCertpinError`)
 */
export function pinnedMariadb(config: string, policy: GuardOptions | Policy): MariadbUrlOptions & PinnedMariadb;
export function pinnedMariadb<Config extends object>(
  config: Config,
  policy: GuardOptions | Policy,
): Omit<Config, keyof PinnedMariadb | 'socketPath'> & PinnedMariadb;
export function pinnedMariadb(config: string | MariadbConfig, policy: GuardOptions | Policy): object {
  const given: MariadbConfig = readDriverConfig(
    (!INLINE && typeof config === 'string' ? readConnectionString(config) : config) as MariadbConfig,
    { stream: MAKES_STREAM, socketPath: NO_UNIX_SOCKET },
    'pinnedMariadb',
  );
  if (given.permitRedirect)
    throw optionInvalid(
      'permitRedirect',
      'pinnedMariadb: a redirect would send the login to a server that nobody named; remove it',
    );
  const tls = readClientTls(given.ssl);
  const guarded = readPolicy(policy);

  function stream(this: ConnectionOptions): PinnedStream {
    // No TLS but ours, and no redirect, whatever a copy of the configuration says.
    this.ssl = undefined;
    this.permitRedirect = false;
    const mediation = createMysqlMediation((packet) => pinned.push(packet));
    const open = openUpgraded({
      ...guarded,
      tls,
      dial: (address, ready) => dial(address, mediation, ready),
    });
    const pinned = new PinnedStream({ open, mediator: mediation });
    // The connector looks here, and nowhere else, before it sends what only a safe connection may carry (caching_sha2_password).
    pinned.once('connect', () => {
      this.ssl = true;
    });
    /** As the connector does with the sockets that it makes itself. */
    pinned.setNoDelay(true);
    return pinned.connect(this.port, this.host);
  }

  /** The connector prefers a `socketPath` to a stream, so that stays ours. */
  const own = { stream, ssl: lostTls(), socketPath: undefined, permitRedirect: false };
  return withPinned(given, own, 'pinnedMariadb');
}

/**
 * The connector takes a `stream` in an object only, so it gets what the string says, as options. The string is never part of a
 * message, nor is the URL parser's own error: both hold a password.
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

/** Parameters that are no booleans, as the connector reads them (lib/config/connection-options.js, pool-options.js). */
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
    // Not URLSearchParams: to the connector a plus sign is one.
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

function unreadable(): CertpinError<'ERR_OPTION_INVALID'> {
  const message =
    'the connection string cannot be read: mariadb://user:password@host:port/database, with percent-encoded names';
  return invalid('connectionString', message);
}

function invalid(option: string, message: string): CertpinError<'ERR_OPTION_INVALID'> {
  return new CertpinError('ERR_OPTION_INVALID', `pinnedMariadb: ${message}`, { option });
}
