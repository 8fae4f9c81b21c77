import { createPublicKey, X509Certificate } from 'node:crypto';
import { ownOptions } from '../leaf/options.ts';
import { asSha256, type Pin, pinOf, sha256 } from '../leaf/pin.ts';
import { NO_PIN, pinInvalid, readPin, SPELLINGS, type Spelling, visibleText } from '../leaf/pin-text.ts';
import { Certificate, isBytes } from './certificate.ts';

/**
 * One pin: a string in any spelling, PEM text (a certificate or a public key), the bytes of a PEM or DER certificate, an
 * `X509Certificate`, or a pin that was parsed before.
 */
export type PinSource = string | Uint8Array | X509Certificate | Pin;

/** One pin or several: see {@link parsePins}. */
export type PinInput = PinSource | readonly PinSource[];

/** What was read: the pins, and the certificates among the sources. */
export interface ParsedPins {
  readonly pins: readonly Pin[];
  readonly certificates: readonly Certificate[];
}

interface ParsedPin {
  readonly pin: Pin;
  readonly certificate?: Certificate;
}

/**
 * Reads one pin. A string may be any of these; upper and lower case of hex digits and prefixes do not matter:
 *
 * - `AA:BB:…` or bare hex, with or without `sha256 Fingerprint=` before it: a **certificate** pin
 * - `3 0 1 HEX` (TLSA, RFC 6698): a **certificate** pin; `3 1 1 HEX`: a **public-key** pin
 * - `sha256/BASE64`, `sha256//BASE64`, `pin-sha256="BASE64"`, `sha256:HEX`, bare base64 or base64url: a **public-key** pin
 * - PEM text: `CERTIFICATE` gives a certificate pin, `PUBLIC KEY` a public-key pin
 *
 * @throws CertpinError `ERR_PIN_INVALID`: not exactly one pin, an algorithm other than SHA-256, a wrong length, a private key
 */
export function parsePin(source: PinSource): Pin {
  const [pin, ...others] = parsePins(source);
  if (pin === undefined || others.length > 0) {
    throw pinInvalid(
      1,
      `${others.length === 0 ? 'no pin' : `${others.length + 1} pins`} where exactly one is expected`,
    );
  }
  return pin;
}

/**
 * Reads a pin set: one pin or an array of pins; every string among them may hold several, separated by commas, semicolons,
 * whitespace or newlines, as a secret store would keep them. A `#` at the start of a line or after whitespace begins a comment.
 * Repeated pins are read once.
 *
 * @throws CertpinError `ERR_PIN_INVALID` for the first pin that cannot be read, and for an empty set
 */
export function parsePins(input: PinInput): readonly Pin[] {
  return parsePinSources(input).pins;
}

/** As {@link parsePins}, and keeps the certificates among the sources: an issuer's certificate completes a chain. */
export function parsePinSources(input: PinInput): ParsedPins {
  const parsed: ParsedPin[] = [];
  for (const source of [input].flat() as readonly PinSource[]) {
    if (typeof source === 'string') readText(source, parsed);
    else readSource(source, parsed);
  }
  if (parsed.length === 0) throw pinInvalid(1, NO_PIN);
  return {
    pins: distinctPins(parsed.map(({ pin }) => pin)),
    certificates: Object.freeze(parsed.flatMap(({ certificate }) => certificate ?? [])),
  };
}

function distinctPins(pins: readonly Pin[]): readonly Pin[] {
  const distinct = new Map(pins.map((pin) => [`${pin.kind} ${pin.sha256}`, pin]));
  return Object.freeze([...distinct.values()]);
}

/** Appends what `source` holds to `parsed`; the length of `parsed` is the position that an error names. */
function readSource(source: Exclude<PinSource, string>, parsed: ParsedPin[]): void {
  const position = parsed.length + 1;
  if (source instanceof X509Certificate) {
    parsed.push(certificatePin(source.raw, position));
  } else if (!isBytes(source)) {
    parsed.push({ pin: readPinObject(source, position) });
  } else if (source.length === 32) {
    throw pinInvalid(position, '32 raw bytes, which do not say whether they hash a certificate or a key');
  } else if (source[0] === 0x30 && (source[1] ?? 0) >= 0x80) {
    // 0x30 begins a DER certificate and is the digit 0 too; but no certificate is so short that its length is one byte.
    parsed.push(certificatePin(source, position));
  } else {
    readText(Buffer.from(source).toString('utf8'), parsed);
  }
}

/** A pin that came back from JSON or from the other copy of the library is checked like any other input. */
function readPinObject(source: unknown, position: number): Pin {
  if (typeof source !== 'object' || source === null)
    throw pinInvalid(position, `a value of type ${source === null ? 'null' : typeof source}`);
  const { kind, sha256: hash } = ownOptions(source as Partial<Record<keyof Pin, unknown>>);
  if (kind !== 'certificate' && kind !== 'public-key') throw pinInvalid(position, 'an object that is not a pin');
  if (typeof hash !== 'string') throw pinInvalid(position, 'an object that is not a pin');
  const isHex = /^(?:[0-9a-f]{64}|(?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/i.test(hash);
  if (!isHex) throw pinInvalid(position, problemOfHex(hash));
  return pinOf(kind, asSha256(hash.replaceAll(':', '').toUpperCase()));
}

/** RFC 7468 §3. A block reaches to the next five dashes, so that a text full of openings is read in one pass. */
const PEM = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*(?:-(?!----)[^-]*)*)-----END \1-----(?:\\[rn])*/g;

function readText(text: string, parsed: ParsedPin[]): void {
  // Comments go first: a PEM block that somebody has commented out must not be a pin either.
  for (const [token] of readPemBlocks(visibleText(text), parsed).matchAll(TOKEN)) {
    const position = parsed.length + 1;
    const pin = readPin(token, spellings);
    if (pin === undefined) throw pinInvalid(position, problemOf(token));
    parsed.push({ pin });
  }
}

/** Returns what stands behind the last block. */
function readPemBlocks(visible: string, parsed: ParsedPin[]): string {
  let rest = 0;
  for (const block of visible.matchAll(PEM)) {
    readText(visible.slice(rest, block.index), parsed);
    parsed.push(readPem(block[1] ?? '', block[2] ?? '', parsed.length + 1));
    rest = block.index + block[0].length;
  }
  return visible.slice(rest);
}

const PEM_LABELS = ['CERTIFICATE', 'X509 CERTIFICATE', 'PUBLIC KEY'];

function readPem(label: string, body: string, position: number): ParsedPin {
  if (label.endsWith('PRIVATE KEY')) {
    throw pinInvalid(position, 'a private key: it belongs to the server alone; pin its certificate or its public key');
  }
  if (!PEM_LABELS.includes(label)) throw pinInvalid(position, `a PEM block that is none of ${PEM_LABELS.join(', ')}`);
  // Configuration forms often keep the line breaks of a PEM block as the two characters \n, or as spaces.
  const content = body.replace(/\\[rn]|\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(content)) throw pinInvalid(position, 'a PEM block whose content is not base64');
  const der = Buffer.from(content, 'base64');
  if (label !== 'PUBLIC KEY') return certificatePin(der, position);
  try {
    const spki = createPublicKey({ key: der, format: 'der', type: 'spki' }).export({ type: 'spki', format: 'der' });
    return { pin: pinOf('public-key', sha256(spki)) };
  } catch {
    throw pinInvalid(position, 'a PEM public key that cannot be read');
  }
}

function certificatePin(bytes: Uint8Array, position: number): ParsedPin {
  let certificate: Certificate;
  try {
    certificate = new Certificate(new X509Certificate(bytes));
    certificate.toJSON(); // what cannot be read in full fails here, not in the explanation of a refusal
  } catch {
    throw pinInvalid(position, 'a certificate that cannot be read');
  }
  return { pin: pinOf('certificate', certificate.certificateSha256), certificate };
}

/** RFC 7469 (`pin-sha256="…"`), bare base64 and RFC 6698 §2.1: certificate usage, selector, matching type, data. */
const spellings: readonly Spelling[] = [
  ...SPELLINGS,
  [/^[Pp][Ii][Nn]-[Ss][Hh][Aa]-?256[=:]"?([\w+/-]{42}[048AEIMQUYcgkosw])={0,2}"?$/, 'public-key', 'base64'],
  [/^([\w+/-]{42}[048AEIMQUYcgkosw])={0,2}$/, 'public-key', 'base64'],
  [/^3\s+0\s+1\s+([0-9a-f]{56}\s*[0-9a-f]{8})$/i, 'certificate', 'hex'],
  [/^3\s+1\s+1\s+([0-9a-f]{56}\s*[0-9a-f]{8})$/i, 'public-key', 'hex'],
];

/**
 * The spellings that hold whitespace are matched first, whole; then whatever stands between separators. Hex in a TLSA
 * record may hold whitespace (RFC 6698 §2.2); `dig` breaks it after 56 digits.
 */
const TOKEN =
  /\b\d{1,3}[ \t]+\d{1,3}[ \t]+\d{1,3}[ \t]+(?:[0-9a-f]{56}[ \t]+[0-9a-f]{8}|[0-9a-f]+)(?![^\s,;])|\b[a-z0-9-]+[ \t]+fingerprint[ \t]*=[ \t]*[^\s,;]+|[^\s,;]+/gi;

/** The spellings that name their algorithm: `sha256 Fingerprint=…`, `pin-sha256="…"`, `sha256/…` and `sha256//…`, `sha256:…`. */
const NAMED: readonly (readonly [RegExp, (hash: string) => string])[] = [
  [/^(\S+)\s+fingerprint\s*=\s*(.*)$/i, problemOfHex],
  [/^pin-([a-z0-9-]+?)[=:]"?([^"]*)"?$/i, problemOfBase64],
  // Base64 may begin with a slash too; then it counts among the 43 digits that 32 bytes have.
  [/^((?:sha|md)-?\d+)\/(?:\/(?![^=]{42}={0,2}$))?(.*)$/i, problemOfBase64],
  [/^((?:sha|md)-?\d+)[:=](.*)$/i, problemOfHex],
];

/** Why a text is no pin. */
function problemOf(token: string): string {
  if (/^-----(?:BEGIN|END)/.test(token)) return 'a PEM block that was cut: its BEGIN and END lines are no pair';
  const tlsa = /^(\d+)\s+(\d+)\s+(\d+)\s+(.+)$/.exec(token);
  if (tlsa !== null) return problemOfTlsa(tlsa);
  for (const [pattern, problemOfHash] of NAMED) {
    const [, algorithm, hash = ''] = pattern.exec(token) ?? [];
    if (algorithm === undefined) continue;
    return /^sha-?256$/i.test(algorithm) ? problemOfHash(hash) : problemOfAlgorithm(algorithm);
  }
  return /^[0-9a-f:]+$/i.test(token) ? problemOfHex(token) : problemOfBase64(token);
}

function problemOfTlsa([, usage, selector, matching, data = '']: RegExpExecArray): string {
  if (usage !== '3') return `a TLSA record of usage ${usage}; a pin on the server's own certificate is usage 3`;
  if (matching !== '1') return `a TLSA record of matching type ${matching}; SHA-256 is matching type 1`;
  if (selector !== '0' && selector !== '1') return `a TLSA record of selector ${selector}`;
  return problemOfHex(data.replace(/\s/g, ''));
}

function problemOfAlgorithm(algorithm: string): string {
  const name = algorithm.toLowerCase().replace('-', '');
  const known = Object.values(OTHER_HASHES).find((hash) => hash.toLowerCase().replace('-', '') === name);
  return `${known === undefined ? 'an unknown kind of' : `${known === 'MD5' ? 'an' : 'a'} ${known}`} fingerprint; only SHA-256 pins are accepted`;
}

/** Other hashes that people paste, by their number of hex digits. */
const OTHER_HASHES: Record<number, string> = { 32: 'MD5', 40: 'SHA-1', 56: 'SHA-224', 96: 'SHA-384', 128: 'SHA-512' };

function problemOfHex(text: string): string {
  const digits = text.replaceAll(':', '');
  if (!/^[0-9a-f]*$/i.test(digits)) return 'something other than hex digits where a SHA-256 in hex is expected';
  if (digits.length !== 64) return wrongLength(digits.length, 'hex digits', 64);
  return 'colons that do not stand between every two hex digits';
}

function problemOfBase64(text: string): string {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return `${text.length} characters that are neither hex digits nor base64`;
  const { length } = Buffer.from(text, 'base64');
  if (length !== 32) return wrongLength(length, 'bytes of base64', 32);
  return 'base64 whose last character holds stray bits: it was cut or mistyped';
}

function wrongLength(found: number, unit: string, expected: 32 | 64): string {
  const fact = `${found} ${unit}; a SHA-256 has ${expected}`;
  const other = OTHER_HASHES[(found * 64) / expected];
  return other === undefined ? fact : `${fact} (this is the length of ${other})`;
}
