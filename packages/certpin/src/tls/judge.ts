import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Certificate } from '../core/certificate.ts';
import { refusalError } from '../core/explain.ts';
import { snapshot } from '../core/policy.ts';
import type { Policy } from '../core/policy-type.ts';
import type { Peer, Refused, Verdict } from '../core/verdict.ts';
import { withJson } from '../core/verdict-json.ts';
import { verify } from '../core/verify.ts';
import { tried } from '../leaf/checks.ts';
import type { Judge } from '../leaf/intercept.ts';
import { takeLeaf } from '../leaf/presented.ts';
import type { ServerIdentity } from '../leaf/server-name.ts';
import { publishVerdict } from './diagnostics.ts';
import { chainOf, describePeer } from './peer.ts';

/** What earlier connections have proven (speed/reuse.ts). */
export interface Experience {
  /** The server, and the verdict on it if that still applies. undefined: nothing is known of it. */
  recall(socket: TLSSocket): { readonly peer: Peer; readonly verdict?: Verdict } | undefined;
  /** A full handshake had this verdict. */
  learn(verdict: Verdict, peer: Peer): void;
  /** The connection may be used. */
  release(): void;
  /** The connection was refused. */
  drop(): void;
}

/** The judge of the package: with issuers, and with pins that can change. */
export function judgeConnection(
  socket: TLSSocket,
  policy: Policy,
  server: ServerIdentity,
  experience: Experience,
): Judge {
  let peer: Peer | undefined;

  const judge = (): Verdict => {
    const known = experience.recall(socket);
    if (known !== undefined) {
      peer = known.peer;
      return known.verdict ?? verify(peer, policy);
    }
    const leaf = socket.isSessionReused() ? undefined : takeLeaf(socket);
    // If no issuer is pinned, the leaf decides alone, and only the leaf is cheap to read.
    const presented = policy.issuerPins.length === 0 ? [leaf].flatMap((one) => one ?? []) : chainOf(leaf);
    peer = describePeer(socket, presented, server);
    const verdict = verify(peer, policy);
    experience.learn(verdict, peer);
    return verdict.ok ? verdict : withChain(verdict, leaf);
  };

  const again = (): Verdict => verify(peer as Peer, policy);
  return {
    refusal: () => tell(socket, [policy], judged(judge, policy, server), again),
    onRefused: () => experience.drop(),
    onReleased: (ask) => {
      experience.release();
      judgeOnChange(socket, [policy], ask, again);
    },
  };
}

/**
 * The judge if the dialled host and the configured server name have an entry each: both must hold. Results of earlier connections do not
 * count here.
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
      const judge = (): Verdict => {
        peer = describePeer(socket, chainOf(takeLeaf(socket)), server);
        return again();
      };
      return tell(socket, policies, judged(judge, one, server), again);
    },
    onReleased: (ask) => judgeOnChange(socket, policies, ask, again),
  };
}

/** Any exception on the way to a verdict is a refusal too: the server has chosen what is read. */
function judged(judge: () => Verdict, policy: Policy, { host, port }: ServerIdentity): Verdict {
  return tried<Verdict>(judge, (problem) =>
    withJson<Refused>({ ok: false, ...problem, host, port, policy: snapshot(policy), presented: [] }),
  );
}

/** An explanation reads this many certificates: a server may send hundreds, to keep us busy. */
const MAX_EXPLAINED = 16;

/**
 * Adds the certificates that were sent along, for the explanation of a refusal. The configured pin may belong to a CA among them. They
 * decide nothing.
 */
function withChain(verdict: Refused, leaf: X509Certificate | undefined): Refused {
  const [first, ...more] = verdict.presented;
  if (first === undefined || more.length > 0) return verdict;
  const others = chainOf(leaf, MAX_EXPLAINED).slice(1);
  return withJson({ ...verdict, presented: [first, ...others.map((x509) => new Certificate(x509))] });
}

/** If the pin of an open connection is removed, the connection is closed, in use or in a pool. */
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
 * Publishes a verdict. A listener may change the pins. So the final verdict uses the pins that are there after all listeners were called.
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

/** Whether the pins can change. */
function pinsOf(policies: readonly Policy[]): Policy['pins'][] {
  const live = policies.filter(({ onChange }) => onChange !== undefined);
  return live.flatMap(({ pins, issuerPins }) => [pins, issuerPins]);
}

/** A refusal names the called address, if a name has several. Through a proxy, it is not known. */
function withAddress(verdict: Verdict, socket: TLSSocket): Verdict {
  if (verdict.ok) return verdict; // Asking for the address takes as long as the verdict.
  const { remoteAddress: address } = socket;
  return address === undefined ? verdict : withJson({ ...verdict, address });
}
