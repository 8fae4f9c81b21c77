import { type Certificate, type Peer, type RefusalCode, type Verdict, verify } from 'certpin';
import type { Inspected, ProbeFailure, Target } from 'certpin/probe';
import { DAY, days } from './days.ts';
import type { Entry, PinsDocument } from './parse.ts';
import { plainWords } from './plain-words.ts';
import { matchesPin } from './same-pin.ts';
import { type Span, spanOf } from './span.ts';
import type { Revoked } from './version2.ts';

/** The outcome of the question for one target. */
export type Answer =
  | {
      readonly protocol: Inspected['protocol'];
      /** What was presented, with the host and port that were asked. */
      readonly peer: Peer & Reached;
      readonly failure?: undefined;
    }
  | Unanswered;

/** Which of the server's addresses has answered, and which other addresses its name has. */
type Reached = Pick<Inspected, 'address' | 'otherAddresses'>;

interface Unanswered {
  /** null: nothing gave it, and it was not found out. */
  readonly protocol: Target['protocol'] | null;
  readonly failure: ProbeFailure['error'];
}

/**
 * The outcome for a target of a pins file. Each is worse than those before it, and a summary counts them in this order.
 * docs/reference/states.md says what each means.
 */
export const statuses = [
  'holds',
  'mixed',
  'ends-soon',
  'no-such-name',
  'unreachable',
  'refused',
  'not-yet-valid',
  'expired',
  'drift',
  'revoked',
] as const;

export type Status = (typeof statuses)[number];

/** Whether the answer is yes or no, or the question could not be asked. */
export const outcomeOf: Readonly<Record<Status, 'yes' | 'no' | 'unasked'>> = {
  holds: 'yes',
  mixed: 'yes',
  'ends-soon': 'yes',
  'no-such-name': 'unasked',
  unreachable: 'unasked',
  refused: 'no',
  'not-yet-valid': 'no',
  expired: 'no',
  drift: 'no',
  revoked: 'no',
};

/** Facts besides a status, which do not change it: docs/reference/states.md. */
export type Remark = 'next-pin' | 'one-of-several' | 'end-accepted';

export type Judged = {
  readonly entry: Entry;
  readonly status: Status;
  /** One line: the fact that decided. */
  readonly reason: string;
  readonly remarks: readonly Remark[];
  /** Whole days until the presented certificate ends. Below 0: it has ended. undefined: nothing was presented. */
  readonly daysLeft?: number;
  /** The outcome for each address, if all addresses were asked. The other fields are those of the worst one. */
  readonly addresses?: readonly JudgedAddress[];
} & Reached &
  (
    | { readonly verdict: Verdict; readonly protocol: Inspected['protocol']; readonly failure?: undefined }
    | (Unanswered & { readonly verdict?: undefined })
  );

/** The outcome for one address. */
export type JudgedAddress = Judged & { readonly address: string };

const statusOf: Record<RefusalCode, Status> = {
  ERR_PIN_MISMATCH: 'drift',
  ERR_CHAIN_INVALID: 'drift',
  ERR_HOSTNAME_MISMATCH: 'drift',
  ERR_CERTIFICATE_EXPIRED: 'expired',
  ERR_CERTIFICATE_NOT_YET_VALID: 'not-yet-valid',
  ERR_CA_UNTRUSTED: 'refused',
  ERR_TLS_VERSION: 'refused',
  ERR_PIN_UNCHECKABLE: 'refused',
};

/** The default, if target, command and file do not say how near is near. */
const DEFAULT_SPAN: Span = { milliseconds: 30 * DAY };

/** How near the end of a target's certificate is near. The target's own value comes first, then the command's, then the file's. */
export function nearEnd(
  { expiresWithin: own }: Entry,
  { expiresWithin: ofFile }: Pick<PinsDocument, 'expiresWithin'>,
  asked: Span | undefined,
): Span {
  return own ?? asked ?? ofFile ?? DEFAULT_SPAN;
}

/**
 * Judges an answer by the policy of its own target.
 *
 * @param near a certificate that ends sooner is `ends-soon`
 */
export function judge(entry: Entry, answer: Answer, near: Span, now: Date): Judged {
  const { protocol, failure } = answer;
  if (failure !== undefined) {
    const status = failure.code === 'ENOTFOUND' ? 'no-such-name' : 'unreachable';
    return { entry, status, reason: plainWords(failure, entry.label), remarks: [], protocol, failure };
  }
  const { peer } = answer;
  const { address, otherAddresses = [] } = peer;
  const verdict = verify({ ...peer, host: entry.servername ?? peer.host }, entry.policy, now);
  const leaf = verdict.presented[0];
  const end = leaf?.validTo.getTime() ?? Number.NaN;
  const leftMs = end - now.getTime();
  const decided = decide(entry, verdict, { leaf, leftMs, end }, near);
  return {
    ...{ entry, protocol, verdict, ...decided },
    remarks: remarksOf(entry, verdict, otherAddresses, leftMs),
    ...(Number.isNaN(leftMs) ? {} : { daysLeft: Math.floor(leftMs / DAY) }),
    ...(address === undefined ? {} : { address, otherAddresses }),
  };
}

interface Leaf {
  readonly leaf: Certificate | undefined;
  readonly end: number;
  readonly leftMs: number;
}

function decide(
  entry: Entry,
  verdict: Verdict,
  { leaf, end, leftMs }: Leaf,
  near: Span,
): Pick<Judged, 'status' | 'reason'> {
  const revoked = findRevoked(entry, verdict.presented);
  // A refusal stays a refusal: a server that sends many certificates must not choose another answer.
  if (revoked === UNKNOWN && verdict.ok) {
    return {
      status: 'refused',
      reason: 'it sends too many certificates: certpin cannot rule out that a revoked one signed the leaf',
    };
  }
  if (revoked !== undefined && revoked !== UNKNOWN) {
    const { since, reason } = revoked;
    return {
      status: 'revoked',
      reason: `its pin is revoked since ${since}${reason === undefined ? '' : `: ${reason}`}`,
    };
  }
  if (!verdict.ok) return { status: statusOf[verdict.code], reason: verdict.reason };
  // The policy has accepted an end that has passed, or that cannot be read.
  if (leaf === undefined || !(leftMs > 0)) return { status: 'holds', reason: 'the end of its validity is accepted' };
  const isSoon = entry.policy.expired === 'refuse' && leftMs < spanOf(near, leaf.validFrom.getTime(), end);
  return isSoon
    ? { status: 'ends-soon', reason: `it ends in ${days(leftMs)}, on ${isoDay(end)}` }
    : { status: 'holds', reason: `${days(leftMs)} left` };
}

/** Each link is a signature. A server that causes more of them wants to keep us busy. */
const MAX_LINKS = 24;

/** There were more signatures than are checked. */
export const UNKNOWN = 'unknown';

/**
 * The revoked pin that the leaf matches. Under pins of issuers, also one that has signed the leaf. A certificate that is only sent along
 * proves nothing, because it may be anybody's.
 */
export function findRevoked(
  { revoked, policy }: Pick<Entry, 'revoked' | 'policy'>,
  [leaf, ...others]: readonly Certificate[],
): Revoked | typeof UNKNOWN | undefined {
  if (leaf === undefined || revoked.length === 0) return undefined;
  const match = (certificate: Certificate): Revoked | undefined =>
    revoked.find(({ pin }) => matchesPin(certificate, pin));
  const ofLeaf = match(leaf);
  if (ofLeaf !== undefined || policy.issuerPins.length === 0 || others.every((one) => match(one) === undefined)) {
    return ofLeaf;
  }
  const signed: Certificate[] = [leaf];
  const rest = new Set(others);
  let links = 0;
  for (const certificate of signed) {
    for (const issuer of rest) {
      if (!certificate.x509.checkIssued(issuer.x509)) continue;
      if (++links > MAX_LINKS) return UNKNOWN;
      if (!certificate.isIssuedBy(issuer)) continue;
      const found = match(issuer);
      if (found !== undefined) return found;
      rest.delete(issuer);
      signed.push(issuer);
    }
  }
  return undefined;
}

function remarksOf(
  { policy }: Entry,
  verdict: Verdict,
  otherAddresses: readonly string[],
  leftMs: number,
): readonly Remark[] {
  const remarks: Remark[] = [];
  if (verdict.ok && verdict.matched === 'leaf') {
    const { kind, sha256 } = verdict.pin;
    const [first] = policy.pins;
    if (first !== undefined && (first.kind !== kind || first.sha256 !== sha256)) remarks.push('next-pin');
  }
  if (otherAddresses.length > 0) remarks.push('one-of-several');
  if (verdict.ok && !(leftMs > 0)) remarks.push('end-accepted');
  return remarks;
}

/** All addresses must hold: the worst one is the outcome for the target. If all hold, they may still differ. */
export function judgeAddresses(addresses: readonly JudgedAddress[]): Judged {
  const rank = ({ status }: Judged): number => statuses.indexOf(status);
  const [first, ...others] = addresses;
  if (first === undefined) throw new RangeError('a server without an address was not asked');
  const worst = others.reduce((one, other) => (rank(other) > rank(one) ? other : one), first);
  const presented = new Set(addresses.map(({ verdict }) => verdict?.presented[0]?.certificateSha256));
  if (worst.status === 'holds' && presented.size > 1) {
    const reason = `its addresses present ${presented.size} pinned certificates`;
    return { ...worst, status: 'mixed', reason, addresses };
  }
  const at = addresses.filter(({ status }) => status === worst.status).map(({ address }) => address);
  const where = at.length === addresses.length ? '' : `at ${at.join(', ')}: `;
  return { ...worst, reason: `${where}${worst.reason}`, addresses };
}

function isoDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
