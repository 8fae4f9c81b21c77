import type { Judged, JudgedAddress, Remark, Status } from '@certpin/pins-file';
import { printJson } from '../io.ts';
import { type AddressReport, type CheckReport, toAddressReport, toReport } from './check-report.ts';
import { explainRefusal } from './explanation.ts';
import { type CreateReport, REVOKED } from './report.ts';

/**
 * A line of `certpin check --file --json`: what `certpin check --json` prints for one target, and more. Fields are added, never renamed.
 */
type FileCheckReport = CheckReport & {
  readonly status: Status;
  /** Its place in the pins file, from 1. */
  readonly line: number;
  readonly note?: string;
  readonly id?: string;
  /** Whole days until the certificate ends. Below 0: it has ended. null: none was presented. */
  readonly daysLeft: number | null;
  readonly remarks: readonly Remark[];
};

export const createJsonReport: CreateReport = ({ io }) => ({
  add: (judged) => printJson(io, toJson(judged)),
  end: () => undefined,
});

function toJson(judged: Judged): FileCheckReport {
  const { entry, status, verdict, protocol, failure, address, otherAddresses, addresses } = judged;
  const { label, line, note, id } = entry;
  const about = {
    status,
    line,
    ...(note === undefined ? {} : { note }),
    ...(id === undefined ? {} : { id }),
    daysLeft: judged.daysLeft ?? null,
    remarks: judged.remarks,
    ...(addresses === undefined ? {} : { addresses: addresses.map(toAddress) }),
  };
  if (verdict === undefined) return { target: label, protocol, ok: false, error: failure, ...about };
  return { ...toReport({ label, protocol, address, otherAddresses }, verdict), ...revokedWords(judged), ...about };
}

/** Used whatever the verdict says. */
function revokedWords(judged: Judged): object {
  if (judged.status !== 'revoked') return {};
  const nothing = { matched: undefined, pin: undefined };
  return { ...nothing, ok: false, code: REVOKED, reason: judged.reason, explanation: explainRefusal(judged) };
}

function toAddress(judged: JudgedAddress): AddressReport & { readonly status: Status } {
  const { address, status, verdict, failure } = judged;
  if (verdict === undefined) return { address, status, ok: false, error: failure };
  return { ...toAddressReport(address, verdict), ...revokedWords(judged), status };
}
