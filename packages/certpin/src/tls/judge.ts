import type { TLSSocket } from 'node:tls';
import { refusalError } from '../core/explain.ts';
import type { Policy } from '../core/policy.ts';
import { type Peer, type Refused, type Verdict, verify } from '../core/verify.ts';
import { publishVerdict } from './diagnostics.ts';
import type { Judge } from './intercept.ts';
import { describePeer, relevantChain, takeLeaf } from './presented.ts';
import { knownVerdict, rememberVerdict, repeatVerdict, stillHolds } from './repeated-verdict.ts';
import type { Reuse } from './reuse.ts';
import type { ServerIdentity } from './server-name.ts';

/** The judge of a pasted block: one verdict on the leaf, for each handshake. */
export function judgeLeaf(socket: TLSSocket, policy: Policy, server: ServerIdentity): Judge {
  const presented = (): Peer['certificates'] => {
    const leaf = takeLeaf(socket);
    return leaf === undefined ? [] : [leaf];
  };
  return { refusal: () => refusalOf(verify(describePeer(socket, presented(), server), policy)) };
}

/** The judge of the package: with issuers, what earlier connections have proven, and pins that change. */
export function judgeConnection(socket: TLSSocket, policy: Policy, server: ServerIdentity, reuse: Reuse): Judge {
  let peer: Peer | undefined;
  let released = false;

  const judge = (): Verdict => {
    if (socket.isSessionReused()) {
      const proven = reuse.resumed(socket);
      peer = proven?.peer ?? describePeer(socket, [], server);
      // The pins may have changed since the session was offered.
      return proven !== undefined && stillHolds(proven, policy, Date.now()) ? proven.verdict : verify(peer, policy);
    }
    const leaf = takeLeaf(socket);
    const before = leaf && repeatVerdict(socket, leaf, policy, server);
    if (before !== undefined) {
      peer = before.peer;
      reuse.proved(before);
      return before.verdict;
    }
    const withChain = (): Peer => describePeer(socket, relevantChain(leaf, [policy]), server);
    // The leaf decides where no issuer is pinned, and it alone is cheap to read.
    const isEnough = policy.issuerPins.length === 0 && leaf !== undefined;
    peer = isEnough ? describePeer(socket, [leaf], server) : withChain();
    const verdict = verify(peer, policy);
    const known = knownVerdict(verdict, peer, policy);
    if (known !== undefined) rememberVerdict(known, policy);
    reuse.proved(known);
    // Whoever has to understand a refusal needs the chain: it may be the CA's pin that was configured.
    return verdict.ok || !isEnough ? verdict : verify(withChain(), policy);
  };

  if (reuse.mayResume) {
    // Node makes no event of a session that nobody listens for. Heard after the verdict, as by everybody else.
    socket.on('session', (session: Buffer) => socket.destroyed || reuse.keep(session));
    // A server that cannot be reached with a session is tried without one.
    socket.on('close', () => released || reuse.drop());
  }
  const again = (): Verdict => verify(peer as Peer, policy);
  return {
    refusal: () => tell(socket, [policy], judge(), again),
    onRefused: () => reuse.drop(),
    onReleased: (ask) => {
      released = true;
      judgeOnChange(socket, [policy], ask, again);
    },
  };
}

/**
 * The judge where the dialled host and the configured server name have an entry each: both have to hold. Nothing that earlier
 * connections have proven counts.
 */
export function judgeBoth(socket: TLSSocket, policies: readonly [Policy, Policy], server: ServerIdentity): Judge {
  const [one, other] = policies;
  let peer: Peer | undefined;
  const again = (): Verdict => {
    const verdict = verify(peer as Peer, one);
    return verdict.ok ? verify(peer as Peer, other) : verdict;
  };
  return {
    refusal: () => {
      peer = describePeer(socket, relevantChain(takeLeaf(socket), policies), server);
      return tell(socket, policies, again(), again);
    },
    onReleased: (ask) => judgeOnChange(socket, policies, ask, again),
  };
}

/** The pin of an open connection may go: then the connection goes too, whether it is in use or waits in a pool. */
function judgeOnChange(
  socket: TLSSocket,
  policies: readonly Policy[],
  ask: (question: () => Error | undefined) => void,
  again: () => Verdict,
): void {
  for (const { onChange } of policies) {
    const unsubscribe = onChange?.(() => ask(() => tell(socket, policies, again(), again)));
    if (unsubscribe !== undefined) socket.once('close', unsubscribe);
  }
}

/**
 * Publishes a verdict. Whoever hears of it may change the pins, so the verdict that counts is the one by the pins that there are when
 * all have been told.
 *
 * @returns the error of a refusal
 */
function tell(
  socket: TLSSocket,
  policies: readonly Policy[],
  verdict: Verdict,
  again: () => Verdict,
): Error | undefined {
  const before = pinsOf(policies);
  const published = publishVerdict(withAddress(verdict, socket));
  if (!published.ok) return refusalError(published);
  if (socket.destroyed || pinsOf(policies).every((pins, index) => pins === before[index])) return undefined;
  const now = withAddress(again(), socket);
  return now.ok ? undefined : refusalError(publishVerdict(now) as Refused);
}

function pinsOf(policies: readonly Policy[]): Policy['pins'][] {
  return policies.flatMap(({ pins, issuerPins }) => [pins, issuerPins]);
}

/** A refusal says which of a name's addresses was called. Through a proxy nobody here knows. */
function withAddress(verdict: Verdict, { remoteAddress }: TLSSocket): Verdict {
  return verdict.ok || remoteAddress === undefined ? verdict : { ...verdict, address: remoteAddress };
}

function refusalOf(verdict: Verdict): Error | undefined {
  return verdict.ok ? undefined : refusalError(verdict);
}
