import { type Peer, type RefusalCode, type Verdict, verify } from 'certpin';
import type { Inspected, ProbeFailure, Target } from 'certpin/probe';
import { days } from './days.ts';
import type { Entry } from './parse.ts';

/** What became of the question that a target was asked. */
export type Answer =
  | {
      readonly protocol: Inspected['protocol'];
      /** What was presented, by the host and port that were asked. */
      readonly peer: Peer;
      readonly failure?: undefined;
    }
  | Unanswered;

interface Unanswered {
  /** null: nothing told it, and it was not found out. */
  readonly protocol: Target['protocol'] | null;
  readonly failure: ProbeFailure['error'];
}

/** What became of a target of a pins file, in the order in which a summary counts them. */
export const statuses = ['holds', 'expiring', 'drift', 'expired', 'refused', 'unreachable'] as const;

/**
 * - `holds`: the pin holds
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
} & (
  | { readonly verdict: Verdict; readonly protocol: Inspected['protocol']; readonly failure?: undefined }
  | (Unanswered & { readonly verdict?: undefined })
);

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
  const verdict = verify({ ...peer, host: entry.servername ?? peer.host }, entry.policy, now);
  if (!verdict.ok) return { entry, status: statusOf[verdict.code], reason: verdict.reason, protocol, verdict };
  const end = verdict.presented[0]?.validTo.getTime() ?? Number.NaN;
  const leftMs = end - now.getTime();
  // An end that has passed, or that cannot be read, was accepted by the policy.
  if (!(leftMs > 0)) return { entry, status: 'holds', reason: 'its end is accepted', protocol, verdict };
  const isSoon = entry.policy.expired === 'refuse' && leftMs < expiresWithinMs;
  const reason = isSoon ? `it ends in ${days(leftMs)}, on ${isoDay(end)}` : `${days(leftMs)} left`;
  return { entry, status: isSoon ? 'expiring' : 'holds', reason, protocol, verdict };
}

function isoDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
