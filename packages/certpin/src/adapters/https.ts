import type { Agent, AgentOptions } from 'node:https';
import { agentKeys } from '../drivers/agent.ts';
import { FullAgent } from '../tls/agent.ts';
import { type GivenGuardOptions, type GuardOptions, splitOptions } from '../tls/options.ts';
import { createTunnel, type ProxyInput } from '../tls/proxy.ts';

/** The options of `https.Agent`, less those that have no meaning beside a pin, and a policy. */
export type PinnedAgentOptions = AgentSettings & GivenGuardOptions;

interface AgentSettings
  extends Omit<
      AgentOptions,
      'rejectUnauthorized' | 'checkServerIdentity' | 'session' | 'pskCallback' | 'secureProtocol' | 'maxCachedSessions'
    >,
    GuardOptions {
  /** Every connection is made through this HTTP proxy, in a tunnel in which the server is pinned. */
  readonly proxy?: ProxyInput | undefined;
}

/**
 * An `https.Agent` whose every connection is pinned: for `node:https`, axios (with `proxy: false`), got, node-fetch, superagent, ws.
 * Pooling, keep-alive and `maxSockets` are those of the plain agent.
 *
 * ```ts
 * import { pinnedAgent } from 'certpin/https';
 * const agent = pinnedAgent({ pins: process.env.API_PINS, keepAlive: true });
 * https.get('https://api.example.com/', { agent }, (response) => response.resume());
 * ```
 *
 * A refused connection is the `error` event of the request, a `CertpinError`, before one byte of the request has left.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, for a configuration that cannot be used
 */
export function pinnedAgent(options: PinnedAgentOptions): Agent {
  const { guarded, rest } = splitOptions(options, [...agentKeys, 'proxy'], 'pinnedAgent');
  const { proxy, ...agentOptions } = rest;
  return new FullAgent(agentOptions, { ...guarded, tunnel: createTunnel(proxy) }, 'https');
}
