import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { plaintextRefused } from '../drivers/plaintext.ts';
import { type ClientTlsOptions, readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, tlsPinnerOf } from '../tls/pinner-of.ts';

/** The option of `http2.connect` that makes the connection. */
export interface PinnedHttp2 {
  readonly createConnection: (authority: URL) => TLSSocket;
}

/**
 * Options for `http2.connect`, to be spread among others: the session's connection is pinned. Give TLS options of the client here, in
 * `tls`. TLS options in `http2.connect` itself have no effect.
 *
 * ```ts
 * import { connect } from 'node:http2';
 * import { pinnedHttp2 } from 'certpin/http2';
 * const session = connect('https://api.example.com', { ...pinnedHttp2({ pins: process.env.API_PINS }) });
 * session.on('error', (error) => console.error(error.message));
 * ```
 *
 * If the connection is refused, the session emits `error`, and no byte of HTTP/2 has left. Requests that wait for the session get Node's
 * `ERR_HTTP2_STREAM_CANCEL`, with the refusal as its `cause`. For an `http:` authority, `http2.connect` throws `ERR_PLAINTEXT_REFUSED`.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, if the configuration cannot be used
 */
export function pinnedHttp2(policy: PolicyInput, tls: ClientTlsOptions = {}): PinnedHttp2 {
  const own = readTlsOptions(tls, 'pinnedHttp2');
  const pinner = tlsPinnerOf(policy, 'http2');
  const createConnection = ({ protocol, hostname, port }: URL): TLSSocket => {
    if (protocol !== 'https:') throw plaintextRefused(protocol);
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const options = {
      // RFC 9113 §3.2: HTTP/2 over TLS is agreed on by ALPN, with this name.
      ALPNProtocols: ['h2'],
      ...own,
      host,
      port: Number(port) || 443,
    } as ConnectionOptions;
    return pinner.open(options, pinner.connectTimeoutMs);
  };
  return { createConnection };
}
