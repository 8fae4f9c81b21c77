import { type RefusalCode, type Verdict, verify } from 'certpin';
import type { Inspected, Target } from 'certpin/probe';
import type { Answer } from '../ask.ts';
import { type Failure, plainWords } from '../failure.ts';
import { DAY, days } from '../text.ts';
import type { Entry } from './parse.ts';

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
  | { readonly verdict?: undefined; readonly protocol: Target['protocol'] | null; readonly failure: Failure }
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

/** Judges an answer by the policy of its own target. */
export function judge(entry: Entry, { report, certificates }: Answer, expiresWithinMs: number, now: Date): Judged {
  const failed = (failure: Failure): Judged => {
    return { entry, status: 'unreachable', reason: plainWords(failure), protocol: report.protocol, failure };
  };
  if (!report.ok) return failed(report.error);
  if (report.certificate === null) {
    return failed({ code: 'ERR_FILE_UNREADABLE', message: `it holds a ${report.publicKey.source} and no certificate` });
  }
  const { protocol, host, port, tlsVersion } = report;
  const peer = {
    certificates,
    host: entry.servername ?? host ?? undefined,
    port: port ?? undefined,
    tlsVersion: protocol === 'file' ? undefined : tlsVersion,
  };
  const verdict = verify(peer, entry.policy, now);
  if (!verdict.ok) return { entry, status: statusOf[verdict.code], reason: verdict.reason, protocol, verdict };
  const end = Date.parse(report.certificate.validTo);
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

/** `30`, `30d`; undefined for anything else. */
export function parseDays(text: string): number | undefined {
  const [, count] = /^(\d{1,4})d?$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * DAY;
}
