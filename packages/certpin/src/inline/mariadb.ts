import { configureMariadb, type MariadbConfig } from '../drivers/mariadb.ts';
import { createLeafPinner, type LeafPinnerOptions } from '../leaf/pinner.ts';
import { readScriptTls } from './script-options.ts';

export { findCertpinError } from '../errors.ts';

/** A configuration of MariaDB's connector for a script. It must be an object: only the package certpin reads a connection string. */
export function pinnedMariadb(config: MariadbConfig, policy: LeafPinnerOptions): object {
  return configureMariadb(config, createLeafPinner(policy), readScriptTls);
}
