import type { CertificateSummary } from 'certpin';
import type { ProbeFailure } from 'certpin/probe';
import { printableLines } from '../io.ts';
import type { AnswerReport, KeyReport } from '../scan/answer.ts';

const columns = [
  'target',
  'protocol',
  'ok',
  'position',
  'certificate_sha256',
  'public_key_sha256',
  'subject',
  'issuer',
  'names',
  'valid_from',
  'valid_to',
  'self_signed',
  'error_code',
  'error_message',
  'address',
] as const;

export const csvHeader: string = columns.join(',');

/** One row. With `chain`, one row for each presented certificate: position 0 is the server's own. */
export function csvRows(report: AnswerReport, chain: boolean): string[] {
  const { target, protocol } = report;
  if ('addresses' in report) {
    return report.addresses.flatMap((one) => rowsOf({ target, protocol, ...one }, chain));
  }
  return rowsOf(report, chain);
}

type Shown = Pick<AnswerReport, 'target' | 'protocol'> & { readonly address?: string | null } & (
    | { readonly ok: true; readonly certificate: CertificateSummary; readonly chain: readonly CertificateSummary[] }
    | Pick<KeyReport, 'ok' | 'certificate' | 'publicKey' | 'chain'>
    | Pick<ProbeFailure, 'ok' | 'error'>
  );

function rowsOf(report: Shown, chain: boolean): string[] {
  const { target, protocol, ok, address } = report;
  const common = { target, protocol: protocol ?? '', ok: String(ok), address: address ?? '' };
  if (!report.ok) {
    return [row({ ...common, error_code: report.error.code, error_message: report.error.message })];
  }
  if (report.certificate === null) return [row({ ...common, public_key_sha256: report.publicKey.sha256 })];
  return (chain ? report.chain : [report.certificate]).map((certificate, position) =>
    row({
      ...common,
      position: String(position),
      certificate_sha256: certificate.sha256,
      public_key_sha256: certificate.publicKeySha256 ?? '',
      subject: certificate.subject,
      issuer: certificate.issuer,
      names: certificate.subjectAltNames.join(', '),
      valid_from: certificate.validFrom,
      valid_to: certificate.validTo,
      self_signed: String(certificate.selfSigned),
    }),
  );
}

function row(values: Partial<Record<(typeof columns)[number], string>>): string {
  return columns.map((column) => cell(values[column] ?? '')).join(',');
}

const SIGN = '[=+\\-@\\uFF1D\\uFF0B\\uFF0D\\uFF20]';
const SEPARATOR = '[\\t\\r\\n,;:|"\\uFF0C\\uFF1B\\uFF1A\\uFF5C]';
/**
 * Where a formula may begin: at the start of the text, or after another separator than our comma. A spreadsheet with another separator does
 * not know our quotation marks. After a space, a sign that is followed by a space is a dash.
 */
const FORMULA = new RegExp(`(?<=(?:^|${SEPARATOR})\\s*)${SIGN}|(?<=\\s)${SIGN}(?=\\S)|^[\\t\\r\\n]`, 'g');

/**
 * RFC 4180 §2. The maker of a certificate chooses its names. So what a spreadsheet would take for a formula gets an apostrophe. In East
 * Asian text, the wide forms of the signs begin a formula too.
 */
export function cell(text: string): string {
  const harmless = printableLines(text).replace(FORMULA, "'$&");
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
