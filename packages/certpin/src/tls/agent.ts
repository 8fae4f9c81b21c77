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
import { configuredNameOf, noteRequestNames } from './request-name.ts';
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

/** The agent of every client that takes one. It holds one policy. */
export class PinnedAgent extends Agent {
  readonly #connection: AgentConnection;

  constructor(options: AgentOptions, connection: AgentConnection) {
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
            const { servername } = ownOptions(options);
            return checkIdentity(
              namesOf({ options: { servername } as ConnectionOptions, host }),
              certificate,
              connection.policy,
            );
          },
      maxCachedSessions: 0,
    });
    this.#connection = connection;
    if (!INLINE) noteRequestNames(this);
  }

  /**
   * Returns the socket at once, still connecting: the agent counts it towards `maxSockets` from now on, and the request that the
   * agent writes into it waits for the verdict.
   */
  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): Duplex | null | undefined {
    const { socketPath, servername: requestedName, ...connection } = ownOptions(options);
    const servername = ownOptions(this.options).servername || (INLINE ? undefined : configuredNameOf(connection));
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
