import { connectLdap, readLdapTls, readLdapUrl } from '../drivers/ldap.ts';
import { configureLdapts, type LdaptsConfig, readLdaptsConfig } from '../drivers/ldapts.ts';
import { createLeafPinner, type LeafPinnerOptions } from '../leaf/pinner.ts';
import { readScriptTls } from './script-options.ts';

export { findCertpinError } from '../errors.ts';

/** Options of ldapts for a script. */
export function pinnedLdapts(options: LdaptsConfig, policy: LeafPinnerOptions): object {
  const given = readLdaptsConfig(options);
  const server = readLdapUrl(given.url, 'pinnedLdapts');
  const tls = readLdapTls(given.tlsOptions, readScriptTls, 'pinnedLdapts');
  return configureLdapts(given, server, connectLdap(createLeafPinner(policy), tls, server));
}
