import { configureMysql, hookMysql, type MysqlConfig, type MysqlModule } from '../drivers/mysql.ts';
import { createLeafPinner, type LeafPinnerOptions } from '../leaf/pinner.ts';
import { readScriptTls } from './script-options.ts';

export { findCertpinError } from '../errors.ts';

/** A configuration of mysql for a script; an object, for a URL is read by the package certpin. */
export function pinnedMysql(mysql: MysqlModule, config: MysqlConfig, policy: LeafPinnerOptions): object {
  hookMysql(mysql);
  return configureMysql(config, createLeafPinner(policy), readScriptTls);
}
