import type { SeenAddress, SeenCertificate, StoredTransition, TargetRow } from '../types.ts';
import { DAY, iso } from './times.ts';
import { stateOf } from './words.ts';

/** A target as JSON, with the names of `certpin check --file --json` where that has them. */
export function targetData(row: TargetRow, now: number): object {
  return {
    key: row.key,
    target: row.label,
    id: row.id,
    servername: row.servername,
    note: row.note,
    protocol: row.protocol,
    status: stateOf(row),
    since: iso(row.since),
    reason: row.reason,
    remarks: row.remarks,
    checkedAt: iso(row.checkedAt),
    checkSeconds: row.checkSeconds,
    nextCheckAt: iso(row.nextCheckAt),
    validFrom: iso(row.startsAt),
    validTo: iso(row.endsAt),
    daysLeft: row.endsAt === null ? null : Math.floor((row.endsAt - now) / DAY),
    muted: row.mute === null ? null : { until: iso(row.mute.until), reason: row.mute.reason },
  };
}

export function addressData({ address, state, reason, certificate, pin }: SeenAddress): object {
  return {
    address,
    status: state,
    reason,
    pin,
    certificate: certificate === null ? null : certificateData(certificate),
  };
}

function certificateData({ validFrom, validTo, ...certificate }: SeenCertificate): object {
  return { ...certificate, validFrom: iso(validFrom), validTo: iso(validTo) };
}

export function transitionData(transition: StoredTransition): object {
  const { number, id, at, kind, key, label, from, to, remark, reason, mutedBy } = transition;
  return { number, id, at: iso(at), kind, key, target: label, from, to, remark, reason, mutedBy };
}
