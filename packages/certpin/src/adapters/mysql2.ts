import { configureMysql2, type Mysql2Config, type PinnedMysql2 } from '../drivers/mysql2.ts';
import type { DriverConfigTypes } from '../drivers/refused-types.ts';
import { optionErrors } from '../errors.ts';
import { readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, pinnerOf } from '../tls/pinner-of.ts';

export type { PinnedMysql2 };

const invalid = optionErrors('pinnedMysql2');

type UriConfig = { readonly uri: string };

/**
 * A configuration for mysql2's `createConnection`, `createPool` and `PoolCluster.add`, with callbacks or promises, and for every ORM that
 * passes its configuration to them. User name, password and queries leave only after a matching verdict. There is no plaintext path.
 *
 * ```ts
 * import { createPool } from 'mysql2/promise';
 * import { pinnedMysql2 } from 'certpin/mysql2';
 * const pool = createPool(pinnedMysql2({ host: 'db.example.com', user: 'app', password, database: 'app' }, { pins }));
 * ```
 *
 * A `uri` works too, but without `ssl…` parameters.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, if the configuration cannot be used. The driver's own call fails
 * with the error of a refused connection, unchanged
 */
export function pinnedMysql2(config: string, policy: PolicyInput): UriConfig & PinnedMysql2;
export function pinnedMysql2<Config extends object>(
  config: Config & DriverConfigTypes<Config, 'stream' | 'socketPath'>,
  policy: PolicyInput,
): Omit<Config, keyof PinnedMysql2> & PinnedMysql2;
export function pinnedMysql2(config: string | Mysql2Config, policy: PolicyInput): object {
  if (typeof config === 'object' && config !== null && Object.hasOwn(config, 'ssl')) checkSsl(config.ssl);
  return configureMysql2(config, pinnerOf(policy, 'mysql2'), readTlsOptions);
}

function checkSsl(ssl: unknown): void {
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
