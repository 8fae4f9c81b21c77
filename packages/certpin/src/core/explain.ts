import { CertpinError } from '../errors.ts';
import type { RefusalCode } from '../leaf/checks.ts';
import { type Pin, pinOf, type Sha256 } from '../leaf/pin.ts';
import { findCause } from './causes.ts';
import { printable, shorten } from './certificate.ts';
import { formatPin } from './format-pin.ts';
import { Known, signersOf } from './known.ts';
import type { Refused, Verdict } from './verdict.ts';

/**
 * Explains a verdict to a person: the fact, what was presented, what is configured, the likely cause, and a command that checks it over
 * another channel. It never suggests trusting what was just presented, which may be an attacker's.
 *
 * Cause and next step follow from what is known (causes.ts), never from what a server only sends along.
 */
export function explain(verdict: Verdict): string {
  if (verdict.ok) {
    const what = verdict.fromFile ? 'the certificate in the file' : 'the presented certificate';
    const whose = verdict.matched === 'leaf' ? what : `an issuer of ${what}`;
    return lines([`pin matched${at(verdict)}: ${whose} is ${formatPin(verdict.pin)}`, ...presentedLines(verdict)]);
  }
  const { cause, next } = findCause(new Known(verdict));
  return lines([
    `${headlines[verdict.code]}${at(verdict)}: ${printable(verdict.reason)}`,
    ...calledLines(verdict),
    ...presentedLines(verdict),
    ...configuredLines(verdict),
    ...(cause === undefined ? [] : [`  likely: ${cause}`]),
    `  next: ${next}`,
  ]);
}

/** The error of a refusal. It has the verdict's code, its explanation as the message, and one line for logs. */
export function refusalError(verdict: Refused): CertpinError<RefusalCode> {
  const error = new CertpinError(verdict.code, explain(verdict), { verdict });
  return Object.assign(error, { summary: summarize(verdict) });
}

/** A log line has room for this many pins. */
const MAX_SUMMARIZED = 4;

/**
 * The reason, the host, and the hashes of both sides, in the form of a pasted block's message. It contains nothing that the server has
 * written.
 */
function summarize(verdict: Refused): string {
  const { reason, presented, policy, fromFile } = verdict;
  const [shown = 'nothing'] = presented.map(
    ({ certificateSha256, publicKeySha256 }) => `${certificateSha256} or sha256:${publicKeySha256 ?? 'none'}`,
  );
  const pinned = [...policy.pins.map((pin) => short(pin)), ...policy.issuerPins.map((pin) => `${short(pin)} (issuer)`)];
  const more = pinned.length - MAX_SUMMARIZED;
  const list = `${pinned.slice(0, MAX_SUMMARIZED).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
  const decided = shorten(printable(reason));
  return `${decided}${at(verdict)}; ${fromFile ? 'in the file' : 'presented'}: ${shown}; pinned: ${list}`;
}

function short({ kind, sha256 }: Pin): string {
  return kind === 'certificate' ? sha256 : `sha256:${sha256}`;
}

const headlines: Record<RefusalCode, string> = {
  ERR_PIN_MISMATCH: 'pin mismatch',
  ERR_PIN_UNCHECKABLE: 'pin cannot be checked',
  ERR_CHAIN_INVALID: 'chain to the pinned issuer is invalid',
  ERR_CERTIFICATE_EXPIRED: 'pinned certificate is expired',
  ERR_CERTIFICATE_NOT_YET_VALID: 'pinned certificate is not yet valid',
  ERR_HOSTNAME_MISMATCH: 'pinned certificate is for another name',
  ERR_CA_UNTRUSTED: 'pinned certificate is not trusted by a CA',
  ERR_TLS_VERSION: 'TLS version is too old',
};

function at({ host, port }: Verdict): string {
  if (host === undefined) return '';
  const name = host.includes(':') ? `[${host.replace(/^\[|\]$/g, '')}]` : host;
  return ` for ${printable(name)}${port === undefined ? '' : `:${port}`}`;
}

/** The server name, shown if it is not the host itself. */
function calledLines({ host, address }: Refused): string[] {
  return address === undefined || address === host ? [] : [`  called: ${printable(address)}`];
}

/** A server may present any number of certificates. A person reads this many. */
const MAX_PRESENTED = 6;

function presentedLines({ presented, fromFile }: Verdict): string[] {
  const more = presented.length - MAX_PRESENTED;
  const signers = signersOf(presented);
  const [first, other] = fromFile ? ['in the file', 'also in it'] : ['presented', 'sent along'];
  const shown = presented.slice(0, MAX_PRESENTED).flatMap((certificate, index) => {
    const { subject, issuer, validFrom, validTo, publicKeySha256 } = certificate.toJSON();
    const role = index === 0 ? first : signers.includes(certificate) ? 'issuer' : other;
    return [
      `  ${role}: ${shorten(subject) || '(no subject)'}, issued by ${subject === issuer ? 'itself' : shorten(issuer)}`,
      `    valid: ${validFrom.slice(0, 10)} to ${validTo.slice(0, 10)}`,
      `    certificate SHA-256: ${certificate.certificateSha256}`,
      `    public-key pin: ${publicKeySha256 === null ? 'none: its key is not written in DER' : formatPin(pinOf('public-key', publicKeySha256 as Sha256))}`,
    ];
  });
  return more > 0 ? [...shown, `  and ${more} more`] : shown;
}

function configuredLines({ policy }: Refused): string[] {
  return [
    ...policy.pins.map((pin) => `  configured: ${formatPin(pin)} (${pin.kind})`),
    ...policy.issuerPins.map((pin) => `  configured: ${formatPin(pin)} (${pin.kind} of an issuer)`),
  ];
}

function lines(list: readonly string[]): string {
  return list.join('\n');
}
