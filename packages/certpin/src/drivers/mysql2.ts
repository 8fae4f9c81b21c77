import type { Pinner } from '../leaf/pinner.ts';
import { NO_UNIX_SOCKET } from '../wire/late-stream.ts';
import type { PinnedStream } from '../wire/pinned-stream.ts';
import {
  MAKES_STREAM,
  NOWHERE,
  type ReadTls,
  readClientTls,
  readDriverConfig,
  refuseParameters,
  type TrustlessTls,
  trustlessTls,
  withPinned,
} from './driver-config.ts';
import { openMysqlStream } from './mysql-stream.ts';

/** What `pinnedMysql2` reads of a mysql2 configuration; everything else passes through untouched. */
export interface Mysql2Config {
  readonly uri?: string | undefined;
  /** TLS options of the client itself: `cert` and `key` for mutual TLS, `servername`, `ciphers`, `ca` for `caVerification`. */
  readonly ssl?: unknown;
  readonly stream?: unknown;
  readonly socketPath?: unknown;
}

/** What `pinnedMysql2` adds. */
export interface PinnedMysql2 {
  /** Makes the TLS connection. The driver makes none. */
  readonly stream: (options: Mysql2StreamOptions) => PinnedStream;
  /**
   * With a `socketPath`, mysql2 treats the connection as safe. It then sends what only a safe connection may carry (caching_sha2_password).
   * `stream` takes precedence over it. A copy of the configuration without `stream` connects to this path and finds nothing.
   */
  readonly socketPath: string;
  /** For a copy that has lost both: it demands that the server is verified against an empty list of CAs. */
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

/**
 * A configuration of mysql2 that lets the pinner open the connections. There is no plaintext path. mysql2 takes what the configuration
 * leaves out from the parameters of the URI. It keeps its own sockets alive if it is told to (lib/base/connection.js).
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function configureMysql2(config: string | Mysql2Config, pinner: Pinner, readTls: ReadTls): object {
  const given: Mysql2Config = readDriverConfig(
    typeof config === 'string' ? { uri: config } : config,
    { stream: MAKES_STREAM, socketPath: NO_UNIX_SOCKET },
    'pinnedMysql2',
  );
  refuseParameters(given.uri, /^(?:ssl|stream$|socketpath$)/i, 'pinnedMysql2', 'URI');
  const tls = readClientTls(given.ssl, readTls);
  const stream = ({ config: driver }: Mysql2StreamOptions): PinnedStream => {
    // No TLS except ours, whatever a copy of the configuration says.
    driver.ssl = false;
    const opened = openMysqlStream(pinner, tls, driver);
    return driver.enableKeepAlive === true ? opened.setKeepAlive(true, driver.keepAliveInitialDelay) : opened;
  };
  return withPinned(given, { stream, socketPath: NOWHERE, ssl: trustlessTls() }, 'pinnedMysql2');
}
