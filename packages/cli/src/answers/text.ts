import { DAY, days } from '@certpin/pins-file';
import { type CertificateSummary, formatPin, parsePin } from 'certpin';
import type { ProbeSuccess } from 'certpin/probe';
import { noPublicKeyPin, publicKeyPin } from '../forms/public-key-pin.ts';
import { bounded, type Colors, printable } from '../io.ts';
import { describeAddress } from './address.ts';

/** A successful report for people: the same value that `--json` prints. */
export function renderReport(report: ProbeSuccess, colors: Colors, now: Date): string {
  const { target, protocol, certificate, chain } = report;
  return [
    colors.bold(printable(target)),
    ...renderLeaf(certificate, colors, now),
    ...renderAddress(report),
    ...chain
      .slice(1)
      .flatMap((other) => renderOther(other, protocol === 'file' ? 'in the file too' : 'sent with it', colors, now)),
    ...(protocol === 'file' ? [] : [colors.dim(`  ${presentedOnly}`)]),
  ].join('\n');
}

/** A fetched fingerprint says what the server presents, and not whose server it is. */
const presentedOnly =
  "as presented just now: compare with the server's own certificate file, or its operator, before you pin it";

function renderLeaf(certificate: CertificateSummary, colors: Colors, now: Date): string[] {
  const pin = parsePin(certificate.sha256);
  return [
    row('certificate SHA-256', colors.bold(certificate.sha256)),
    row('with colons', formatPin(pin, 'colon')),
    row('public-key pin', shownKeyPin(certificate)),
    row('subject', certificate.subject || '(none)'),
    row('issuer', certificate.issuer || '(none)'),
    row('names', certificate.subjectAltNames.join(', ') || '(none)'),
    row('valid', validity(certificate, colors, now)),
    row('self-signed', certificate.selfSigned ? 'yes' : 'no'),
  ];
}

/** Which of the server's addresses has answered, if it has a name. */
function renderAddress({ host, address, otherAddresses }: ProbeSuccess): string[] {
  return address === null || address === host ? [] : [row('address', describeAddress({ address, otherAddresses }))];
}

function renderOther(certificate: CertificateSummary, where: string, colors: Colors, now: Date): string[] {
  return [
    `  ${where}: ${bounded(certificate.subject) || '(no subject)'}`,
    `  ${row('certificate SHA-256', certificate.sha256)}`,
    `  ${row('public-key pin', shownKeyPin(certificate))}`,
    `  ${row('valid', validity(certificate, colors, now))}`,
  ];
}

function row(label: string, value: string): string {
  return `  ${label.padEnd(19)}  ${bounded(value)}`;
}

function shownKeyPin(certificate: CertificateSummary): string {
  return certificate.publicKeySha256 === null ? noPublicKeyPin : formatPin(publicKeyPin(certificate));
}

function validity({ validFrom, validTo }: CertificateSummary, colors: Colors, now: Date): string {
  const untilStart = Date.parse(validFrom) - now.getTime();
  const untilEnd = Date.parse(validTo) - now.getTime();
  const span = `${validFrom.slice(0, 10)} to ${validTo.slice(0, 10)}`;
  if (Number.isNaN(untilStart + untilEnd)) return colors.red(`${span} (cannot be read)`);
  if (untilStart > 0) return colors.red(`${span} (begins in ${days(untilStart)})`);
  if (untilEnd < 0) return colors.red(`${span} (expired ${days(-untilEnd)} ago)`);
  return `${span} (${untilEnd < 30 * DAY ? colors.yellow(`${days(untilEnd)} left`) : `${days(untilEnd)} left`})`;
}
