import { type Judged, outcomeOf } from '@certpin/pins-file';
import { formatPin } from 'certpin';
import { cell } from '../answers/csv.ts';
import { printCsv } from '../io.ts';
import { type CreateReport, REVOKED } from './report.ts';

const columns = [
  'target',
  'protocol',
  'ok',
  'status',
  'code',
  'reason',
  'certificate_sha256',
  'public_key_sha256',
  'subject',
  'issuer',
  'valid_from',
  'valid_to',
  'pins',
  'issuer_pins',
  'line',
  'note',
  'address',
  'days_left',
] as const;

export const createCsvReport: CreateReport = ({ io }) => {
  printCsv(io, columns.join(','));
  return { add: (judged) => printCsv(io, toRow(judged)), end: () => undefined };
};

function toRow(judged: Judged): string {
  const { entry, status, reason, protocol, verdict, address, daysLeft } = judged;
  const leaf = verdict?.presented[0]?.toJSON();
  const { policy } = entry;
  const values: Record<(typeof columns)[number], string | undefined> = {
    target: entry.label,
    protocol: protocol ?? undefined,
    ok: String(outcomeOf[status] === 'yes'),
    status,
    code: codeOf(judged),
    reason,
    certificate_sha256: leaf?.sha256,
    public_key_sha256: leaf?.publicKeySha256 ?? undefined,
    subject: leaf?.subject,
    issuer: leaf?.issuer,
    valid_from: leaf?.validFrom,
    valid_to: leaf?.validTo,
    pins: policy.pins.map((pin) => formatPin(pin)).join(' '),
    issuer_pins: policy.issuerPins.map((pin) => formatPin(pin)).join(' '),
    line: String(entry.line),
    note: entry.note,
    address,
    days_left: daysLeft?.toString(),
  };
  return columns.map((column) => cell(values[column] ?? '')).join(',');
}

function codeOf({ status, verdict, failure }: Judged): string | undefined {
  if (status === 'revoked') return REVOKED;
  if (verdict === undefined) return failure.code;
  return verdict.ok ? undefined : verdict.code;
}
