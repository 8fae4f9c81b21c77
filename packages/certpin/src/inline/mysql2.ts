import { configureMysql2, type Mysql2Config } from '../drivers/mysql2.ts';
import { createLeafPinner, type LeafPinnerOptions } from '../leaf/pinner.ts';
import { readScriptTls } from './script-options.ts';

export { findCertpinError } from '../errors.ts';

/** A configuration of mysql2 for a script. */
export function pinnedMysql2(config: string | Mysql2Config, policy: LeafPinnerOptions): object {
  return configureMysql2(config, createLeafPinner(policy), readScriptTls);
}
