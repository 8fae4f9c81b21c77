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
  /** For a copy that has lost `stream`, and for a client that does not know it: TLS options with which TLS cannot begin. */
  readonly ssl: LostTls;
}

/** The argument that pg passes to a `stream` function (lib/connection.js), and what pg reads of it afterwards. */
interface PlainConnection {
  ssl: unknown;
}

/** The connection on which pg calls the function. When it is connected, it asks for TLS, and goes on when there is TLS (lib/client.js). */
interface PgConnection extends NodeJS.EventEmitter {
  requestSsl(): void;
}

/**
 * A configuration of pg that lets `open` open the connections. There is no plaintext path.
 *
 * @param more further properties of ours
 */
export function configurePg(given: PgConfig, open: Opener, more: object = {}): object {
  const own = {
    stream: streamOf(open),
    ssl: lostTls(),
    // Set here, so that the environment does not set it.
    sslnegotiation: 'postgres',
    ...more,
  };
  const pinned = withPinned(given, own, 'pinnedPg');
  // A printed or logged configuration contains no password.
  const toJSON = () => ({ ...pinned, stream: undefined, password: undefined, connectionString: undefined });
  return withToJson(pinned, toJSON, 'pinnedPg');
}

/**
 * pg lets a connection string override the configuration. So one `sslmode` in it would let pg make the connection itself.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function refusePgParameters(connectionString: string | undefined): void {
  refuseParameters(connectionString, /^(?:ssl|uselibpqcompat$|stream$)/i, 'pinnedPg', 'connection string');
}

/** pg calls this on its connection. The connection must not begin TLS itself: when the stream is connected, there is TLS already. */
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

/** pg before 8.9 takes the function itself for the stream. It calls `setNoDelay` first. */
function refuseOldVersion(): never {
  throw new CertpinError('ERR_CLIENT_UNSUPPORTED', 'certpin needs pg 8.9 or newer', { client: 'pg' });
}
