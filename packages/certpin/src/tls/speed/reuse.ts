import { constants } from 'node:crypto';
import type { ConnectionOptions, SecureContext, TLSSocket } from 'node:tls';
import type { Policy } from '../../core/policy-type.ts';
import type { Peer, Verdict } from '../../core/verdict.ts';
import { showCertificates, takeLeaf } from '../../leaf/presented.ts';
import type { ServerIdentity } from '../../leaf/server-name.ts';
import { type KnownVerdict, knownVerdict, rememberVerdict, repeatVerdict, stillHolds } from './repeated-verdict.ts';
import { type Proof, SessionStore, type VerifiedSession } from './sessions.ts';
import { withoutCertificate } from './smaller-session.ts';

/** A client that switches tickets off wants no session: its connection must not be resumed. */
const { SSL_OP_NO_TICKET } = constants;

/** The sessions of one configuration, by the secure context in which they were made. */
export type Sessions = WeakMap<SecureContext, SessionStore>;

/** By the configuration's owner, and by the way that connections go. */
const sessions = new WeakMap<object, WeakMap<object, Sessions>>();

/**
 * The sessions of a configuration.
 *
 * @param owner its policies. Several clients may be made from them
 * @param way what the connections go through: connections through another proxy share nothing
 */
export function sessionsOf(owner: object, way: object = owner): Sessions {
  const ofOwner = sessions.get(owner) ?? new WeakMap<object, Sessions>();
  sessions.set(owner, ofOwner);
  const ofWay = ofOwner.get(way) ?? new WeakMap<SecureContext, SessionStore>();
  ofOwner.set(way, ofWay);
  return ofWay;
}

/** What one connection is for. */
export interface ReuseScope extends ServerIdentity {
  readonly policy: Policy;
  /** All names of the server: they chose the policy. */
  readonly names: readonly string[];
  readonly sessions: Sessions;
}

/**
 * What one connection takes over from earlier ones of its configuration, and leaves to later ones. That is a verdict on the same
 * certificate and, if the policy allows it, TLS sessions that followed a matching verdict.
 *
 * It saves OpenSSL's and our reading of a certificate that was read before, and full handshakes. It never decides: its results were proven
 * in a full handshake, and are checked against the current policy and time. In doubt it gives nothing.
 */
export class Reuse {
  readonly #scope: ReuseScope;
  #store: SessionStore | undefined;
  #server = '';
  #offered: VerifiedSession | undefined;
  #proof: Proof | undefined;
  #isReleased = false;

  constructor(scope: ReuseScope) {
    this.#scope = scope;
  }

  /** A session to offer. */
  offer(options: ConnectionOptions): { readonly session?: Buffer } {
    const { policy, names, port, sessions } = this.#scope;
    const { secureContext, secureOptions = 0, servername, ALPNProtocols, path } = options;
    const isWanted = policy.resumption === 'own' && (secureOptions & SSL_OP_NO_TICKET) === 0;
    if (!isWanted || secureContext === undefined || names.length === 0 || port === undefined) return {};
    const store = sessions.get(secureContext) ?? new SessionStore();
    sessions.set(secureContext, store);
    this.#store = store;
    this.#server = JSON.stringify([names, port, path, servername, ALPNProtocols]);
    this.#offered = store.take(this.#server, policy);
    return this.#offered === undefined ? {} : { session: this.#offered.session };
  }

  /** Keeps the sessions of the connection, after its verdict. */
  attach(socket: TLSSocket): void {
    if (this.#store === undefined) return;
    // Node emits no session if nobody listens. It is heard only after the verdict, as by every listener.
    socket.on('session', (session: Buffer) => socket.destroyed || this.#keep(session));
    // If a server cannot be reached with a session, the next attempt has none.
    socket.on('close', () => this.#isReleased || this.drop());
  }

  /**
   * What is known of the server on a connection whose handshake has just ended: who it is, and the verdict on it if that still applies.
   * undefined: nothing is known of it.
   */
  recall(socket: TLSSocket): { readonly peer: Peer; readonly verdict?: Verdict } | undefined {
    const { policy } = this.#scope;
    if (!socket.isSessionReused()) {
      const leaf = takeLeaf(socket);
      const known = leaf && repeatVerdict(socket, leaf, policy, this.#scope);
      this.#prove(known);
      return known;
    }
    const known = this.#resumed(socket);
    // The pins may have changed since the session was offered.
    return known === undefined || stillHolds(known, policy, Date.now()) ? known : { peer: known.peer };
  }

  /** A full handshake had this verdict. */
  learn(verdict: Verdict, peer: Peer): void {
    const known = knownVerdict(verdict, peer, this.#scope.policy);
    if (known !== undefined) rememberVerdict(known, this.#scope.policy);
    this.#prove(known);
  }

  /** The connection may be used. */
  release(): void {
    this.#isReleased = true;
  }

  /** The connection was refused, or ended before its verdict. */
  drop(): void {
    this.#proof = undefined;
    this.#store?.drop(this.#server);
  }

  /**
   * What the server on a resumed connection has proven: it knows the secret of a session that certpin made with it, kept and offered.
   * undefined: nothing was offered, so nothing is proven.
   */
  #resumed(socket: TLSSocket): KnownVerdict | undefined {
    const proof = this.#offered?.proof;
    if (proof === undefined || socket.getProtocol() !== proof.known.peer.tlsVersion) return undefined;
    this.#proof = proof;
    // Node shows no certificate on a resumed connection. Code that asks for one (SCRAM channel binding) gets the proven one.
    const [leaf] = proof.known.verdict.presented;
    if (leaf !== undefined) showCertificates(socket, leaf.x509);
    return proof.known;
  }

  #prove(known: KnownVerdict | undefined): void {
    this.#proof = known && { known, provenAt: Date.now() };
  }

  #keep(session: Buffer): void {
    if (this.#proof === undefined) return;
    this.#store?.keep(this.#server, { session: withoutCertificate(session), proof: this.#proof });
  }
}
