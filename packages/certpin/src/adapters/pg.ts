import { CertpinError } from '../core/errors.ts';
import { INLINE } from '../core/form.ts';
import type { Policy } from '../core/policy.ts';
import { dial } from '../protocols/dial.ts';
import { createPostgresUpgrade, isDirect, POSTGRES_ALPN } from '../protocols/postgres.ts';
import { type GuardOptions, parameterRefused, readClientTls, readPolicy } from '../tls/options.ts';
import { PinnedStream } from '../tls/pinned-stream.ts';
import { openUpgraded } from '../tls/upgrade.ts';

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
  if (typeof given !== 'object' || given === null)
    throw invalid('config', 'the configuration must be an object or a string');
  if (!INLINE) refuseNativeClient();
  if (given.stream !== undefined) throw invalid('stream', 'certpin makes the stream itself; remove `stream`');
  const read = readConnectionString(given.connectionString);
  const tls = readClientTls(given.ssl, 'pinnedPg');
  if (INLINE && given.sslnegotiation === 'direct')
    throw invalid('sslnegotiation', 'the inline form asks for TLS first');
  const direct = INLINE
    ? false
    : isDirect(read.negotiation ?? given.sslnegotiation ?? process.env.PGSSLNEGOTIATION, 'pinnedPg');
  const guarded = readPolicy(policy);
  const { connectTimeoutMs } = guarded;
  const open = openUpgraded({
    dial: (address, ready) => dial(address, direct ? undefined : createPostgresUpgrade(), ready),
    tls: direct ? { ...tls, ALPNProtocols: [POSTGRES_ALPN] } : tls,
    policy: guarded.policy,
  });
  const stream = (): PinnedStream => new PinnedStream(open, connectTimeoutMs);
  // pg before 8.9 takes the function for the stream; it calls this first.
  const setNoDelay = (): never => {
    throw new CertpinError('ERR_CLIENT_UNSUPPORTED', 'certpin/pg needs pg 8.9 or newer', { client: 'pg' });
  };

  // Property by property, because pg's pools make `password` and `ssl.key` non-enumerable and a spread would lose them.
  const pinned = Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(given),
      ...(read.connectionString === undefined ? {} : own({ connectionString: read.connectionString })),
      ...own({
        ssl: false,
        stream: Object.assign(stream, { setNoDelay }),
        // Set, so that the environment does not set it: pg refuses 'direct' beside `ssl: false`.
        sslnegotiation: 'postgres',
        // Only libpq reads this. It cannot parse it, so the native client fails before it opens a socket of its own.
        nativeConnectionString: 'certpin: the native client cannot be pinned, use the JavaScript client',
      }),
    },
  );
  // JSON drops functions: `ssl: false` without `stream` would be a plaintext login. What comes back from JSON demands the ordinary
  // TLS verification and knows no password.
  const toJSON = () => ({ ...pinned, ssl: true, stream: undefined, password: undefined, connectionString: undefined });
  return Object.defineProperty(pinned, 'toJSON', { value: toJSON });
}

function own(values: object): PropertyDescriptorMap {
  return Object.getOwnPropertyDescriptors(values);
}

/** pg exports its native client in place of the other one where this variable is set (lib/index.js). */
function refuseNativeClient(): void {
  if (process.env.NODE_PG_FORCE_NATIVE === undefined) return;
  const message = 'NODE_PG_FORCE_NATIVE selects libpq, which makes its own connection: it cannot be pinned; unset it';
  throw new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'pg-native' });
}

/**
 * pg lets a connection string override the configuration, so one `sslmode` in it would take the connection out of certpin's hands.
 * The string is never part of a message: it holds a password.
 */
function readConnectionString(text: string | undefined): { connectionString?: string; negotiation?: string } {
  if (text === undefined) return {};
  if (typeof text !== 'string') throw invalid('connectionString', 'the connection string must be a string');
  // Versions of pg differ in how they read odd strings, so every part that any of them could take for a parameter is looked at.
  const parameters = text
    .split(/[?&#]/)
    .slice(1)
    .flatMap((part) => [...new URLSearchParams(part)]);
  for (const [name] of parameters) {
    const lower = name.toLowerCase();
    if (!INLINE && name === 'sslnegotiation') continue;
    if (!lower.startsWith('ssl') && lower !== 'uselibpqcompat') continue;
    throw parameterRefused('pinnedPg', 'connection string', name);
  }
  const negotiation = INLINE ? undefined : parameters.find(([name]) => name === 'sslnegotiation')?.[1];
  if (negotiation === undefined) return {};
  return { connectionString: text.replace(/([?&])sslnegotiation=[^?&#]*&?/g, '$1').replace(/[?&]$/, ''), negotiation };
}

function invalid(option: string, message: string): CertpinError<'ERR_OPTION_INVALID'> {
  return new CertpinError('ERR_OPTION_INVALID', `pinnedPg: ${message}`, { option });
}
