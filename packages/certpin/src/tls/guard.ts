import type { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import {
  type ConnectionOptions,
  checkServerIdentity,
  type DetailedPeerCertificate,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import { Certificate } from '../core/certificate.ts';
import { CertpinError } from '../core/errors.ts';
import { refusalError } from '../core/explain.ts';
import { ASKS, INLINE } from '../core/form.ts';
import { policyFor, type ServerPolicies } from '../core/host-policies.ts';
import type { Policy } from '../core/policy.ts';
import { type Peer, type Verdict, verify } from '../core/verify.ts';
import { publishVerdict } from './diagnostics.ts';
import { LateStream } from './late-stream.ts';
import { handshakeOptions, safeHandshake } from './options.ts';
import { knownVerdict, rememberVerdict, repeatVerdict, stillHolds } from './repeated-verdict.ts';
import { Reuse } from './reuse.ts';
import { readLeaf } from './session-certificate.ts';
import { startTimeout } from './timeout.ts';

/** A connection to be guarded: the options of `tls.connect`, and the name of the server for verdict and error. */
export interface GuardedConnection {
  readonly options: ConnectionOptions;
  readonly policy: ServerPolicies | 'verify';
  /** Where a proxy stands before the server. */
  readonly tunnel?: OpenTunnel | undefined;
  /** Whom the caller meant, where it differs from `options`: with a given socket the options name no host. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Milliseconds until the attempt is given up; 0, or undefined: never. */
  readonly connectTimeoutMs?: number | undefined;
}

/**
 * Opens a way to the server; calls `done` once, later. Destroying what it returns ends the attempt, and the way.
 *
 * `greets`: the server speaks first, in plaintext. Without it, a byte that follows the proxy's consent is an injection.
 */
export type OpenTunnel = (
  server: { readonly host: string; readonly port: number; readonly greets?: boolean },
  done: (error: Error | undefined, socket?: Socket) => void,
) => { destroy(): unknown };

/**
 * Opens a TLS connection that nobody can use before its verdict.
 *
 * Returned at once, still connecting, like `tls.connect`'s. `secureConnect` is emitted only after a matching verdict. On a refusal
 * the socket is destroyed with the error in the same tick in which the handshake ends, and whatever had been written is dropped:
 * a check in a later tick is too late, for then the queued bytes have left.
 *
 * Under the ordinary verification Node itself keeps `secureConnect` back and destroys the socket, in the same tick.
 *
 * @throws CertpinError `ERR_HOST_UNPINNED` before anything is opened
 */
export function guard(connection: GuardedConnection): TLSSocket {
  const { options, policy, connectTimeoutMs } = connection;
  const server = identity(connection);
  const pinned = { ...options, ...noVerification };
  if (INLINE) return intercept(openTls({ options: pinned, connectTimeoutMs }), { policy, server } as Interception);
  const own = policyFor(policy, server.host);
  const { tunnel } = connection;
  if (own === 'verify')
    return openTls({ options: { ...options, ...ordinaryVerification(server) }, connectTimeoutMs, tunnel });
  const reuse = new Reuse({ ...server, owner: policy as object, policy: own, way: tunnel });
  return intercept(openTls({ options: pinned, connectTimeoutMs, tunnel, reuse }), { policy: own, server, reuse });
}

/**
 * Makes a handshake, hands over what the server presented, and closes: no application byte can be sent on the connection, so
 * a `minVersion` before TLS 1.2 is taken.
 *
 * A completed handshake proves that the server owns the key of its certificate (RFC 8446 §4.4.3, RFC 5246 §7.4.3).
 */
export function observe(connection: Omit<GuardedConnection, 'policy'>): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const options = { ...connection.options, ...noVerification };
    const socket = openTls({ options, connectTimeoutMs: connection.connectTimeoutMs, oldVersions: true });
    socket.once('error', reject);
    const endsEarly = (): void => reject(closedEarly());
    socket.once('close', endsEarly);
    socket.once('secureConnect', () => {
      socket.off('close', endsEarly);
      try {
        resolve(describePeer(socket, takePresented(socket), identity(connection)));
      } catch (error) {
        reject(error);
      }
      // Goodbye is said, so that the server sees a connection that ended and not a handshake that failed.
      socket.end(() => socket.destroy());
    });
  });
}

// The ordinary verification must not end the handshake before the pin was looked at, in `intercept`.
const noVerification: ConnectionOptions = { rejectUnauthorized: false, checkServerIdentity: () => undefined };

/** As Node does by default, whatever NODE_TLS_REJECT_UNAUTHORIZED says, and by the host that the verdict would name. */
function ordinaryVerification({ host = '' }: ServerIdentity): ConnectionOptions {
  return {
    rejectUnauthorized: true,
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  };
}

interface Opening {
  readonly options: ConnectionOptions & { signal?: AbortSignal };
  readonly connectTimeoutMs?: number | undefined;
  readonly tunnel?: OpenTunnel | undefined;
  readonly reuse?: Reuse | undefined;
  /** Whether a `minVersion` before TLS 1.2 is taken: only where nothing is sent on the connection. */
  readonly oldVersions?: boolean;
}

/** The only call of `tls.connect` in the library. */
function openTls(how: Opening): TLSSocket {
  const { options } = how;
  const prepare = ({ tunnel, reuse, oldVersions }: Opening): ConnectionOptions => {
    const { signal: _, ...others } = options;
    const way = tunnel === undefined ? undefined : startTunnel(tunnel, others, (error) => socket.destroy(error));
    const prepared = handshakeOptions(way === undefined ? others : { ...others, socket: way }, oldVersions);
    return reuse === undefined ? prepared : reuse.prepare(prepared);
  };
  const socket = tlsConnect(INLINE ? safeHandshake(options) : prepare(how));
  if (!INLINE && options.signal !== undefined) addAbortSignal(options.signal, socket);
  /** Of a driver's connection the whole attempt has a clock already (upgrade.ts). */
  if (INLINE && ASKS !== 'nobody') return socket;
  const stop = startTimeout(how.connectTimeoutMs, (error) => socket.destroy(error));
  return socket.on('secureConnect', stop).on('close', stop);
}

/** TLS begins at once, on a stream whose socket comes when the tunnel stands: clients count the connection from now on. */
function startTunnel(tunnel: OpenTunnel, server: ConnectionOptions, fail: (error?: Error) => void): LateStream {
  if (server.path != null || server.socket != null) {
    const message = 'a unix socket, or a given one, is not reached through a proxy: remove it, or `proxy`';
    throw new CertpinError('ERR_OPTION_INVALID', message, { option: 'proxy' });
  }
  const way = new LateStream();
  const attempt = tunnel({ host: server.host ?? 'localhost', port: Number(server.port) }, (error, raw) => {
    if (raw === undefined) fail(error);
    else way.adopt(raw);
  });
  way.once('close', () => attempt.destroy());
  return way;
}

interface Interception {
  readonly policy: Policy;
  readonly server: ServerIdentity;
  readonly reuse?: Reuse | undefined;
}

/**
 * Puts the verdict between Node and everybody who listens on `socket`.
 *
 * Node's own `onConnectSecure` (lib/internal/tls/wrap.js) emits `secureConnect`, then the withheld `session`. Listeners cannot stop
 * one another, so the emission itself is intercepted, on this one instance. It is done for every handshake of the connection.
 */
function intercept(socket: TLSSocket, how: Interception): TLSSocket {
  const { policy, server } = how;
  const reuse = INLINE ? undefined : how.reuse;
  // Listeners cannot stop one another, so the emission is intercepted, on this one instance. The verdict is given and obeyed in the
  // tick in which the handshake ends: what was queued leaves in the next one.
  const emit = socket.emit as (this: TLSSocket, event: string | symbol, ...args: unknown[]) => boolean;
  let released = false;
  const pendingSessions: Buffer[] = [];

  const refuse = (error: Error): false => {
    if (!INLINE) {
      released = false;
      reuse?.drop();
      pendingSessions.length = 0;
    }
    socket.authorized = false;
    socket.authorizationError = error;
    socket.destroy(error);
    return false;
  };

  /** Whether the connection may be used; where it may not, it is gone when this returns. */
  const settle = (judge: () => Verdict): boolean => {
    try {
      const verdict = INLINE ? judge() : publishVerdict(judge());
      return verdict.ok || refuse(refusalError(verdict));
    } catch (error) {
      return refuse(error as Error); // an exception in a check is a refusal, and must not leave this call
    }
  };

  // The leaf decides where no issuer is pinned, and it alone is cheap to read.
  const withChain = INLINE ? false : policy.issuerPins.length > 0;
  let peer: Peer | undefined;
  const judge = (): Verdict => {
    if (INLINE || reuse === undefined) return verify(describePeer(socket, leafOf(socket), server), policy);
    if (socket.isSessionReused()) {
      const proven = reuse.resumed(socket);
      peer = proven?.peer ?? describePeer(socket, readChain(socket, withChain), server);
      // The pins may have changed since the session was offered.
      return proven !== undefined && stillHolds(proven, policy, Date.now()) ? proven.verdict : verify(peer, policy);
    }
    const before = repeatVerdict(socket, policy, server);
    if (before !== undefined) {
      peer = before.peer;
      reuse.proved(before);
      return before.verdict;
    }
    peer = describePeer(socket, withChain ? readChain(socket, true) : readOnlyLeaf(socket), server);
    const verdict = verify(peer, policy);
    const known = knownVerdict(verdict, peer, policy);
    if (known !== undefined) rememberVerdict(known, policy);
    reuse.proved(known);
    // Whoever has to understand a refusal needs the chain: it may be the CA's pin that was configured.
    return verdict.ok || withChain ? verdict : verify(describePeer(socket, readChain(socket, true), server), policy);
  };

  const onSecure = (): boolean => {
    if (!settle(judge)) return false;
    /** Drivers look at these to learn whether the connection may be used; under a pin, the verdict is the answer. */
    socket.authorized = true;
    socket.authorizationError = null as unknown as Error;
    if (!INLINE && released) return true;
    if (!INLINE) released = true;
    // The pin of an open connection may go: then the connection goes too, whether it is in use or waits in a pool.
    const unsubscribe = INLINE ? undefined : policy.onChange?.(() => settle(() => verify(peer as Peer, policy)));
    if (unsubscribe !== undefined) socket.once('close', unsubscribe);
    emit.call(socket, 'secureConnect');
    if (!INLINE) for (const session of pendingSessions.splice(0)) emit.call(socket, 'session', session);
    return true;
  };

  if (!INLINE && reuse?.mayResume) {
    // Node makes no event of a session that nobody listens for. Heard after the verdict, as by everybody else.
    socket.on('session', (session: Buffer) => socket.destroyed || reuse.keep(session));
    // A server that cannot be reached with a session is tried without one.
    socket.on('close', () => released || reuse.drop());
  }

  socket.emit = function guardedEmit(this: TLSSocket, event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'secureConnect') return onSecure();
    // Under TLS 1.2 Node emits it even after a refusal: a cache filled then would resume at the wrong server.
    /** The inline form resumes none, so nobody hears of one. */
    if (INLINE && event === 'session') return false;
    if (!INLINE && event === 'session' && !released) {
      if (!socket.destroyed) pendingSessions.push(args[0] as Buffer);
      return false;
    }
    return emit.call(this, event, ...args);
  } as TLSSocket['emit'];
  return socket;
}

interface ServerIdentity {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** `servername`, where it is given, is the name that the caller means; Node verifies the same one. */
function identity({ options, host, port }: Pick<GuardedConnection, 'options' | 'host' | 'port'>): ServerIdentity {
  const name = options.servername || host || options.host;
  const isDefault = !INLINE && name == null && options.socket === undefined && options.path === undefined;
  return { host: isDefault ? 'localhost' : name, port: port ?? options.port };
}

function describePeer(socket: TLSSocket, certificates: Peer['certificates'], server: ServerIdentity): Peer {
  const [tlsVersion, sessionReused] = [socket.getProtocol(), socket.isSessionReused()];
  if (INLINE) return { ...server, certificates, tlsVersion, sessionReused };
  return { ...server, certificates, tlsVersion, sessionReused, ...ordinaryResult(socket) };
}

/** Of the ordinary verification, for a policy that requires it too. */
function ordinaryResult({
  authorized,
  authorizationError,
}: TLSSocket): Pick<Peer, 'authorized' | 'authorizationError'> {
  return { authorized, ...(authorizationError ? { authorizationError: String(authorizationError) } : {}) };
}

/** None is an empty object. */
function leafOf(socket: TLSSocket): Uint8Array[] {
  const raw = socket.getPeerCertificate()?.raw;
  return raw === undefined ? [] : [raw];
}

/** After a full handshake only: what a resumed session holds was presented in another one. */
function readOnlyLeaf(socket: TLSSocket): Certificate[] {
  const leaf = readLeaf(socket);
  return leaf === undefined ? readChain(socket, false) : [leaf];
}

/**
 * What Node shows: each certificate linked to its issuer, and the last one to itself; none at all is an empty object.
 *
 * getPeerX509Certificate() would take the certificate out of OpenSSL's chain, and a driver that reads it afterwards (SCRAM channel
 * binding) would find none. getPeerCertificate() can be called by everybody, again and again.
 */
function readChain(socket: TLSSocket, withChain: boolean): Certificate[] {
  const leaf = socket.getPeerCertificate(withChain as true) as DetailedPeerCertificate | undefined;
  const chain: Certificate[] = [];
  const seen = new Set<object>();
  for (let next = leaf; next?.raw !== undefined && !seen.has(next); next = next.issuerCertificate) {
    seen.add(next);
    chain.push(new Certificate(next.raw, true));
  }
  return chain;
}

/**
 * All that the server presented, in its order: also what belongs to no chain. Takes the certificates away from whoever asks later, so it
 * is for connections that nobody else sees.
 *
 * Node links each to the one that was sent after it (src/crypto/crypto_x509.cc), which need not be its issuer.
 */
function takePresented(socket: TLSSocket): Certificate[] {
  const presented: Certificate[] = [];
  for (let next = socket.getPeerX509Certificate(); next !== undefined; next = next.issuerCertificate) {
    presented.push(new Certificate(next.raw, next));
  }
  return presented;
}

function closedEarly(): CertpinError<'ERR_CONNECTION_CLOSED'> {
  return new CertpinError('ERR_CONNECTION_CLOSED', 'the server closed the connection before TLS was established', {
    protocol: 'tls',
  });
}
