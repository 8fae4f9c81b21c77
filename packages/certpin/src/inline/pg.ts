import { MAKES_STREAM, readClientTls, readDriverConfig } from '../drivers/driver-config.ts';
import { configurePg, type PgConfig, refusePgParameters } from '../drivers/pg.ts';
import { dialPostgres } from '../drivers/postgres-open.ts';
import { createLeafPinner, type LeafPinnerOptions } from '../leaf/pinner.ts';
import { openUpgraded } from '../wire/upgrade.ts';
import { readScriptTls } from './script-options.ts';

export { findCertpinError } from '../errors.ts';

/** A configuration of pg for a script. */
export function pinnedPg(config: string | PgConfig, policy: LeafPinnerOptions): object {
  const given: PgConfig = readDriverConfig(
    typeof config === 'string' ? { connectionString: config } : config,
    { stream: MAKES_STREAM, sslnegotiation: 'remove `sslnegotiation`' },
    'pinnedPg',
  );
  refusePgParameters(given.connectionString);
  const tls = readClientTls(given.ssl, readScriptTls);
  return configurePg(given, openUpgraded(createLeafPinner(policy), tls, dialPostgres));
}
