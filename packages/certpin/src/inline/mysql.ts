import { configureMysql, hookMysql, type MysqlConfig, type MysqlModule } from '../drivers/mysql.ts';
import { createLeafPinner, type LeafPinnerOptions } from '../leaf/pinner.ts';
import { readScriptTls } from './script-options.ts';

export { findCertpinError } from '../errors.ts';

/** A configuration of mysql for a script. It must be an object: only the package certpin reads a URL. */
export function pinnedMysql(mysql: MysqlModule, config: MysqlConfig, policy: LeafPinnerOptions): object {
  hookMysql(mysql);
  return configureMysql(config, createLeafPinner(policy), readScriptTls);
}
