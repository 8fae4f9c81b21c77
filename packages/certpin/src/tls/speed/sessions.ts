import type { Policy } from '../../core/policy-type.ts';
import { type KnownVerdict, stillHolds } from './repeated-verdict.ts';

// Saves full handshakes, where the policy says `resumption: 'own'`. It never decides: a session is kept after a matching verdict only, and
// what was proven then is judged again by the policy and the clock of now.

/** A TLS session of a connection that had a matching verdict. */
export interface VerifiedSession {
  /** As Node gives it. It holds secrets, and goes nowhere but to Node. */
  readonly session: Buffer;
  readonly proof: Proof;
}

/** What the server proved in a full handshake; the sessions that descend from it prove that it is the same server, and nothing else. */
export interface Proof {
  readonly known: KnownVerdict;
  /** Milliseconds since 1970. */
  readonly provenAt: number;
}

/**
 * How long a server may resume what it has once proven. A ticket that comes on a resumed connection is as old as the proof behind it,
 * so the server shows its certificate at least this often. RFC 8446 §4.6.1 allows seven days; Node's servers keep theirs five minutes.
 */
const MAX_AGE_MS = 10 * 60 * 1000;

/** A server gives two tickets a connection (OpenSSL's default), and a pool opens several at a time. */
const MAX_SESSIONS = 10;
const MAX_SERVERS = 100;

/** The sessions of one configuration. Everything that makes one unfit ends it: in doubt there is a full handshake. */
export class SessionStore {
  /** By server, the one that was used last at the end; its sessions, the newest at the end. */
  readonly #servers = new Map<string, VerifiedSession[]>();

  keep(server: string, verified: VerifiedSession): void {
    const kept = this.#servers.get(server) ?? [];
    kept.push(verified);
    if (kept.length > MAX_SESSIONS) kept.shift();
    this.#servers.delete(server);
    this.#servers.set(server, kept);
    const [oldest] = this.#servers.keys();
    if (this.#servers.size > MAX_SERVERS && oldest !== undefined) this.#servers.delete(oldest);
  }

  /** The newest session, if it is fit. One of TLS 1.3 is given once: used twice, it would link the connections (RFC 8446 §C.4). */
  take(server: string, policy: Policy): VerifiedSession | undefined {
    const kept = this.#servers.get(server);
    const newest = kept?.pop();
    if (kept === undefined || newest === undefined) return undefined;
    if (!isFit(newest.proof, policy)) {
      this.drop(server);
      return undefined;
    }
    if (newest.proof.known.peer.tlsVersion !== 'TLSv1.3') kept.push(newest);
    return newest;
  }

  /** Forgets the sessions of a server: it was refused, or could not be reached. */
  drop(server: string): void {
    this.#servers.delete(server);
  }
}

/** Whether the proof would be enough now. The clock may have been set back: time that runs backwards is no age. */
function isFit({ known, provenAt }: Proof, policy: Policy): boolean {
  const now = Date.now();
  return now >= provenAt && now - provenAt < MAX_AGE_MS && stillHolds(known, policy, now);
}
