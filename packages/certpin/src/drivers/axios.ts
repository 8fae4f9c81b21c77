import { Agent, type RequestOptions } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { CertpinError, optionErrors } from '../errors.ts';
import { ownOptions, refuseOptions } from '../leaf/options.ts';
import { plaintextRefused } from './plaintext.ts';

const invalid = optionErrors('pinnedAxios');

/** What `pinnedAxios` reads of a request configuration of axios; everything else passes through untouched. */
interface AxiosConfig {
  readonly url?: string | undefined;
  readonly baseURL?: string | undefined;
  readonly proxy?: unknown;
  readonly adapter?: unknown;
  readonly env?: { readonly fetch?: unknown } | undefined;
  readonly httpVersion?: unknown;
  readonly [option: string]: unknown;
}

/** What `pinnedAxios` adds. */
export interface PinnedAxios {
  /** Pinned. */
  readonly httpsAgent: HttpsAgent;
  /** Opens nothing. Every `http:` request fails in it, also after a redirect. */
  readonly httpAgent: Agent;
  readonly proxy: false;
  /** For the fetch adapter, which takes no agent: every request through it fails. */
  readonly fetchOptions: {
    readonly referrer: { readonly toString: () => never };
    readonly dispatcher: { readonly dispatch: () => never };
  };
  readonly env: { readonly fetch: () => never };
  /** For HTTP/2, which takes no agent either. */
  readonly http2Options: { readonly createConnection: () => never };
}

/** Options that would open connections without certpin's agent. */
const refusedOptions: Record<string, string> = {
  httpsAgent: 'certpin makes the agent itself; its options are the third argument',
  httpAgent: 'without TLS there is nothing to pin, so certpin refuses http:',
  transport: 'it would make the connection itself',
  http2Options: 'HTTP/2 does not go through the agent',
  fetchOptions: 'only the fetch adapter reads it, which takes no agent',
};

/**
 * A request configuration in which every connection is the agent's.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`
 */
export function configureAxios<Config extends object>(
  config: Config,
  agent: HttpsAgent,
): Omit<Config, keyof PinnedAxios> & PinnedAxios {
  if (typeof config !== 'object' || config === null) throw invalid('config', 'the configuration must be an object');
  const given: AxiosConfig = ownOptions(config as AxiosConfig);
  refuseOptions(given, refusedOptions, (option, why) => invalid(option, `remove \`${option}\`: ${why}`));
  if (given.proxy !== undefined && given.proxy !== false)
    throw invalid('proxy', 'remove `proxy`: it would choose the connection; give a proxy in the third argument');
  if (given.adapter !== undefined && given.adapter !== 'http') {
    throw invalid('adapter', "remove `adapter`: only 'http' goes through the agent");
  }
  if (ownOptions(given.env ?? {}).fetch !== undefined) {
    throw invalid('env', 'remove `env.fetch`: only the fetch adapter reads it, which takes no agent');
  }
  if (given.httpVersion !== undefined && Number(given.httpVersion) !== 1) {
    throw invalid('httpVersion', 'remove `httpVersion`: HTTP/2 does not go through the agent');
  }
  for (const option of ['baseURL', 'url'] as const) {
    const [protocol] = /^\s*[a-z][a-z0-9+.-]*:/i.exec(given[option] ?? '') ?? [];
    if (protocol !== undefined && protocol.trim().toLowerCase() !== 'https:') {
      throw invalid(option, `\`${option}\` must begin with https:, because without TLS there is nothing to pin`);
    }
  }
  if ('XMLHttpRequest' in globalThis) {
    const message =
      "axios prefers the XMLHttpRequest of this process, which takes no agent; run it without one (in Jest: testEnvironment 'node')";
    throw new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'axios' });
  }
  return {
    ...config,
    httpsAgent: agent,
    httpAgent: new NoPlaintextAgent(),
    proxy: false,
    // Each request, and the defaults of axios, can also set an adapter or HTTP/2. So every way around the agent ends in an error.
    // `referrer` is read when a `Request` is made, `dispatcher` when Node's `fetch` would connect. From axios 1.12 on, `env.fetch` replaces
    // any `fetch`.
    fetchOptions: { referrer: { toString: refuseFetch }, dispatcher: { dispatch: refuseFetch } },
    env: { ...given.env, fetch: refuseFetch },
    http2Options: { createConnection: refuseHttp2 },
  };
}

function refuseFetch(): never {
  throw invalid('adapter', "`adapter` must be 'http': a request through fetch would leave the pinned agent");
}

function refuseHttp2(): never {
  throw invalid('httpVersion', '`httpVersion` must be 1: HTTP/2 does not go through the agent');
}

/** The agent for `http:`. Node asks it for a connection and gets none. */
class NoPlaintextAgent extends Agent {
  override createConnection(
    _options: RequestOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): Duplex | null | undefined {
    const error = plaintextRefused('http:');
    if (callback === undefined) throw error;
    (callback as (error: Error) => void)(error);
    return undefined;
  }
}
