import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { ownOptions } from '../leaf/options.ts';
import type { Pinner } from '../leaf/pinner.ts';

/** Options of `https.Agent` (doc/api/http.md), besides those of the connection. */
export const agentKeys: readonly string[] = [
  'maxSockets',
  'maxTotalSockets',
  'maxFreeSockets',
  'scheduling',
  'keepAliveMsecs',
  'agentKeepAliveTimeoutBuffer',
];

/** The server name that the configuration gives for a connection. */
type NameOf = (connection: RequestOptions) => string | undefined;

/** The agent of every client that takes one. It holds one policy. */
export class PinnedAgent extends Agent {
  readonly #pinner: Pinner;
  readonly #nameOf: NameOf;

  /**
   * @param whenForeign Node's check of the identity, for connections that others make with the options of this agent. Proxy agents and
   * wrappers copy `agent.options`. The copied options must not switch anything off. So they demand the ordinary verification too, whatever
   * the environment says.
   * @param nameOf the server name that a request itself gives, if the agent has none
   */
  constructor(
    options: AgentOptions,
    pinner: Pinner,
    whenForeign: ConnectionOptions['checkServerIdentity'],
    nameOf: NameOf = () => undefined,
  ) {
    super({ ...options, rejectUnauthorized: true, checkServerIdentity: whenForeign, maxCachedSessions: 0 });
    this.#pinner = pinner;
    this.#nameOf = nameOf;
  }

  /**
   * Returns the socket at once, while it still connects. From now on, the agent counts it towards `maxSockets`. The request that the agent
   * writes into it waits for the verdict.
   */
  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): Duplex | null | undefined {
    const own = ownOptions(options);
    const { socketPath, servername: requestedName } = own;
    try {
      const servername = ownOptions(this.options).servername || this.#nameOf(own);
      // The `path` here is the path of the request. To a socket, it would be the path of a unix socket.
      Object.assign(own, { servername, path: socketPath ?? undefined });
      return this.#pinner.open(own as ConnectionOptions, this.#pinner.connectTimeoutMs, requestedName);
    } catch (error) {
      // A TLS option of the request may be unusable. An exception from here may come out of a timer, where nobody can catch it.
      if (callback === undefined) throw error;
      (callback as (error: Error) => void)(error as Error);
      return undefined;
    }
  }
}
