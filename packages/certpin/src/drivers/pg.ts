import { CertpinError } from '../errors.ts';
import type { Opener } from '../leaf/pinner.ts';
import { PinnedStream } from '../wire/pinned-stream.ts';
import { type LostTls, lostTls, refuseParameters, withPinned, withToJson } from './driver-config.ts';

/** What `pinnedPg` reads of a pg configuration (`ClientConfig`, `PoolConfig`); everything else passes through untouched. */
export interface PgConfig {
  readonly connectionString?: string | undefined;
  /** TLS options of the client itself: `cert` and `key` for mutual TLS, `servername`, `ciphers`, `ca` for `caVerification`. */
  readonly ssl?: boolean | object | string | undefined;
  readonly stream?: unknown;
  readonly sslnegotiation?: string | undefined;
}

/** What `pinnedPg` adds. */
export interface PinnedPg {
  /** Makes the TLS connection. */
  readonly stream: (this: unknown, options?: PlainConnection) => PinnedStream;
  /** For a copy that has lost `stream`, and for a client that does not know it: TLS that nobody can begin. */
  readonly ssl: LostTls;
}

/** What pg hands to a `stream` function (lib/connection.js), and reads afterwards. */
interface PlainConnection {
  ssl: unknown;
}

/** The connection on which pg calls it: connected, it asks for TLS, and speaks when there is TLS (lib/client.js). */
interface PgConnection extends NodeJS.EventEmitter {
  requestSsl(): void;
}

/**
 * A configuration of pg whose connections are opened by `open`. There is no plaintext path.
 *
 * @param more further properties of ours
 */
export function configurePg(given: PgConfig, open: Opener, more: object = {}): object {
  const own = {
    stream: streamOf(open),
    ssl: lostTls(),
    // Set, so that the environment does not set it.
    sslnegotiation: 'postgres',
    ...more,
  };
  const pinned = withPinned(given, own, 'pinnedPg');
  // What is written down of a configuration knows no password.
  const toJSON = () => ({ ...pinned, stream: undefined, password: undefined, connectionString: undefined });
  return withToJson(pinned, toJSON, 'pinnedPg');
}

/**
 * pg lets a connection string override the configuration, so one `sslmode` in it would take the connection out of certpin's hands.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function refusePgParameters(connectionString: string | undefined): void {
  refuseParameters(connectionString, /^(?:ssl|uselibpqcompat$|stream$)/i, 'pinnedPg', 'connection string');
}

/** pg calls it on its connection, which is to make no TLS of its own: when the stream is connected, there is TLS. */
function streamOf(open: Opener): PinnedPg['stream'] {
  function stream(this: unknown, options?: PlainConnection): PinnedStream {
    if (options?.ssl) {
      const connection = this as PgConnection;
      options.ssl = false;
      connection.requestSsl = () => undefined;
      connection.once('connect', () => connection.emit('sslconnect'));
    }
    return new PinnedStream({ open });
  }
  return Object.assign(stream, { setNoDelay: refuseOldVersion });
}

/** pg before 8.9 takes the function for the stream; it calls `setNoDelay` first. */
function refuseOldVersion(): never {
  throw new CertpinError('ERR_CLIENT_UNSUPPORTED', 'certpin needs pg 8.9 or newer', { client: 'pg' });
}
