import { CertpinError } from '../errors.ts';
import { asSha256, type Pin, pinOf } from './pin.ts';

/** The spelling of a pin, what it is a hash of, and the encoding of the hash. */
export type Spelling = readonly [RegExp, Pin['kind'], 'hex' | 'base64'];

/** The last character of base64 has two unused bits. A hash that was cut or mistyped must not pass for another hash. */
export const SPELLINGS: readonly Spelling[] = [
  [/^(?:sha-?256\s+fingerprint\s*=\s*)?([0-9a-f]{64}|(?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/i, 'certificate', 'hex'],
  [/^sha-?256[:=]([0-9a-f]{64})$/i, 'public-key', 'hex'],
  [/^[Ss][Hh][Aa]-?256\/{1,2}([\w+/-]{42}[048AEIMQUYcgkosw])={0,2}$/, 'public-key', 'base64'],
];

/** @returns undefined if the text is not a pin in any spelling */
export function readPin(token: string, spellings: readonly Spelling[] = SPELLINGS): Pin | undefined {
  for (const [pattern, kind, encoding] of spellings) {
    const [, hash] = pattern.exec(token) ?? [];
    if (hash === undefined) continue;
    return pinOf(kind, asSha256(Buffer.from(hash.replace(/[:\s]/g, ''), encoding).toString('hex').toUpperCase()));
  }
  return undefined;
}

/** A pin that somebody has commented out must not be a pin. */
const COMMENT = /(?<![^\s,;])#.*/g;

/** Invisible characters that Windows' certificate viewer and text editors put before a copied hash. */
const INVISIBLE = /[\u200B-\u200F\u2060\uFEFF]/g;

/** The text without comments and without invisible characters. */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, '').replace(COMMENT, '');
}

/** The spelling that contains whitespace is matched first, as a whole. Then comes whatever stands between separators. */
const TOKEN = /\b[a-z0-9-]+[ \t]+fingerprint[ \t]*=[ \t]*[^\s,;]+|[^\s,;]+/gi;

/**
 * Reads pins from text: one string or several. Each may hold more than one pin.
 *
 * @throws CertpinError `ERR_PIN_INVALID` for the first pin that cannot be read, and for an empty set
 */
export function readPins(input: unknown): readonly Pin[] {
  const pins: Pin[] = [];
  for (const text of [input].flat()) {
    if (typeof text !== 'string') throw pinInvalid(pins.length + 1, 'it is not text');
    for (const [token] of visibleText(text).matchAll(TOKEN)) {
      const pin = readPin(token);
      if (pin === undefined)
        throw pinInvalid(pins.length + 1, 'a SHA-256 is 64 hex digits, sha256/BASE64 or sha256:HEX');
      pins.push(pin);
    }
  }
  if (pins.length === 0) throw pinInvalid(1, NO_PIN);
  return Object.freeze(pins);
}

export const NO_PIN = 'no pin: the set is empty';

/** The text of a pin that cannot be read is not repeated: people paste private keys and passwords into the wrong field. */
export function pinInvalid(position: number, found: string): CertpinError<'ERR_PIN_INVALID'> {
  return new CertpinError('ERR_PIN_INVALID', `pin ${position} cannot be used: ${found}`, { position, found });
}
