import { CertpinError } from '../core/errors.ts';
import { INLINE } from '../core/form.ts';
import type { Policy } from '../core/policy.ts';
import { dial } from '../protocols/dial.ts';
import { createPostgresUpgrade, isDirect, noAlpn, POSTGRES_ALPN } from '../protocols/postgres.ts';
import { demandAlpn } from '../tls/demand-alpn.ts';
import {
  type LostTls,
  lostTls,
  MAKES_STREAM,
  readDriverConfig,
  refuseParameters,
  withOwn,
  withPinned,
  withToJson,
} from '../tls/driver-config.ts';
import { type GuardOptions, readClientTls, readPolicy } from '../tls/options.ts';
import { PinnedStream } from '../tls/pinned-stream.ts';
import { openUpgraded, type UpgradedConnection } from '../tls/upgrade.ts';

/** What {@link pinnedPg} reads of a pg configuration (`ClientConfig`, `PoolConfig`); everything else passes through untouched. */
interface PgConfig {
  readonly connectionString?: string | undefined;
  /** TLS options of the client itself: `cert` and `key` for mutual TLS, `servername`, `ciphers`, `ca` for `caVerification`. */
  readonly ssl?: boolean | object | string | undefined;
  readonly stream?: unknown;
  readonly sslnegotiation?: string | undefined;
}

/** What {@link pinnedPg} adds. */
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

type StringConfig = { readonly connectionString: string };

/**
 * A configuration for pg's `Client` and `Pool`, and for every ORM that hands its configuration on to them. The driver gets a
 * stream that has made the PostgreSQL upgrade and the TLS handshake and holds a matching verdict; there is no plaintext path.
 *
 * ```ts
 * import { Pool } from 'pg';
 * import { pinnedPg } from 'certpin/pg';
 * const pool = new Pool(pinnedPg({ host: 'db.example.com', user: 'app', password, database: 'app' }, { pins }));
 * ```
 *
 * `connectionString` works as ever, without its `ssl…` parameters. `sslnegotiation: 'direct'` (there, in the configuration or in
 * `PGSSLNEGOTIATION`) starts TLS without the upgrade request (PostgreSQL 17).
 *
 * Needs pg 8.9 or newer, the JavaScript client: libpq (`pg-native`) makes its own connection, so it is refused.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`, at once, for a configuration that
 * cannot be used; the error of a refused connection comes out of `connect()` and `query()` as it is
 */
export function pinnedPg(config: string, policy: GuardOptions | Policy): StringConfig & PinnedPg;
export function pinnedPg<Config extends object>(
  config: Config,
  policy: GuardOptions | Policy,
): Omit<Config, keyof PinnedPg> & PinnedPg;
export function pinnedPg(config: string | PgConfig, policy: GuardOptions | Policy): object {
  const given: PgConfig = readDriverConfig(
    typeof config === 'string' ? { connectionString: config } : config,
    INLINE ? { stream: MAKES_STREAM, sslnegotiation: 'remove `sslnegotiation`' } : { stream: MAKES_STREAM },
    'pinnedPg',
  );
  if (!INLINE) refuseNativeClient();
  const read = INLINE ? given : readNegotiation(given);
  /** pg lets a connection string override the configuration, so one `sslmode` in it would take the connection out of certpin's hands. */
  refuseParameters(read.connectionString, /^(?:ssl|uselibpqcompat$|stream$)/i, 'pinnedPg', 'connection string');
  const tls = readClientTls(given.ssl);
  const upgraded: UpgradedConnection = {
    dial: (address, ready) => dial(address, createPostgresUpgrade(), ready),
    tls,
    ...readPolicy(policy),
  };
  const isAsked = INLINE || !isDirect(read.sslnegotiation, 'pinnedPg');
  const open = isAsked ? openUpgraded(upgraded) : demandAlpn(openUpgraded(directly(upgraded)), POSTGRES_ALPN, noAlpn);
  /** pg calls it on its connection, which is to make no TLS of its own: when the stream is connected, there is TLS. */
  function stream(this: unknown, options?: PlainConnection): PinnedStream {
    if (options?.ssl) {
      const connection = this as PgConnection;
      options.ssl = false;
      connection.requestSsl = () => undefined;
      connection.once('connect', () => connection.emit('sslconnect'));
    }
    return new PinnedStream({ open });
  }
  if (!INLINE) Object.assign(stream, { setNoDelay: refuseOldVersion });

  const own = {
    stream,
    ssl: lostTls(),
    /** Set, so that the environment does not set it. */
    sslnegotiation: 'postgres',
    // Only libpq reads this. It cannot parse it, so the native client fails before it opens a socket of its own.
    nativeConnectionString: 'certpin: the native client cannot be pinned, use the JavaScript client',
  };
  const pinned = withPinned(INLINE ? given : withConnectionString(given, read.connectionString), own, 'pinnedPg');
  /** What is written down of a configuration knows no password. */
  const toJSON = () => ({ ...pinned, stream: undefined, password: undefined, connectionString: undefined });
  return withToJson(pinned, toJSON, 'pinnedPg');
}

/** pg exports its native client in place of the other one where this variable is set (lib/index.js). */
function refuseNativeClient(): void {
  if (process.env.NODE_PG_FORCE_NATIVE === undefined) return;
  const message = 'NODE_PG_FORCE_NATIVE selects libpq, which makes its own connection: it cannot be pinned; unset it';
  throw new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'pg-native' });
}

function withConnectionString(given: PgConfig, connectionString: string | undefined): PgConfig {
  return connectionString === undefined ? given : withOwn(given, { connectionString });
}

/** Starts TLS without the upgrade request. */
function directly({ dial: _, tls, ...others }: UpgradedConnection): UpgradedConnection {
  const connect: UpgradedConnection['dial'] = (address, ready) => dial(address, undefined, ready);
  return { ...others, dial: connect, tls: { ...tls, ALPNProtocols: [POSTGRES_ALPN] } };
}

/** pg before 8.9 takes the function for the stream; it calls `setNoDelay` first. */
function refuseOldVersion(): never {
  throw new CertpinError('ERR_CLIENT_UNSUPPORTED', 'certpin/pg needs pg 8.9 or newer', { client: 'pg' });
}

/** The parameter that is certpin's own, from the string, the configuration or the environment; and the string without it. */
function readNegotiation(given: PgConfig): Pick<PgConfig, 'connectionString' | 'sslnegotiation'> {
  const { connectionString: text } = given;
  const parameter = /([?&])sslnegotiation=([^?&#]*)&?/;
  const [, , inText] = typeof text === 'string' ? (parameter.exec(text) ?? []) : [];
  const connectionString = inText === undefined ? text : text?.replace(parameter, '$1').replace(/[?&]$/, '');
  return { connectionString, sslnegotiation: inText ?? given.sslnegotiation ?? process.env.PGSSLNEGOTIATION };
}
