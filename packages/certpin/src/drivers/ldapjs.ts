import { optionInvalid } from '../errors.ts';
import { trustlessTls, withPinned, withToJson } from './driver-config.ts';
import { type LdapServer, readLdapUrl } from './ldap.ts';
import type { SeenTls } from './seen.ts';

/** What `pinnedLdapjs` reads of the options of ldapjs; everything else passes through untouched. */
export interface LdapjsConfig {
  readonly url?: unknown;
  /** TLS options of the client itself: `cert` and `key` for mutual TLS, `servername`, `ciphers`. */
  readonly tlsOptions?: object | undefined;
  readonly socketPath?: unknown;
}

/** What `pinnedLdapjs` adds. */
export interface PinnedLdapjs {
  /** Each begins with `ldaps:`. */
  readonly url: string[];
  /** Options by which certpin sees each connection when the client makes it. */
  readonly tlsOptions: SeenTls;
}

/**
 * The servers, which the client tries in turn.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function readLdapjsUrls(url: unknown): readonly LdapServer[] {
  const servers = [url].flat().map((text) => readLdapUrl(text, 'pinnedLdapjs'));
  if (servers.length > 0 && servers.every(({ isDirect }) => isDirect)) return servers;
  const message =
    'ldapjs speaks in plaintext to an ldap:// URL, and its starttls() cannot be pinned; give ldaps://, or use ldapts with pinnedLdapts';
  throw optionInvalid('url', `pinnedLdapjs: ${message}`);
}

/** Options of ldapjs under which it connects only to these servers, with these TLS options. */
export function configureLdapjs(given: LdapjsConfig, servers: readonly LdapServer[], tls: SeenTls): object {
  // Frozen, because nobody must add a URL. ldapjs calls `tls.connect` where nobody catches an error. So a JSON copy of the options holds no
  // broken secure context. It holds options that trust nobody.
  const url = Object.freeze(servers.map((server) => server.url));
  const tlsOptions = Object.freeze(withToJson(tls, trustlessTls, 'pinnedLdapjs'));
  const pinned = withPinned(given, { url, tlsOptions }, 'pinnedLdapjs');
  const toJSON = () => ({ ...pinned, bindCredentials: undefined });
  return withToJson(pinned, toJSON, 'pinnedLdapjs');
}
