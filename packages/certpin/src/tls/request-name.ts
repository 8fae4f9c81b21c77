import type { ClientRequest } from 'node:http';
import type { Agent, RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { ownOptions } from '../leaf/options.ts';

/** The key in the options of a request for the server name that the request itself gives. */
const configuredName: unique symbol = Symbol('certpin.servername');

type AgentRequest = RequestOptions & { readonly [configuredName]?: string | undefined };

interface Methods {
  addRequest(request: ClientRequest, options: RequestOptions | string, ...legacy: unknown[]): void;
  getName(options?: RequestOptions): string;
}

/**
 * If a request gives no `servername`, Node uses the name of the `Host` header, which may come from a stranger. So the name that the request
 * itself gives is noted earlier, when Node hands the request to the agent. A connection that was verified under a name is used again only
 * under the same name.
 */
export function noteRequestNames(agent: Agent): void {
  const { addRequest, getName } = agent as unknown as Methods;
  const noting: Methods = {
    addRequest(request, options, ...legacy) {
      const isNamed = typeof options === 'object' && options !== null;
      const noted = isNamed ? { ...options, [configuredName]: ownName(request, options) } : options;
      addRequest.call(agent, request, noted, ...legacy);
    },
    getName(options = {}) {
      const name = configuredNameOf(options);
      return name === undefined ? getName.call(agent, options) : JSON.stringify([getName.call(agent, options), name]);
    },
  };
  Object.assign(agent, noting);
}

/** The name that {@link noteRequestNames} has noted. */
export function configuredNameOf(options: AgentRequest | ConnectionOptions): string | undefined {
  return (options as AgentRequest)[configuredName];
}

/**
 * The `servername` of a request counts only if its `Host` header names the dialled host, as with Node's own. With another header, it may
 * have been made from that header: superagent does so, and so does an agent that passes the request on to this one.
 */
function ownName(request: ClientRequest, options: RequestOptions): string | undefined {
  const { servername, host } = ownOptions(options);
  const header = request.getHeader('host');
  const dialled = host?.includes(':') && !host.startsWith('[') ? `[${host}]` : (host ?? 'localhost');
  const isOwn = header === undefined || String(header).replace(/:\d+$/, '') === dialled;
  return isOwn && servername ? servername : undefined;
}
