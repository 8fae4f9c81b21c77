import type { ConnectionOptions } from 'node:tls';
import { createPolicy, type GivenPolicyOptions, type PolicyOptions, policyKeysIn } from '../core/policy.ts';
import { refuseUnknownOptions } from '../core/unknown-options.ts';
import { type CertpinError, optionInvalid } from '../errors.ts';
import { ownOptions } from '../leaf/options.ts';
import { createHttpConnect } from '../protocols/http-connect.ts';
import { createSocks5 } from '../protocols/socks5.ts';
import { type OpenTunnel, type ProxyWay, tunnelThrough } from '../wire/tunnel.ts';
import { type DialledServer, environmentProxy, proxiedServers } from './env-proxy.ts';
import { createPinner } from './guard.ts';
import { type ClientTlsOptions, readTlsOptions } from './options.ts';

/** A proxy, and what must hold for its own certificate. */
interface ProxyOptions extends PolicyOptions {
  /**
   * `http://proxy.example:3128`, `https://…`, or `socks5://…`. `socks5h:` is the same: the proxy looks up the name. If the proxy demands a
   * login, put user name and password into the URL (Basic, RFC 7617; for SOCKS, RFC 1929). With `http:` and `socks5:`, the proxy and
   * everybody on the way to it can read this login and the host. Of the pinned connection they see only ciphertext.
   */
  readonly url: string | URL;
  /** TLS options towards an `https:` proxy: `cert` and `key` for mutual TLS, `ca`, `servername`. */
  readonly tls?: ClientTlsOptions | undefined;
}

/**
 * The URL of a proxy, or its options. An `https:` proxy without pins gets the ordinary verification: a trusted CA, and its name.
 *
 * `'env'`: the proxy that the environment names, unless `NO_PROXY` excludes the dialled host. The environment is read once, at this moment.
 */
export type ProxyInput = 'env' | (string & {}) | URL | ProxyOptions;

/**
 * Reads the configuration of a proxy.
 *
 * @returns a function that opens a tunnel through it. undefined: there is no proxy
 * @throws CertpinError `ERR_OPTION_INVALID`, `ERR_PIN_INVALID`. No message contains the URL, because it holds a password
 */
export function createTunnel(proxy: ProxyInput | undefined): OpenTunnel | undefined {
  if (proxy === undefined) return undefined;
  if (proxy === 'env') return environmentTunnel();
  // Not `instanceof`: a sandbox (of jsdom) has another URL.
  const isText = typeof proxy === 'string' || (Object(proxy) as Partial<URL>).href !== undefined;
  const { url, tls, ...policy }: ProxyOptions = readOptions(
    isText ? { url: proxy as string | URL } : (proxy as ProxyOptions),
  );
  const { address, scheme, login } = readUrl(url);
  const isSecure = scheme === 'https:';
  // Pins that are given as undefined come from a variable that is not set. That must not mean less than a pin.
  const isPinned = Object.keys(policy).length > 0;
  if (!isSecure && (isPinned || tls !== undefined)) {
    throw invalid(
      'url',
      `${scheme === 'http:' ? 'an http:' : 'a SOCKS'} proxy has no certificate to pin; use https:, or remove its pins and \`tls\``,
    );
  }
  const createProtocol = scheme === 'socks5:' ? socks5(login) : httpConnect(login);
  if (!isSecure) return tunnelThrough({ address, createProtocol });
  const policies = isPinned ? createPolicy(policy as GivenPolicyOptions) : 'verify';
  const secured = {
    pinner: createPinner({ policies, connectTimeoutMs: 0 }),
    tls: readTlsOptions(tls ?? {}, 'proxy.tls') as ConnectionOptions,
  };
  return tunnelThrough({ address, secured, createProtocol });
}

function environmentTunnel(): OpenTunnel | undefined {
  const named = environmentProxy();
  if (named === undefined) return undefined;
  const isProxied = proxiedServers();
  try {
    const open = createTunnel(named.url) as OpenTunnel;
    const isFor = (options: ConnectionOptions): boolean =>
      options.path == null && options.socket == null && isProxied(options as DialledServer);
    return Object.assign<OpenTunnel, Pick<OpenTunnel, 'isFor'>>((server, done) => open(server, done), { isFor });
  } catch (error) {
    throw optionInvalid('proxy', `the variable ${named.variable} of the environment: ${(error as Error).message}`);
  }
}

function readOptions(proxy: ProxyOptions): ProxyOptions {
  if (typeof proxy !== 'object' || proxy === null)
    throw invalid('proxy', "give the URL of the proxy, or { url: 'https://…', pins: … }");
  refuseUnknownOptions(proxy, ['url', 'tls', ...policyKeysIn(proxy)], 'proxy');
  return ownOptions(proxy);
}

interface Login {
  readonly user: string;
  readonly password: string;
}

function httpConnect(login: Login | undefined): ProxyWay['createProtocol'] {
  const authorization =
    login === undefined ? undefined : `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
  return (server) => createHttpConnect({ ...server, authorization });
}

function socks5(login: Login | undefined): ProxyWay['createProtocol'] {
  // Now, and not with the first request: a login that is too long for the protocol is a mistake of the configuration.
  createSocks5({ host: 'localhost', port: 1, login });
  return (server) => createSocks5({ ...server, login });
}

const defaultPorts = { 'http:': 80, 'https:': 443, 'socks5:': 1080 } as const;

type Scheme = keyof typeof defaultPorts;

function readUrl(text: string | URL): {
  readonly address: { readonly host: string; readonly port: number };
  readonly scheme: Scheme;
  readonly login: Login | undefined;
} {
  let url: URL;
  let login: Login;
  if (text === undefined || String(text).trim() === '') {
    const message = `the URL is ${text === undefined ? 'undefined' : 'an empty text'}, as from a variable that is not set; set the variable, or remove \`proxy\``;
    throw invalid('url', message);
  }
  try {
    url = new URL(text);
    login = { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  } catch {
    throw invalid('url', 'the URL of the proxy cannot be read; one is written as http://host:port');
  }
  const scheme = url.protocol === 'socks5h:' ? 'socks5:' : url.protocol;
  if (!Object.hasOwn(defaultPorts, scheme))
    throw invalid('url', 'the URL of the proxy must begin with http://, https:// or socks5://');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw invalid('url', 'the URL of the proxy names no host');
  return {
    address: { host, port: Number(url.port) || defaultPorts[scheme as Scheme] },
    scheme: scheme as Scheme,
    login: login.user === '' && login.password === '' ? undefined : login,
  };
}

function invalid(option: string, message: string): CertpinError<'ERR_OPTION_INVALID'> {
  return optionInvalid(`proxy.${option}`.replace('.proxy', ''), `proxy: ${message}`);
}
