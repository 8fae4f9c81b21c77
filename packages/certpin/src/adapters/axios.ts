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
  /** Every connection goes through this HTTP proxy, in a tunnel. The server is pinned inside the tunnel. */
  readonly proxy?: ProxyInput | undefined;
}

/**
 * A configuration for `axios.create` and for single requests. Every connection is pinned. A proxy of the environment is not used. `http:`
 * is refused, also as the target of a redirect.
 *
 * ```ts
 * import axios from 'axios';
 * import { pinnedAxios } from 'certpin/axios';
 * const api = axios.create(pinnedAxios({ baseURL: 'https://api.example.com' }, { pins: process.env.API_PINS }));
 * ```
 *
 * @param agentOptions options of the agent, and `proxy`
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`, at once, if the configuration cannot be used. If
 * a connection is refused, the request fails with an `AxiosError`. Its `code` is certpin's, and `findCertpinError` finds certpin's error in
 * it.
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
