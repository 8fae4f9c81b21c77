import type { ConnectionOptions } from 'node:tls';
import { isSupported, type SeenTls, seenTls, unannounced } from '../drivers/seen.ts';
import { type ClientTlsOptions, readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, seenPinnerOf } from '../tls/pinner-of.ts';

export { isSupported, type SeenTls as PinnedTls };

/**
 * TLS options for a client that makes its own connections with `tls.connect`: each of them is pinned.
 *
 * ```ts
 * import { connect } from 'node:tls';
 * import { pinnedTls } from 'certpin/driver-tls';
 * const socket = connect({ host: 'db.example.com', port: 6514, ...pinnedTls({ pins: process.env.DB_PINS }) });
 * ```
 *
 * @param tls `cert` and `key` for mutual TLS, `servername`, `ciphers`, …
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`, at once, if the configuration cannot be used.
 * `ERR_CLIENT_UNSUPPORTED`: this Node does not announce TLS sockets, see {@link isSupported}
 */
export function pinnedTls(policy: PolicyInput, tls: ClientTlsOptions = {}): SeenTls {
  const own = readTlsOptions(tls, 'pinnedTls') as ConnectionOptions;
  const pinner = seenPinnerOf(policy, 'driver-tls');
  if (!isSupported()) throw unannounced('pinnedTls', "certpin's own adapter for the client, or certpin/forward");
  return seenTls(pinner, own, 'pinnedTls');
}
