import { type Peer, type RefusalCode, type Verdict, verify } from 'certpin';
import type { Inspected, ProbeFailure, Target } from 'certpin/probe';
import { days } from './days.ts';
import type { Entry } from './parse.ts';

/** What became of the question that a target was asked. */
export type Answer =
  | {
      readonly protocol: Inspected['protocol'];
      /** What was presented, by the host and port that were asked. */
      readonly peer: Peer & Reached;
      readonly failure?: undefined;
    }
  | Unanswered;

/** Which of the server's addresses has answered, and which its name has besides. */
type Reached = Pick<Inspected, 'address' | 'otherAddresses'>;

interface Unanswered {
  /** null: nothing told it, and it was not found out. */
  readonly protocol: Target['protocol'] | null;
  readonly failure: ProbeFailure['error'];
}

/** What became of a target of a pins file: each is worse than those before it, and a summary counts them in this order. */
export const statuses = ['holds', 'mixed', 'expiring', 'unreachable', 'refused', 'expired', 'drift'] as const;

/**
 * - `holds`: the pin holds
 * - `mixed`: the pins hold at all addresses, and not all present the same certificate
 * - `expiring`: it does, and the certificate ends soon
 * - `drift`: another certificate, one of another issuer, or for another name
 * - `expired`: the pinned certificate, after the end of its validity
 * - `refused`: the pin matches and something else does not hold (not yet valid, TLS 1.1), or there is nothing to compare
 * - `unreachable`: the question could not be asked
 */
export type Status = (typeof statuses)[number];

export type Judged = {
  readonly entry: Entry;
  readonly status: Status;
  /** One line: the fact that decided. */
  readonly reason: string;
  /** Where each address of the server was asked: all of them. The rest is what the worst of them has said. */
  readonly addresses?: readonly JudgedAddress[];
} & Reached &
  (
    | { readonly verdict: Verdict; readonly protocol: Inspected['protocol']; readonly failure?: undefined }
    | (Unanswered & { readonly verdict?: undefined })
  );

/** What became of one address. */
export type JudgedAddress = Judged & { readonly address: string };

const statusOf: Record<RefusalCode, Status> = {
  ERR_PIN_MISMATCH: 'drift',
  ERR_CHAIN_INVALID: 'drift',
  ERR_HOSTNAME_MISMATCH: 'drift',
  ERR_CERTIFICATE_EXPIRED: 'expired',
  ERR_CERTIFICATE_NOT_YET_VALID: 'refused',
  ERR_CA_UNTRUSTED: 'refused',
  ERR_TLS_VERSION: 'refused',
  ERR_PIN_UNCHECKABLE: 'refused',
};

/**
 * Judges an answer by the policy of its own target.
 *
 * @param expiresWithinMs a certificate that ends sooner is `expiring`
 */
export function judge(entry: Entry, answer: Answer, expiresWithinMs: number, now: Date): Judged {
  const { protocol, failure } = answer;
  if (failure !== undefined) return { entry, status: 'unreachable', reason: failure.message, protocol, failure };
  const { peer } = answer;
  const { address, otherAddresses } = peer;
  const reached = address === undefined ? {} : { address, otherAddresses: otherAddresses ?? [] };
  const verdict = verify({ ...peer, host: entry.servername ?? peer.host }, entry.policy, now);
  if (!verdict.ok)
    return { entry, status: statusOf[verdict.code], reason: verdict.reason, protocol, verdict, ...reached };
  const end = verdict.presented[0]?.validTo.getTime() ?? Number.NaN;
  const leftMs = end - now.getTime();
  // An end that has passed, or that cannot be read, was accepted by the policy.
  if (!(leftMs > 0)) return { entry, status: 'holds', reason: 'its end is accepted', protocol, verdict, ...reached };
  const isSoon = entry.policy.expired === 'refuse' && leftMs < expiresWithinMs;
  const reason = isSoon ? `it ends in ${days(leftMs)}, on ${isoDay(end)}` : `${days(leftMs)} left`;
  return { entry, status: isSoon ? 'expiring' : 'holds', reason, protocol, verdict, ...reached };
}

/** All must hold: the worst of the addresses is what became of the target. Where all hold, they may differ. */
export function judgeAddresses(addresses: readonly JudgedAddress[]): Judged {
  const rank = ({ status }: Judged): number => statuses.indexOf(status);
  const [first, ...others] = addresses;
  if (first === undefined) throw new RangeError('a server without an address was not asked');
  const worst = others.reduce((one, other) => (rank(other) > rank(one) ? other : one), first);
  const presented = new Set(addresses.map(({ verdict }) => verdict?.presented[0]?.certificateSha256));
  if (worst.status === 'holds' && presented.size > 1) {
    return {
      ...worst,
      status: 'mixed',
      reason: `its addresses present ${presented.size} pinned certificates`,
      addresses,
    };
  }
  const at = addresses.filter(({ status }) => status === worst.status).map(({ address }) => address);
  const where = at.length === addresses.length ? '' : `at ${at.join(', ')}: `;
  return { ...worst, reason: `${where}${worst.reason}`, addresses };
}

function isoDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
