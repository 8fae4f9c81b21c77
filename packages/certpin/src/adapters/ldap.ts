import { readDriverConfig } from '../drivers/driver-config.ts';
import { connectLdap, readLdapTls, readLdapUrl } from '../drivers/ldap.ts';
import { configureLdapjs, type LdapjsConfig, type PinnedLdapjs, readLdapjsUrls } from '../drivers/ldapjs.ts';
import { configureLdapts, type LdaptsConfig, type PinnedLdapts, readLdaptsConfig } from '../drivers/ldapts.ts';
import type { LdapConfigTypes } from '../drivers/refused-types.ts';
import { seenTls } from '../drivers/seen.ts';
import { readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, pinnerOf, seenPinnerOf } from '../tls/pinner-of.ts';
import { NO_UNIX_SOCKET } from '../wire/late-stream.ts';

export type { PinnedLdapjs, PinnedLdapts };

/**
 * Options for the `Client` of ldapts. The URL says how TLS begins: at once for `ldaps://`, and always by StartTLS for `ldap://`. Nothing of
 * a bind leaves before a matching verdict. There is no plaintext path.
 *
 * ```ts
 * import { Client } from 'ldapts';
 * import { pinnedLdapts } from 'certpin/ldap';
 * const client = new Client(pinnedLdapts({ url: 'ldaps://ldap.example.com' }, { pins: process.env.LDAP_PINS }));
 * await client.bind('cn=login,o=users', password);
 * ```
 *
 * Needs ldapts 8.2 or newer: older ones cannot begin TLS with these options. The client's `startTLS()` is refused, because the connection
 * has TLS already.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, if the options cannot be used. `bind()` and every other call
 * reject with the error of a refused connection, unchanged
 */
export function pinnedLdapts<Options extends object>(
  options: Options & LdapConfigTypes<Options, 'createConnection' | 'createSecureConnection'>,
  policy: PolicyInput,
): Omit<Options, keyof PinnedLdapts> & PinnedLdapts;
export function pinnedLdapts(options: LdaptsConfig, policy: PolicyInput): object {
  const given = readLdaptsConfig(options);
  const server = readLdapUrl(given.url, 'pinnedLdapts');
  const tls = readLdapTls(given.tlsOptions, readTlsOptions, 'pinnedLdapts');
  const connect = connectLdap(pinnerOf(policy, 'ldap'), tls, server);
  return configureLdapts(given, server, connect);
}

/**
 * Options for `createClient` of ldapjs, for `ldaps://` URLs. The client makes its own connections. certpin sees each of them when it is
 * made. Nothing of a bind leaves before a matching verdict.
 *
 * ```ts
 * import { createClient } from 'ldapjs';
 * import { pinnedLdapjs } from 'certpin/ldap';
 * const client = createClient(pinnedLdapjs({ url: 'ldaps://ldap.example.com', reconnect: true }, { pins: process.env.LDAP_PINS }));
 * client.on('connectError', (error) => console.error(error.message));
 * client.on('error', (error) => console.error(error.message));
 * ```
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, if the options cannot be used; `ERR_CLIENT_UNSUPPORTED` on a Node
 * that does not announce TLS sockets. The client emits `connectError` and `error` with the error of a refused connection, unchanged
 */
export function pinnedLdapjs<Options extends object>(
  options: Options & LdapConfigTypes<Options, 'socketPath'>,
  policy: PolicyInput,
): Omit<Options, keyof PinnedLdapjs | 'socketPath'> & PinnedLdapjs;
export function pinnedLdapjs(options: LdapjsConfig, policy: PolicyInput): object {
  const given: LdapjsConfig = readDriverConfig(options, { socketPath: NO_UNIX_SOCKET }, 'pinnedLdapjs');
  const servers = readLdapjsUrls(given.url);
  const tls = readLdapTls(given.tlsOptions, readTlsOptions, 'pinnedLdapjs');
  return configureLdapjs(given, servers, seenTls(seenPinnerOf(policy, 'ldap'), tls, 'pinnedLdapjs'));
}
