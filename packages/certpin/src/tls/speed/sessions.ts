import type { Policy } from '../../core/policy-type.ts';
import { type KnownVerdict, stillHolds } from './repeated-verdict.ts';

// Saves full handshakes, if the policy says `resumption: 'own'`. It never decides: a session is kept only after a matching verdict. What
// was proven then is judged again by the current policy and time.

/** A TLS session of a connection that had a matching verdict. */
export interface VerifiedSession {
  /** As Node gives it. It holds secrets, and is given only to Node. */
  readonly session: Buffer;
  readonly proof: Proof;
}

/** What the server proved in a full handshake. Later sessions from it prove that it is the same server, and nothing else. */
export interface Proof {
  readonly known: KnownVerdict;
  /** Milliseconds since 1970. */
  readonly provenAt: number;
}

/**
 * How long a server may resume what it has once proven. A ticket that comes on a resumed connection counts from the original proof. So the
 * server shows its certificate at least this often. RFC 8446 §4.6.1 allows seven days. Node's servers keep theirs for five minutes.
 */
const MAX_AGE_MS = 10 * 60 * 1000;

/** A server gives two tickets for each connection (OpenSSL's default), and a pool opens several at a time. */
const MAX_SESSIONS = 10;
const MAX_SERVERS = 100;

/** The sessions of one configuration. Any doubt ends a session, and then there is a full handshake. */
export class SessionStore {
  /** By server. The last used server is at the end, and so is its newest session. */
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

  /** The newest session, if it is fit. A session of TLS 1.3 is given once: a second use would link the connections (RFC 8446 §C.4). */
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

  /** Forgets the sessions of a server that was refused, or could not be reached. */
  drop(server: string): void {
    this.#servers.delete(server);
  }
}

/** Whether the proof would be enough now. The clock may have been set back: then the age is not known. */
function isFit({ known, provenAt }: Proof, policy: Policy): boolean {
  const now = Date.now();
  return now >= provenAt && now - provenAt < MAX_AGE_MS && stillHolds(known, policy, now);
}
