import type { ConnectionOptions } from 'node:tls';
import { closestOf } from '../core/unknown-options.ts';
import {
  type AgentClass,
  type AnyFetch,
  type ConnectorRequest,
  createConnector,
  createDispatcher,
  createFetch,
  type DispatcherLike,
  type PinnedConnector,
  type PinnedFetch,
  readFetchOptions,
  readOptions,
} from '../drivers/undici.ts';
import { optionInvalid } from '../errors.ts';
import { shownOption } from '../leaf/options.ts';
import { type ClientTlsOptions, readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, tlsPinnerOf } from '../tls/pinner-of.ts';
import { createTunnel, type ProxyInput } from '../tls/proxy.ts';

export type { ConnectorRequest, DispatcherLike, PinnedConnector, PinnedFetch };

export interface PinnedDispatcherOptions<Dispatcher extends DispatcherLike = DispatcherLike> {
  /** The `Agent` of the undici whose `fetch` or `request` will use it. Default: the one of Node's built-in `fetch`. */
  readonly Agent?: AgentClass<Dispatcher> | undefined;
  /** TLS options of the client: `cert` and `key` for mutual TLS, `servername`, `ciphers`, `ca` for `caVerification`. */
  readonly tls?: ClientTlsOptions | undefined;
  /** Every connection goes through this HTTP proxy, in a tunnel. The server is pinned inside the tunnel. */
  readonly proxy?: ProxyInput | undefined;
  /** Other options of `Agent`: `connections`, `keepAliveTimeout`, `headersTimeout`, … */
  readonly [agentOption: string]: unknown;
}

export interface PinnedFetchOptions<Fetch extends AnyFetch = typeof fetch> extends PinnedDispatcherOptions {
  /** The `fetch` of the undici from which `Agent` comes. Default: Node's built-in `fetch`. */
  readonly fetch?: Fetch | undefined;
}

/**
 * The `connect` option for undici's `Client`, `Pool` and `Agent`: every connection is pinned. `http:` origins are refused, also as the
 * target of a redirect. undici gets the socket after a matching verdict.
 *
 * ```ts
 * import { Agent, request } from 'undici';
 * import { pinnedConnector } from 'certpin/undici';
 * const dispatcher = new Agent({ connect: pinnedConnector({ pins: process.env.API_PINS }) });
 * await request('https://api.example.com/', { dispatcher });
 * ```
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, if the configuration cannot be used
 */
export function pinnedConnector(policy: PolicyInput, tls: ClientTlsOptions = {}): PinnedConnector {
  return connectorOf(policy, tls);
}

function connectorOf(policy: PolicyInput, tls: ClientTlsOptions = {}, proxy?: ProxyInput): PinnedConnector {
  const own = readTlsOptions(tls, 'pinnedConnector') as ConnectionOptions;
  return createConnector(tlsPinnerOf(policy, 'undici', createTunnel(proxy)), own);
}

/**
 * A dispatcher that pins every connection. The policy applies to all hosts, unless it has `hosts`. Without `Agent`, the dispatcher belongs
 * to Node's built-in undici and fits the built-in `fetch` only: `fetch(url, { dispatcher })`.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`, at once
 */
export function pinnedDispatcher<Dispatcher extends DispatcherLike = DispatcherLike>(
  policy: PolicyInput,
  options: PinnedDispatcherOptions<Dispatcher> = {},
): Dispatcher {
  const { tls, proxy, ...others } = readOptions(options);
  for (const option of Object.keys(others)) refuseMisspelt(option);
  return createDispatcher(connectorOf(policy, tls, proxy), others);
}

/** undici ignores unknown options. So with a misspelt `proxy`, the call would go around the proxy. */
function refuseMisspelt(option: string): void {
  if (closestOf(option, ['proxy'], 2) === undefined) return;
  throw optionInvalid(
    shownOption(option),
    `pinnedDispatcher: unknown option \`${shownOption(option)}\`; did you mean \`proxy\`?`,
  );
}

/**
 * `fetch`, with every connection pinned. Nothing global is changed: other code's `fetch` stays as it is.
 *
 * ```ts
 * import { pinnedFetch } from 'certpin/undici';
 * const api = pinnedFetch({ pins: process.env.API_PINS });
 * const response = await api('https://api.example.com/users');
 * ```
 *
 * If the connection is refused, the call rejects with `TypeError: fetch failed`, and its `cause` is the `CertpinError`
 * (`findCertpinError`).
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`, at once
 */
export function pinnedFetch<Fetch extends AnyFetch = typeof fetch>(
  policy: PolicyInput,
  options: PinnedFetchOptions<Fetch> = {},
): PinnedFetch<Fetch> {
  const { fetch: given, ...others } = readFetchOptions(options);
  return createFetch(pinnedDispatcher(policy, others), given);
}
