import { MAKES_STREAM, readClientTls, readDriverConfig, withOwn } from '../drivers/driver-config.ts';
import { configurePg, type PgConfig, type PinnedPg, refusePgParameters } from '../drivers/pg.ts';
import { openPostgres } from '../drivers/postgres-open.ts';
import type { DriverConfigTypes } from '../drivers/refused-types.ts';
import { CertpinError } from '../errors.ts';
import { readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, pinnerOf } from '../tls/pinner-of.ts';

export type { PinnedPg };

type StringConfig = { readonly connectionString: string };

/**
 * A configuration for pg's `Client` and `Pool`, and for every ORM that passes its configuration to them. The driver gets a stream. This
 * stream makes the PostgreSQL upgrade and the TLS handshake, and is ready only after a matching verdict. There is no plaintext path.
 *
 * ```ts
 * import { Pool } from 'pg';
 * import { pinnedPg } from 'certpin/pg';
 * const pool = new Pool(pinnedPg({ host: 'db.example.com', user: 'app', password, database: 'app' }, { pins }));
 * ```
 *
 * `connectionString` works too, but without `ssl…` parameters. `sslnegotiation: 'direct'` starts TLS without the upgrade request
 * (PostgreSQL 17). It may be in the connection string, in the configuration or in `PGSSLNEGOTIATION`.
 *
 * Needs the JavaScript client of pg 8.9 or newer. libpq (`pg-native`) makes its own connection, so it is refused.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`, at once, if the configuration cannot be used.
 * `connect()` and `query()` reject with the error of a refused connection, unchanged
 */
export function pinnedPg(config: string, policy: PolicyInput): StringConfig & PinnedPg;
export function pinnedPg<Config extends object>(
  config: Config & DriverConfigTypes<Config, 'stream'>,
  policy: PolicyInput,
): Omit<Config, keyof PinnedPg> & PinnedPg;
export function pinnedPg(config: string | PgConfig, policy: PolicyInput): object {
  const given: PgConfig = readDriverConfig(
    typeof config === 'string' ? { connectionString: config } : config,
    { stream: MAKES_STREAM },
    'pinnedPg',
  );
  refuseNativeClient();
  const { connectionString, sslnegotiation } = readNegotiation(given);
  refusePgParameters(connectionString);
  const tls = readClientTls(given.ssl, readTlsOptions);
  const open = openPostgres(pinnerOf(policy, 'pg'), tls, sslnegotiation, 'pinnedPg');
  const read = connectionString === undefined ? given : withOwn(given, { connectionString });
  return configurePg(read, open, {
    // Only libpq reads this. It cannot parse it, so the native client fails before it opens a socket of its own.
    nativeConnectionString: 'certpin: the native client cannot be pinned, use the JavaScript client',
  });
}

/** If this variable is set, pg exports its native client in place of the JavaScript one (lib/index.js). */
function refuseNativeClient(): void {
  if (process.env.NODE_PG_FORCE_NATIVE === undefined) return;
  const message = 'NODE_PG_FORCE_NATIVE selects libpq, which makes its own connection: it cannot be pinned; unset it';
  throw new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'pg-native' });
}

/** certpin's own parameter `sslnegotiation`, from the string or the configuration, and the string without it. */
function readNegotiation(given: PgConfig): Pick<PgConfig, 'connectionString' | 'sslnegotiation'> {
  const { connectionString: text } = given;
  const parameter = /([?&])sslnegotiation=([^?&#]*)&?/;
  const [, , inText] = typeof text === 'string' ? (parameter.exec(text) ?? []) : [];
  const connectionString = inText === undefined ? text : text?.replace(parameter, '$1').replace(/[?&]$/, '');
  return { connectionString, sslnegotiation: inText ?? given.sslnegotiation };
}
