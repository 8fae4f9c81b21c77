import type { ClientRequest } from 'node:http';
import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from 'node:tls';
import { optionInvalid } from '../core/errors.ts';
import { refusalError } from '../core/explain.ts';
import { INLINE } from '../core/form.ts';
import { policiesFor } from '../core/host-policies.ts';
import { ownOptions } from '../core/own-options.ts';
import { verify } from '../core/verify.ts';
import { type GuardedConnection, guard } from './guard.ts';
import { namesOf } from './server-name.ts';

/** Options of `https.Agent` (doc/api/http.md) beside those of the connection. */
export const agentKeys: readonly string[] = [
  'maxSockets',
  'maxTotalSockets',
  'maxFreeSockets',
  'scheduling',
  'keepAliveMsecs',
  'agentKeepAliveTimeoutBuffer',
];

/** What counts for each of an agent's connections. */
type AgentConnection = Pick<GuardedConnection, 'policy' | 'connectTimeoutMs' | 'tunnel'>;

/** In the options of a request: the server name that the configuration gives. Node's own `servername` may be the `Host` header's. */
const configuredName: unique symbol = Symbol('certpin.servername');

type AgentRequest = RequestOptions & ConnectionOptions & { readonly [configuredName]?: string | undefined };

/** The agent of every client that takes one. It holds one policy. */
export class PinnedAgent extends Agent {
  readonly #connection: AgentConnection;

  constructor(options: AgentOptions, connection: AgentConnection) {
    const { servername } = ownOptions(options);
    super({
      ...options,
      // Proxy agents and wrappers copy `agent.options` and connect by themselves. What they copy must not switch anything off: it
      // demands the ordinary verification, whatever the environment says, and the pin on top.
      rejectUnauthorized: true,
      checkServerIdentity: INLINE
        ? foreignConnection
        : function (this: ConnectionOptions | undefined, name: string, certificate: PeerCertificate) {
            // Node calls this on the options of the connection. Their host is the one that is dialled; the name may be a header's.
            const host = (this === undefined ? name : this.host) ?? '';
            return checkIdentity(namesOf({ options: { servername }, host }), certificate, connection.policy);
          },
      maxCachedSessions: 0,
    });
    this.#connection = connection;
  }

  /**
   * Node calls this for each request, and puts the name of the `Host` header where the request gives no `servername`; it may be a
   * stranger's. So the name that the request itself gives is noted before that.
   */
  addRequest(request: ClientRequest, options: AgentRequest | string, ...legacy: unknown[]): void {
    const noted = typeof options === 'object' ? { ...options, [configuredName]: ownName(request, options) } : options;
    (Agent.prototype as unknown as { addRequest: (...args: unknown[]) => void }).addRequest.call(
      this,
      request,
      noted,
      ...legacy,
    );
  }

  /** A connection that was verified under a name is used again under the same one only. */
  override getName(options: AgentRequest = {}): string {
    const name = options[configuredName];
    return name === undefined ? super.getName(options) : JSON.stringify([super.getName(options), name]);
  }

  /**
   * Returns the socket at once, still connecting: the agent counts it towards `maxSockets` from now on, and the request that the
   * agent writes into it waits for the verdict.
   */
  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): Duplex | null | undefined {
    const { socketPath, servername: requestedName, ...connection } = ownOptions(options as AgentRequest);
    const servername = ownOptions(this.options).servername || connection[configuredName];
    try {
      return guard({
        /** Its own `path` is that of the request; to a socket it would be the path of a unix socket. */
        options: { ...connection, servername, path: socketPath ?? undefined } as ConnectionOptions,
        requestedName,
        ...this.#connection,
      });
    } catch (error) {
      /** A TLS option of the request can be unusable. A throw from here may come out of a timer, in nobody's call. */
      if (callback === undefined) throw error;
      (callback as (error: Error) => void)(error as Error);
      return undefined;
    }
  }
}

/**
 * The `servername` of a request counts where its `Host` header names the host that is dialled, as Node's own does. Beside another header
 * it may have been made from that: superagent does so, and so does an agent that hands the request on to this one.
 */
function ownName(request: ClientRequest, options: AgentRequest): string | undefined {
  const { servername, host = 'localhost' } = ownOptions(options);
  const header = request.getHeader('host');
  const dialled = host?.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const isOwn = header === undefined || String(header).replace(/:\d+$/, '') === dialled;
  return isOwn && servername ? servername : undefined;
}

/** The inline form lets nobody else connect. */
function foreignConnection(): Error {
  return optionInvalid('agent', 'the options of the pinned agent were used without it');
}

/** Must return what it finds: a throw from here would be an uncaught exception. */
function checkIdentity(
  names: readonly string[],
  certificate: PeerCertificate,
  policies: AgentConnection['policy'],
): Error | undefined {
  try {
    const [host] = names;
    for (const policy of policiesFor(policies, names)) {
      if (policy === 'verify') return checkServerIdentity(host ?? '', certificate);
      const verdict = verify({ host, certificates: [certificate.raw], authorized: true }, policy);
      if (!verdict.ok) return refusalError(verdict);
    }
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
