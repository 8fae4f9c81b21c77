import type { AgentOptions } from 'node:https';
import { agentKeys } from '../drivers/agent.ts';
import { configureAxios, type PinnedAxios } from '../drivers/axios.ts';
import type { Refuse } from '../drivers/refused-types.ts';
import { FullAgent } from '../tls/agent.ts';
import { readPolicy, readTlsOptions } from '../tls/options.ts';
import type { PolicyInput } from '../tls/pinner-of.ts';
import { createTunnel, type ProxyInput } from '../tls/proxy.ts';

export type { PinnedAxios };

type AxiosConfigTypes<Config> = Refuse<
  Config,
  'httpsAgent' | 'httpAgent' | 'transport' | 'http2Options' | 'fetchOptions'
> &
  (Config extends { readonly proxy: infer Proxy }
    ? Proxy extends boolean
      ? { readonly proxy: false }
      : Refuse<Config, 'proxy'>
    : unknown);

/** Options of the `https.Agent` that {@link pinnedAxios} makes: `keepAlive`, `maxSockets`, `cert`, `key`, … */
export interface AxiosAgentOptions
  extends Omit<
    AgentOptions,
    'rejectUnauthorized' | 'checkServerIdentity' | 'session' | 'pskCallback' | 'secureProtocol' | 'maxCachedSessions'
  > {
  /** Every connection is made through this HTTP proxy, in a tunnel in which the server is pinned. */
  readonly proxy?: ProxyInput | undefined;
}

/**
 * A configuration for `axios.create` and for single requests: every connection is pinned, no proxy takes the request away, and
 * `http:` is refused, a redirect to it too.
 *
 * ```ts
 * import axios from 'axios';
 * import { pinnedAxios } from 'certpin/axios';
 * const api = axios.create(pinnedAxios({ baseURL: 'https://api.example.com' }, { pins: process.env.API_PINS }));
 * ```
 *
 * @param agentOptions options of the agent, and `proxy`
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`, at once, for a configuration that cannot
 * be used. A refused connection is the `AxiosError` of the request: `code` is ours, and `findCertpinError` finds the error.
 */
export function pinnedAxios<Config extends object>(
  config: Config & AxiosConfigTypes<Config>,
  policy: PolicyInput,
  agentOptions: AxiosAgentOptions = {},
): Omit<Config, keyof PinnedAxios> & PinnedAxios {
  const { proxy, ...options } = readTlsOptions(agentOptions, 'pinnedAxios', [...agentKeys, 'proxy']);
  const agent = new FullAgent(options, { ...readPolicy(policy), tunnel: createTunnel(proxy) }, 'axios');
  return configureAxios<Config>(config, agent);
}
