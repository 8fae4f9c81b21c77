import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { CertpinError } from '../core/errors.ts';
import { createPolicy, type PolicyOptions, policyKeys, refuseUnknownOptions } from '../core/policy.ts';
import { converse, dial } from '../protocols/dial.ts';
import { createHttpConnect } from '../protocols/http-connect.ts';
import { guard, type OpenTunnel } from '../tls/guard.ts';
import { type ClientTlsOptions, readTlsOptions } from '../tls/options.ts';

/** An HTTP proxy, and what must hold for its own certificate. */
interface ProxyOptions extends PolicyOptions {
  /**
   * `http://proxy.example:3128` or `https://…`, with user name and password where the proxy demands a login (Basic, RFC 7617).
   * With `http:` the proxy, and whoever listens on the way to it, sees the login and the host; never more of the pinned connection
   * than its ciphertext.
   */
  readonly url: string | URL;
  /** TLS options towards an `https:` proxy: `cert` and `key` for mutual TLS, `ca`, `servername`. */
  readonly tls?: ClientTlsOptions | undefined;
}

/** The URL of a proxy, or its options. An `https:` proxy without pins gets the ordinary verification: a trusted CA, and its name. */
export type ProxyInput = string | URL | ProxyOptions;

/**
 * Reads the configuration of a proxy.
 *
 * @returns opens a tunnel through it; undefined where there is no proxy
 * @throws CertpinError `ERR_OPTION_INVALID`, `ERR_PIN_INVALID`; the URL is never part of a message, for it holds a password
 */
export function createTunnel(proxy: ProxyInput | undefined): OpenTunnel | undefined {
  if (proxy === undefined) return undefined;
  const { url, tls, ...policy } =
    typeof proxy === 'string' || proxy instanceof URL ? { url: proxy } : readOptions(proxy);
  const { address, isSecure, authorization } = readUrl(url);
  const isPinned = Object.values(policy).some((value) => value !== undefined);
  if (!isSecure && (isPinned || tls !== undefined)) {
    throw invalid('url', 'an http: proxy has no certificate to pin; use https:, or remove its pins and `tls`');
  }
  const own = { policy: isPinned ? createPolicy(policy) : ('verify' as const), connectTimeoutMs: 0 };
  const options = { ...readTlsOptions(tls ?? {}, 'proxy.tls'), ...address } as ConnectionOptions;

  return (server, done) => {
    const protocol = createHttpConnect({ ...server, authorization });
    const ready = (error?: Error): void => (error === undefined ? done(undefined, socket) : done(error));
    const socket: Socket = isSecure
      ? converse(guard({ options, ...own }), 'secureConnect', protocol, ready)
      : dial(address, protocol, ready);
    return socket;
  };
}

function readOptions(proxy: ProxyOptions): ProxyOptions {
  if (typeof proxy !== 'object' || proxy === null)
    throw invalid('proxy', "give the URL of the proxy, or { url: 'https://…', pins: … }");
  refuseUnknownOptions(proxy, ['url', 'tls', ...policyKeys], 'proxy');
  return proxy;
}

function readUrl(text: string | URL) {
  let url: URL;
  let login: string;
  try {
    url = new URL(text);
    login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  } catch {
    throw invalid('url', "the URL of the proxy cannot be read: 'http://proxy.example:3128'");
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalid('url', 'the URL of the proxy must begin with http:// or https://');
  const isSecure = url.protocol === 'https:';
  return {
    address: { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port) || (isSecure ? 443 : 80) },
    isSecure,
    authorization: login === ':' ? undefined : `Basic ${Buffer.from(login).toString('base64')}`,
  };
}

function invalid(option: string, message: string): CertpinError<'ERR_OPTION_INVALID'> {
  return new CertpinError('ERR_OPTION_INVALID', `proxy: ${message}`, {
    option: `proxy.${option}`.replace('.proxy', ''),
  });
}
