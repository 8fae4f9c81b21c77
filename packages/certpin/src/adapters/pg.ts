import { CertpinError } from '../core/errors.ts';
import { INLINE } from '../core/form.ts';
import type { Policy } from '../core/policy.ts';
import { dial } from '../protocols/dial.ts';
import { createPostgresUpgrade, isDirect, POSTGRES_ALPN } from '../protocols/postgres.ts';
import { checkDriverConfig, MAKES_STREAM, refuseParameters, withOwn } from '../tls/driver-config.ts';
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
  /** The TLS connection is made in `stream`; to the driver, it is the plain one. */
  readonly ssl: false;
  readonly stream: () => PinnedStream;
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
  const given: PgConfig = typeof config === 'string' ? { connectionString: config } : config;
  checkDriverConfig(
    given,
    INLINE ? { stream: MAKES_STREAM, sslnegotiation: 'remove `sslnegotiation`' } : { stream: MAKES_STREAM },
    'pinnedPg',
  );
  if (!INLINE) refuseNativeClient();
  const read = INLINE ? given : readNegotiation(given);
  /** pg lets a connection string override the configuration, so one `sslmode` in it would take the connection out of certpin's hands. */
  refuseParameters(read.connectionString, /^(?:ssl|uselibpqcompat$)/i, 'pinnedPg', 'connection string');
  const tls = readClientTls(given.ssl);
  const upgraded: UpgradedConnection = {
    dial: (address, ready) => dial(address, createPostgresUpgrade(), ready),
    tls,
    ...readPolicy(policy),
  };
  const open = openUpgraded(INLINE || !isDirect(read.sslnegotiation, 'pinnedPg') ? upgraded : directly(upgraded));
  const stream = (): PinnedStream => new PinnedStream({ open });
  if (!INLINE) Object.assign(stream, { setNoDelay: refuseOldVersion });

  const pinned = withOwn(INLINE ? given : withConnectionString(given, read.connectionString), {
    ssl: false,
    stream,
    /** Set, so that the environment does not set it: pg refuses 'direct' beside `ssl: false`. */
    sslnegotiation: 'postgres',
    // Only libpq reads this. It cannot parse it, so the native client fails before it opens a socket of its own.
    nativeConnectionString: 'certpin: the native client cannot be pinned, use the JavaScript client',
  });
  // JSON drops functions: `ssl: false` without `stream` would be a plaintext login. What comes back from JSON demands the ordinary
  // TLS verification and knows no password.
  const toJSON = () => ({ ...pinned, ssl: true, stream: undefined, password: undefined, connectionString: undefined });
  return Object.defineProperty(pinned, 'toJSON', { value: toJSON });
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
