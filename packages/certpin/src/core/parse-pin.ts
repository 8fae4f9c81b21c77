import { createPublicKey, X509Certificate } from 'node:crypto';
import { ownOptions } from '../leaf/options.ts';
import { asSha256, type Pin, pinOf, sha256 } from '../leaf/pin.ts';
import { NO_PIN, pinInvalid, visibleText } from '../leaf/pin-text.ts';
import { Certificate, isBytes } from './certificate.ts';
import { readLine, toLines, unwrapped, withoutName } from './pin-line.ts';
import { problemOfBroken, problemOfHex } from './pin-problem.ts';
import { decodeText } from './text.ts';

/**
 * One pin: a string in any spelling, PEM text (a certificate or a public key), or the bytes of a PEM or DER certificate. Also an
 * `X509Certificate`, or a pin that was parsed before.
 */
export type PinSource = string | Uint8Array | X509Certificate | Pin;

/** One pin or several: see {@link parsePins}. */
export type PinInput = PinSource | readonly PinSource[];

/** What was read: the pins, and the certificates that were given as pins. */
export interface ParsedPins {
  readonly pins: readonly Pin[];
  readonly certificates: readonly Certificate[];
}

interface ParsedPin {
  readonly pin: Pin;
  readonly certificate?: Certificate;
}

/**
 * Reads one pin. A string may have one of these forms. Upper and lower case of hex digits and prefixes do not matter:
 *
 * - `AA:BB:…` or bare hex, with or without `sha256 Fingerprint=` before it: a **certificate** pin
 * - `3 0 1 HEX` (TLSA, RFC 6698): a **certificate** pin; `3 1 1 HEX`: a **public-key** pin
 * - `sha256/BASE64`, `sha256//BASE64`, `pin-sha256="BASE64"`, `sha256:HEX`, bare base64 or base64url: a **public-key** pin
 * - PEM text: `CERTIFICATE` gives a certificate pin, `PUBLIC KEY` a public-key pin
 * - the lines that keytool, browsers, keychains and other tools print, in quotes or behind the name of a variable. A text that may mean a
 *   certificate or a key is refused
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
 * Reads a pin set: one pin or an array of pins. Each string may hold several pins, separated by commas, semicolons, whitespace or newlines,
 * as in a secret store. A `#` at the start of a line or after whitespace begins a comment. Repeated pins are read once.
 *
 * @throws CertpinError `ERR_PIN_INVALID` for the first pin that cannot be read, and for an empty set
 */
export function parsePins(input: PinInput): readonly Pin[] {
  return parsePinSources(input).pins;
}

/** As {@link parsePins}, but keeps the certificates that were given as pins: an issuer's certificate completes a chain. */
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
    // 0x30 begins a DER certificate, and is also the digit 0. But the length of a certificate never fits into one byte.
    parsed.push(certificatePin(source, position));
  } else {
    readText(decodeText(source), parsed);
  }
}

/** A pin that comes back from JSON, or from the other copy of the library, is checked like any other input. */
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

/**
 * RFC 7468 §3, also in the quotes that a configuration puts around it. A block ends at the next five dashes. So a text with many BEGIN
 * lines is read in one pass.
 */
const PEM = /(["'`]?)-----BEGIN ([A-Z0-9 ]+)-----([^-]*(?:-(?!----)[^-]*)*)-----END \2-----(?:\\[rn]|\s)*\1/g;

function readText(text: string, parsed: ParsedPin[]): void {
  // Comments are removed first: a PEM block that somebody has commented out must not be a pin.
  const visible = visibleText(text);
  const list = readJsonList(visible);
  if (list !== undefined) {
    for (const one of list) readText(one, parsed);
    return;
  }
  let rest = 0;
  for (const { 0: block, 2: label = '', 3: body = '', index } of visible.matchAll(PEM)) {
    readLines(withoutName(visible.slice(rest, index)), parsed);
    parsed.push(readPem(label, body, parsed.length + 1));
    rest = index + block.length;
  }
  readLines(visible.slice(rest), parsed);
}

/** If a text holds a PEM block, only strings may stand in it. */
function readJsonList(text: string): string[] | undefined {
  if (text.trimStart()[0] !== '[') return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((one) => typeof one === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

function readLines(text: string, parsed: ParsedPin[]): void {
  const lines = toLines(unwrapped(text));
  for (const [index, line] of lines.entries()) {
    const { pins, problem } = readLine(line);
    parsed.push(...pins.map((pin) => ({ pin })));
    if (problem !== undefined) throw pinInvalid(parsed.length + 1, problemOfBroken(problem, lines.slice(index)));
  }
}

const PEM_LABELS = ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE', 'PUBLIC KEY'];

function readPem(label: string, body: string, position: number): ParsedPin {
  if (label.endsWith('PRIVATE KEY')) {
    throw pinInvalid(position, 'a private key: it belongs to the server alone; pin its certificate or its public key');
  }
  if (!PEM_LABELS.includes(label)) throw pinInvalid(position, `a PEM block other than ${PEM_LABELS.join(', ')}`);
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
    certificate.toJSON(); // A certificate that cannot be read in full must fail here, and not later in the explanation of a refusal.
  } catch {
    throw pinInvalid(position, 'a certificate that cannot be read');
  }
  return { pin: pinOf('certificate', certificate.certificateSha256), certificate };
}
