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
  /** The `Agent` of the undici whose `fetch` or `request` will use it. Default: that of the `fetch` which is part of Node. */
  readonly Agent?: AgentClass<Dispatcher> | undefined;
  /** TLS options of the client: `cert` and `key` for mutual TLS, `servername`, `ciphers`, `ca` for `caVerification`. */
  readonly tls?: ClientTlsOptions | undefined;
  /** Every connection is made through this HTTP proxy, in a tunnel in which the server is pinned. */
  readonly proxy?: ProxyInput | undefined;
  /** What else `Agent` takes: `connections`, `keepAliveTimeout`, `headersTimeout`, … */
  readonly [agentOption: string]: unknown;
}

export interface PinnedFetchOptions<Fetch extends AnyFetch = typeof fetch> extends PinnedDispatcherOptions {
  /** The `fetch` of the undici whose `Agent` stands beside it. Default: the one that is part of Node. */
  readonly fetch?: Fetch | undefined;
}

/**
 * The `connect` option for undici's `Client`, `Pool` and `Agent`: every connection is pinned, and `http:` origins are refused, a
 * redirect to one too. undici gets the socket after a matching verdict.
 *
 * ```ts
 * import { Agent, request } from 'undici';
 * import { pinnedConnector } from 'certpin/undici';
 * const dispatcher = new Agent({ connect: pinnedConnector({ pins: process.env.API_PINS }) });
 * await request('https://api.example.com/', { dispatcher });
 * ```
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, for a configuration that cannot be used
 */
export function pinnedConnector(policy: PolicyInput, tls: ClientTlsOptions = {}): PinnedConnector {
  return connectorOf(policy, tls);
}

function connectorOf(policy: PolicyInput, tls: ClientTlsOptions = {}, proxy?: ProxyInput): PinnedConnector {
  const own = readTlsOptions(tls, 'pinnedConnector') as ConnectionOptions;
  return createConnector(tlsPinnerOf(policy, 'undici', createTunnel(proxy)), own);
}

/**
 * A dispatcher whose every connection is pinned, for all hosts under the one policy. Without `Agent` it is of the undici that is part
 * of Node, and fits the built-in `fetch` only: `fetch(url, { dispatcher })`.
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

/** undici passes over what it does not know, and the call would go around the proxy. */
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
 * A refused connection is a rejection with `TypeError: fetch failed` whose `cause` is the `CertpinError` (`findCertpinError`).
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
