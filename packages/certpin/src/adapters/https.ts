import type { Agent, AgentOptions } from 'node:https';
import { agentKeys } from '../drivers/agent.ts';
import { FullAgent } from '../tls/agent.ts';
import { type GivenGuardOptions, type GuardOptions, splitOptions } from '../tls/options.ts';
import { createTunnel, type ProxyInput } from '../tls/proxy.ts';

/** The options of `https.Agent`, without those that have no meaning together with a pin; and a policy. */
export type PinnedAgentOptions = AgentSettings & GivenGuardOptions;

interface AgentSettings
  extends Omit<
      AgentOptions,
      'rejectUnauthorized' | 'checkServerIdentity' | 'session' | 'pskCallback' | 'secureProtocol' | 'maxCachedSessions'
    >,
    GuardOptions {
  /** Every connection goes through this HTTP proxy, in a tunnel. The server is pinned inside the tunnel. */
  readonly proxy?: ProxyInput | undefined;
}

/**
 * An `https.Agent` that pins every connection: for `node:https`, axios (with `proxy: false`), got, node-fetch, superagent, ws. Pooling,
 * keep-alive and `maxSockets` work as in the plain agent.
 *
 * ```ts
 * import { pinnedAgent } from 'certpin/https';
 * const agent = pinnedAgent({ pins: process.env.API_PINS, keepAlive: true });
 * https.get('https://api.example.com/', { agent }, (response) => response.resume());
 * ```
 *
 * If a connection is refused, the request emits `error` with a `CertpinError`, and no byte of the request has left.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, if the configuration cannot be used
 */
export function pinnedAgent(options: PinnedAgentOptions): Agent {
  const { guarded, rest } = splitOptions(options, [...agentKeys, 'proxy'], 'pinnedAgent');
  const { proxy, ...agentOptions } = rest;
  return new FullAgent(agentOptions, { ...guarded, tunnel: createTunnel(proxy) }, 'https');
}
