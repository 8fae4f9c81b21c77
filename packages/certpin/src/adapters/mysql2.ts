import { CertpinError } from '../core/errors.ts';
import { INLINE } from '../core/form.ts';
import type { Policy } from '../core/policy.ts';
import { dial } from '../protocols/dial.ts';
import { createMysqlMediation } from '../protocols/mysql.ts';
import {
  MAKES_STREAM,
  NOWHERE,
  readDriverConfig,
  refuseParameters,
  type TrustlessTls,
  trustlessTls,
  withPinned,
} from '../tls/driver-config.ts';
import { NO_UNIX_SOCKET } from '../tls/late-stream.ts';
import { type GuardOptions, readClientTls, readPolicy } from '../tls/options.ts';
import { PinnedStream } from '../tls/pinned-stream.ts';
import { openUpgraded } from '../tls/upgrade.ts';

/** What {@link pinnedMysql2} reads of a mysql2 configuration; everything else passes through untouched. */
interface Mysql2Config {
  readonly uri?: string | undefined;
  /** TLS options of the client itself: `cert` and `key` for mutual TLS, `servername`, `ciphers`, `ca` for `caVerification`. */
  readonly ssl?: unknown;
  readonly stream?: unknown;
  readonly socketPath?: unknown;
}

/** What {@link pinnedMysql2} adds. */
export interface PinnedMysql2 {
  /** Makes the TLS connection; the driver makes none. */
  readonly stream: (options: Mysql2StreamOptions) => PinnedStream;
  /**
   * With a `socketPath` mysql2 takes the connection for a safe one, as it is, and sends what only a safe connection may carry
   * (caching_sha2_password). `stream` wins over it. A copy of the configuration that has lost the function goes there and finds nothing.
   */
  readonly socketPath: string;
  /** For a copy that has lost both of them: a demand for the ordinary verification by none of all CAs. */
  readonly ssl: TrustlessTls;
}

/** What mysql2 hands to a `stream` function: its configuration, in which a `uri` has been read. */
interface Mysql2StreamOptions {
  readonly config: {
    readonly host: string;
    readonly port: number;
    readonly enableKeepAlive?: boolean;
    readonly keepAliveInitialDelay?: number;
    ssl: unknown;
  };
}

type UriConfig = { readonly uri: string };

/**
 * A configuration for mysql2's `createConnection`, `createPool` and `PoolCluster.add`, with callbacks or promises, and for every ORM
 * that hands its configuration on to them. The driver's user name, password and queries leave only after a matching verdict; there is
 * no plaintext path.
 *
 * ```ts
 * import { createPool } from 'mysql2/promise';
 * import { pinnedMysql2 } from 'certpin/mysql2';
 * const pool = createPool(pinnedMysql2({ host: 'db.example.com', user: 'app', password, database: 'app' }, { pins }));
 * ```
 *
 * A `uri` works as ever, without its `ssl…` parameters.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, for a configuration that cannot be used; the error of a
 * refused connection comes out of the driver's own call as it is
 */
export function pinnedMysql2(config: string, policy: GuardOptions | Policy): UriConfig & PinnedMysql2;
export function pinnedMysql2<Config extends object>(
  config: Config,
  policy: GuardOptions | Policy,
): Omit<Config, keyof PinnedMysql2> & PinnedMysql2;
export function pinnedMysql2(config: string | Mysql2Config, policy: GuardOptions | Policy): object {
  const given: Mysql2Config = readDriverConfig(
    typeof config === 'string' ? { uri: config } : config,
    { stream: MAKES_STREAM, socketPath: NO_UNIX_SOCKET },
    'pinnedMysql2',
  );
  /** mysql2 takes what the configuration leaves out from the parameters of the URI. */
  refuseParameters(given.uri, /^(?:ssl|stream$|socketpath$)/i, 'pinnedMysql2', 'URI');
  if (!INLINE) checkIdentity(given.ssl);
  const tls = readClientTls(given.ssl);
  const guarded = readPolicy(policy);

  const stream = ({ config: driver }: Mysql2StreamOptions): PinnedStream => {
    /** No TLS but ours, whatever a copy of the configuration says. */
    driver.ssl = false;
    const mediation = createMysqlMediation((packet) => pinned.push(packet));
    const open = openUpgraded({
      ...guarded,
      tls,
      dial: (address, ready) => dial(address, mediation, ready),
    });
    const pinned = new PinnedStream({ open, mediator: mediation });
    /** As mysql2 sets up the sockets that it makes itself (lib/base/connection.js). */
    pinned.setNoDelay(true);
    if (driver.enableKeepAlive === true) pinned.setKeepAlive(true, driver.keepAliveInitialDelay);
    return pinned.connect(driver.port, driver.host);
  };
  return withPinned(given, { stream, socketPath: NOWHERE, ssl: trustlessTls() }, 'pinnedMysql2');
}

function checkIdentity(ssl: unknown): void {
  if (typeof ssl === 'string') {
    throw invalid(
      'ssl',
      'a profile in `ssl` is a list of CAs; pin the server, or its CA with `issuerPins`, and remove it',
    );
  }
  if (typeof ssl !== 'object' || ssl === null || (ssl as { verifyIdentity?: unknown }).verifyIdentity === undefined)
    return;
  const message =
    "`ssl.verifyIdentity` has no place beside a pin; remove it (`hostnameVerification: 'require'` demands the host name too)";
  throw invalid('verifyIdentity', message);
}

function invalid(option: string, message: string): CertpinError<'ERR_OPTION_INVALID'> {
  return new CertpinError('ERR_OPTION_INVALID', `pinnedMysql2: ${message}`, { option });
}
