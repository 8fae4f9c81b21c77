import { readClientTls, readDriverConfig } from '../drivers/driver-config.ts';
import { configurePostgres, type PinnedPostgres } from '../drivers/postgres.ts';
import { type PostgresOptions, type PostgresUrlOptions, readAddresses, readUrl } from '../drivers/postgres-address.ts';
import { openPostgres } from '../drivers/postgres-open.ts';
import type { DriverConfigTypes } from '../drivers/refused-types.ts';
import { optionInvalid } from '../errors.ts';
import { readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, pinnerOf } from '../tls/pinner-of.ts';
import { openFirst } from '../wire/open-first.ts';

export type { PinnedPostgres, PostgresUrlOptions };

/**
 * Options for postgres.js. The driver gets a stream that makes the PostgreSQL upgrade and the TLS handshake. It sends what the driver
 * writes only after a matching verdict. There is no plaintext path.
 *
 * ```ts
 * import postgres from 'postgres';
 * import { pinnedPostgres } from 'certpin/postgres';
 * const sql = postgres(pinnedPostgres({ host: 'db.example.com', user: 'app', password, database: 'app' }, { pins }));
 * ```
 *
 * A connection URL works in place of the options, but without `ssl…` parameters. Give the URL to `pinnedPostgres`, and only the result to
 * the driver. Several hosts are tried in order, each with the same policy.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, if the options cannot be used. The query rejects with the error of
 * a refused connection, unchanged
 */
export function pinnedPostgres(url: string, policy: PolicyInput): PostgresUrlOptions & PinnedPostgres;
export function pinnedPostgres<Options extends object>(
  options: Options & DriverConfigTypes<Options, 'socket'>,
  policy: PolicyInput,
): Omit<Options, keyof PinnedPostgres | 'hostname'> & PinnedPostgres;
export function pinnedPostgres(options: string | PostgresOptions, policy: PolicyInput): object {
  const given: PostgresOptions = readDriverConfig(
    typeof options === 'string' ? readUrl(options) : options,
    { socket: 'certpin makes the socket itself; remove `socket`' },
    'pinnedPostgres',
  );
  const tls = readClientTls(given.ssl, readTlsOptions);
  const addresses = readAddresses(given);
  if (addresses.length > 1) refuseChoice(given.target_session_attrs ?? process.env.PGTARGETSESSIONATTRS);
  const open = openPostgres(pinnerOf(policy, 'postgres'), tls, given.sslnegotiation, 'pinnedPostgres');
  return configurePostgres(given, addresses[0], openFirst(open, addresses));
}

/** The driver would choose the next host itself, and cannot tell a given socket which host it chose. */
function refuseChoice(session: string | null | undefined): void {
  if (!session) return;
  const message =
    '`target_session_attrs` needs one host: certpin tries several in order and takes the first that answers';
  throw optionInvalid('target_session_attrs', `pinnedPostgres: ${message}`);
}
