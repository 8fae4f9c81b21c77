import { optionInvalid } from '../errors.ts';
import type { Pinner } from '../leaf/pinner.ts';
import { NO_UNIX_SOCKET } from '../wire/late-stream.ts';
import type { PinnedStream } from '../wire/pinned-stream.ts';
import {
  type LostTls,
  lostTls,
  MAKES_STREAM,
  type ReadTls,
  readClientTls,
  readDriverConfig,
  withPinned,
} from './driver-config.ts';
import { openMysqlStream } from './mysql-stream.ts';

/** What `pinnedMariadb` reads of a configuration of the connector; everything else passes through untouched. */
export interface MariadbConfig {
  /** TLS options of the client itself: `cert` and `key` for mutual TLS, `servername`, `ciphers`, `ca` for `caVerification`. */
  readonly ssl?: unknown;
  readonly stream?: unknown;
  readonly socketPath?: unknown;
  readonly permitRedirect?: unknown;
}

/** What `pinnedMariadb` adds. */
export interface PinnedMariadb {
  /** Makes the TLS connection. The connector makes none. */
  readonly stream: () => PinnedStream;
  /**
   * `stream` removes it from the options of each connection. A copy of the configuration that has lost `stream` demands a TLS version that
   * does not exist. So it sends nothing to any server.
   */
  readonly ssl: LostTls;
  /** Switched off: a server must not choose to whom the login goes. */
  readonly permitRedirect: false;
}

/** The options of one connection, a copy of its own, on which the connector calls `stream` (lib/connection.js). */
interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  ssl: unknown;
  permitRedirect: boolean;
}

/**
 * A configuration of MariaDB's connector that lets the pinner open the connections. There is no plaintext path, and no redirect.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function configureMariadb(config: MariadbConfig, pinner: Pinner, readTls: ReadTls): object {
  const given = readDriverConfig(config, { stream: MAKES_STREAM, socketPath: NO_UNIX_SOCKET }, 'pinnedMariadb');
  if (given.permitRedirect)
    throw optionInvalid(
      'permitRedirect',
      'pinnedMariadb: a redirect would send the login to a server that nobody named; remove it',
    );
  const tls = readClientTls(given.ssl, readTls);
  function stream(this: ConnectionOptions): PinnedStream {
    // No TLS but ours, and no redirect, whatever a copy of the configuration says.
    this.ssl = undefined;
    this.permitRedirect = false;
    // Before the connector sends what only a safe connection may carry (caching_sha2_password), it looks here, and nowhere else.
    return openMysqlStream(pinner, tls, this).once('connect', () => {
      this.ssl = true;
    });
  }
  // The connector prefers a `socketPath` to a stream, so the option stays certpin's.
  const own = { stream, ssl: lostTls(), socketPath: undefined, permitRedirect: false };
  return withPinned(given, own, 'pinnedMariadb');
}
