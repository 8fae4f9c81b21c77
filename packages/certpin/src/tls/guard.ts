import { addAbortSignal } from 'node:stream';
import { type ConnectionOptions, checkServerIdentity, type TLSSocket } from 'node:tls';
import { hostRefusal, policiesFor, type ServerPolicies } from '../core/host-policies.ts';
import type { Policy } from '../core/policy-type.ts';
import { optionInvalid } from '../errors.ts';
import { type ContextFor, createContexts } from '../leaf/contexts.ts';
import { noVerification, type OwnHandshake, openTls } from '../leaf/handshake.ts';
import { intercept } from '../leaf/intercept.ts';
import { ownOptions } from '../leaf/options.ts';
import type { Pinner } from '../leaf/pinner.ts';
import { requestName, type ServerIdentity } from '../leaf/server-name.ts';
import { LateStream } from '../wire/late-stream.ts';
import { type OpenTunnel, tunnelFor } from '../wire/tunnel.ts';
import { beginAttempt, watchOpener } from './attempt.ts';
import { judgeBoth, judgeConnection } from './judge.ts';
import { serverOf, spellName } from './server.ts';
import { Reuse, sessionsOf } from './speed/reuse.ts';

type AddToHandshake = (safe: ConnectionOptions) => OwnHandshake;

/** What a {@link Pinner} of the package is made from. It is checked already. */
export interface PinnerConfig {
  readonly policies: ServerPolicies | 'verify';
  readonly connectTimeoutMs: number;
  /** Set if a proxy stands before the server. */
  readonly tunnel?: OpenTunnel | undefined;
  /** The client whose attempts are published. undefined: none are. */
  readonly client?: string | undefined;
}

/**
 * The pinner of the package: policies by host, issuers, live pins, proxies, and what earlier connections have proven.
 *
 * Under the ordinary verification, Node itself withholds `secureConnect` and destroys the socket, in the same tick.
 */
export function createPinner({ policies, connectTimeoutMs, tunnel: proxy, client }: PinnerConfig): Pinner {
  const contextFor = createContexts();
  const begin: Pinner['begin'] = client === undefined ? undefined : (options) => beginAttempt(client, options);
  const refusalOf = (options: ConnectionOptions): Error | undefined =>
    hostRefusal(policies, serverOf(ownOptions(options)).names);
  return {
    connectTimeoutMs,
    refusalOf,
    begin,
    around: (open, tls) => (address, stream) => {
      const options = { ...tls, ...address };
      const end = begin?.(options);
      const unpinned = refusalOf(options);
      if (unpinned === undefined)
        return end === undefined ? open(address, stream) : watchOpener(open, address, stream, end);
      end?.(unpinned);
      // Later, as in any other attempt: postgres.js begins to listen after one of its own promises has settled.
      Promise.resolve().then(() => stream.destroy(unpinned));
      return { destroy: () => undefined };
    },
    open: (given, limitMs, requestedName) => {
      const own = ownOptions(given);
      const server = serverOf(own);
      const tunnel = tunnelFor(proxy, own);
      const rules = policiesFor(policies, server.names);
      const [one, other] = rules;
      requestName(own, requestedName);
      spellName(own);
      const open = (more: ConnectionOptions, add?: AddToHandshake): TLSSocket =>
        openThrough(tunnel, Object.assign(own, more), limitMs, add);
      if (one === 'verify') return open(ordinaryVerification(server));
      // A program can change Node's list of CAs while it runs. If this list decides, it is read each time.
      const needsRoots = own.ca === undefined && rules.some((rule) => (rule as Policy).caVerification === 'require');
      const context: ContextFor = needsRoots ? () => ({}) : contextFor;
      if (other !== undefined) {
        const socket = open(noVerification, context);
        return intercept(socket, judgeBoth(socket, [one, other as Policy], server));
      }
      const reuse = new Reuse({ ...server, policy: one, sessions: sessionsOf(policies as ServerPolicies, tunnel) });
      const socket = open(noVerification, (safe) => reuse.offer(Object.assign(safe, context(safe))));
      reuse.attach(socket);
      return intercept(socket, judgeConnection(socket, one, server, reuse));
    },
  };
}

/** As Node does by default, whatever NODE_TLS_REJECT_UNAUTHORIZED says, and for the host that the verdict would name. */
function ordinaryVerification({ host = '' }: ServerIdentity): ConnectionOptions {
  return {
    rejectUnauthorized: true,
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  };
}

function openThrough(
  tunnel: OpenTunnel | undefined,
  own: ConnectionOptions & { signal?: AbortSignal | undefined },
  limitMs: number | undefined,
  add: AddToHandshake | undefined,
): TLSSocket {
  const { signal } = own;
  own.signal = undefined;
  const way = tunnel && new LateStream();
  if (way !== undefined && (own.path != null || own.socket != null)) {
    const message = 'a unix socket or a given socket cannot be reached through a proxy: remove it, or remove `proxy`';
    throw optionInvalid('proxy', message);
  }
  if (way !== undefined) own.socket = way;
  const socket = openTls(own, limitMs, add);
  // Only now: unusable options have thrown before, and leave no open tunnel behind.
  if (tunnel !== undefined && way !== undefined) startTunnel(tunnel, own, way, socket);
  if (signal !== undefined) addAbortSignal(signal, socket);
  return socket;
}

/** Begins TLS on a stream that gets its socket when the tunnel is ready. So clients count the connection from now on. */
function startTunnel(
  tunnel: OpenTunnel,
  { host = 'localhost', port }: ConnectionOptions,
  way: LateStream,
  socket: TLSSocket,
): void {
  const attempt = tunnel({ host, port: Number(port) }, (error, raw) => {
    if (raw === undefined) socket.destroy(error);
    else way.adopt(raw);
  });
  way.once('close', () => attempt.destroy());
  // To Node, the connection ends at a JavaScript stream, which does not keep the process alive. The socket below does.
  socket.ref = () => {
    way.ref();
    return socket;
  };
  socket.unref = () => {
    way.unref();
    return socket;
  };
}
