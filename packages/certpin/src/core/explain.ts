import { CertpinError } from '../errors.ts';
import type { RefusalCode } from '../leaf/checks.ts';
import { matchPin } from '../leaf/checks.ts';
import { pinOf, type Sha256 } from '../leaf/pin.ts';
import { type Certificate, printable, shorten } from './certificate.ts';
import { formatPin } from './format-pin.ts';
import { namesHost } from './names.ts';
import type { Refused, Verdict } from './verdict.ts';

/**
 * What a person needs who stands before a verdict: the fact, what was presented, what is configured, the likely cause, and the
 * command that checks it out of band. It never suggests trusting what was just presented, which may be an attacker's.
 */
export function explain(verdict: Verdict): string {
  if (verdict.ok) {
    const whose = verdict.matched === 'leaf' ? 'the presented certificate' : 'an issuer of the presented certificate';
    return lines([`pin matched${at(verdict)}: ${whose} is ${formatPin(verdict.pin)}`, ...presentedLines(verdict)]);
  }
  return lines([
    `${headlines[verdict.code]}${at(verdict)}: ${printable(verdict.reason)}`,
    ...calledLines(verdict),
    ...presentedLines(verdict),
    ...configuredLines(verdict),
    ...likelyCauses(verdict).map((cause) => `  likely: ${cause}`),
    `  next: ${nextStep(verdict.code)}`,
  ]);
}

/** The error of a refusal: the verdict's code, and its explanation as the message. */
export function refusalError(verdict: Refused): CertpinError<RefusalCode> {
  return new CertpinError(verdict.code, explain(verdict), { verdict });
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

/** Said where it is not the host itself. */
function calledLines({ host, address }: Refused): string[] {
  return address === undefined || address === host ? [] : [`  called: ${printable(address)}`];
}

/** A server may present as many certificates as it likes, with as many names; a person reads this many. */
const MAX_PRESENTED = 6;
const MAX_NAMES = 10;

function presentedLines({ presented }: Verdict): string[] {
  const more = presented.length - MAX_PRESENTED;
  const shown = presented.slice(0, MAX_PRESENTED).flatMap((certificate, index) => {
    const { subject, issuer, validFrom, validTo, publicKeySha256 } = certificate.toJSON();
    return [
      `  ${index === 0 ? 'presented' : 'issuer'}: ${shorten(subject) || '(no subject)'}, issued by ${subject === issuer ? 'itself' : shorten(issuer)}`,
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

/** Only what the evidence shows; a cause that cannot be told apart from an attack is not called a rotation. */
function likelyCauses(verdict: Refused): string[] {
  const [leaf, ...issuers] = verdict.presented;
  if (leaf === undefined) return [];
  switch (verdict.code) {
    case 'ERR_PIN_MISMATCH':
      return mismatchCauses(verdict, leaf, issuers);
    case 'ERR_CERTIFICATE_EXPIRED':
      return ['the server still serves its old certificate; the operator has to renew it'];
    case 'ERR_CERTIFICATE_NOT_YET_VALID':
      return ['the clock of this machine, or of the one that made the certificate, is wrong'];
    case 'ERR_HOSTNAME_MISMATCH':
      return [`the certificate names ${someOf(leaf.toJSON().subjectAltNames) || 'nothing but its subject'}`];
    default:
      return [];
  }
}

function someOf(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return names.slice(0, MAX_NAMES).map(shorten).join(', ') + (more > 0 ? `, and ${more} more` : '');
}

function mismatchCauses({ policy, host }: Refused, leaf: Certificate, issuers: readonly Certificate[]): string[] {
  const otherKind = [...policy.pins, ...policy.issuerPins].map((pin) =>
    pinOf(pin.kind === 'certificate' ? 'public-key' : 'certificate', pin.sha256),
  );
  const confused = matchPin(leaf, otherKind);
  if (confused !== undefined) {
    return [
      confused.kind === 'public-key'
        ? `the configured certificate pin is the hash of the presented public key; spell it as a public-key pin: ${formatPin(confused)}`
        : `the configured public-key pin is the hash of the presented certificate; spell it as a certificate pin: ${formatPin(confused)}`,
    ];
  }
  if (issuers.some((issuer) => matchPin(issuer, [...policy.pins, ...otherKind]) !== undefined)) {
    return ["the pin is the CA's, not the leaf's; a CA is pinned with `issuerPins`"];
  }
  if (matchPin(leaf, policy.issuerPins) !== undefined)
    return ["the pin is the leaf's, not a CA's; a leaf is pinned with `pins`"];

  const sameKey = policy.knownCertificates.some(
    ({ publicKeySha256 }) => publicKeySha256 !== null && publicKeySha256 === leaf.publicKeySha256,
  );
  if (sameKey) return ['the certificate was renewed with the same key; a public-key pin would have survived that'];
  if (host !== undefined && !namesHost(leaf, host))
    return [`a different server answers: its certificate does not name ${printable(host)}`];
  return [
    'the certificate was replaced, with another key, or somebody is between you and the server: both look the same from here',
  ];
}

function nextStep(code: RefusalCode): string {
  if (code === 'ERR_PIN_MISMATCH' || code === 'ERR_CHAIN_INVALID' || code === 'ERR_HOSTNAME_MISMATCH') {
    return (
      "on the server itself, or from its operator over another channel, get the true hashes: 'certpin get server.crt', or\n" +
      "    'openssl x509 -in server.crt -noout -fingerprint -sha256'; add a pin only if they equal what was presented"
    );
  }
  if (code === 'ERR_CERTIFICATE_EXPIRED')
    return "renew the certificate; until then `expired: 'accept'` keeps the pin and drops the date";
  if (code === 'ERR_CERTIFICATE_NOT_YET_VALID') return "compare the clocks: 'date -u' on both machines";
  if (code === 'ERR_CA_UNTRUSTED')
    return "give the CA as `ca`, or drop `caVerification: 'require'`: the pin itself matched";
  if (code === 'ERR_TLS_VERSION') return 'the server must offer TLS 1.2 or 1.3';
  return 'nothing was sent; a server that shows no certificate cannot be told from an impostor';
}

function lines(list: readonly string[]): string {
  return list.join('\n');
}
