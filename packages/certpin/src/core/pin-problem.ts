/** The spellings that name their algorithm: `sha256 Fingerprint=…`, `pin-sha256="…"`, `sha256/…` and `sha256//…`, `sha256:…`. */
const NAMED: readonly (readonly [RegExp, (hash: string) => string])[] = [
  [/^(\S+)\s+fingerprint\s*=\s*(.*)$/i, problemOfHex],
  [/^pin-([a-z0-9-]+?)[=:]"?([^"]*)"?$/i, problemOfBase64],
  // Base64 may begin with a slash too. Then the slash is one of the 43 characters that 32 bytes need.
  [/^((?:sha|md)-?\d+)\/(?:\/(?![^=]{42}={0,2}$))?(.*)$/i, problemOfBase64],
  [/^((?:sha|md)-?\d+)[:=](.*)$/i, problemOfHex],
];

/** Whether a text begins with a spelling that names its algorithm or its usage. Then it is this spelling, or a mistake in it. */
export function namesItsSpelling(token: string): boolean {
  return /^\d+\s+\d+\s+\d+\s+\S/.test(token) || NAMED.some(([pattern]) => pattern.exec(token)?.[2]);
}

/** A text with two meanings has none. */
export const TWO_MEANINGS =
  'a SHA-256 that may be of a certificate or of a public key; write the digits alone for a certificate, sha256:HEX for a public key';

/**
 * Why a text is not a pin.
 *
 * @param isAlone nothing else stands in its line. Then hex digits are not a word
 */
export function problemOf(token: string, isAlone = true): string {
  if (/^-----(?:BEGIN|END)/.test(token)) return 'a PEM block that was cut: its BEGIN and END lines do not match';
  const tlsa = /^(\d+)\s+(\d+)\s+(\d+)\s+(.+)$/.exec(token);
  if (tlsa !== null) return problemOfTlsa(tlsa);
  if (SSH.test(token))
    return 'the fingerprint of an SSH key, as ssh-keygen writes it; a pin on a public key is sha256/BASE64';
  if (VARIABLE.test(token))
    return 'the name of a variable where its value is expected: nothing has put the value there';
  if (INTEGRITY.test(token))
    return 'the hash of a file, as the attribute integrity has it; a pin on a public key is sha256/BASE64';
  for (const [pattern, problemOfHash] of NAMED) {
    const [, algorithm, hash = ''] = pattern.exec(token) ?? [];
    if (algorithm === undefined) continue;
    return /^sha-?256$/i.test(algorithm) ? problemOfHash(hash) : problemOfAlgorithm(algorithm);
  }
  if (isWord(token) && !(isAlone && /^[0-9a-f]+$/i.test(token))) return 'a word where a pin is expected';
  if (/^[0-9a-f:]+$/i.test(token)) return problemOfHex(token);
  return problemOfEncoded(token) ?? problemOfBase64(token);
}

/** The first line of a whole file in base64: of `-----BEGIN `, or of a SEQUENCE in DER. */
function problemOfEncoded(token: string): string | undefined {
  if (token.startsWith('LS0tLS1CRUdJTi')) return 'base64 of a PEM block: decode it (`base64 -d`)';
  if (!/^MI[IGH][A-Za-z0-9+/]{50}/.test(token)) return undefined;
  return 'base64 of a certificate or another file in DER: decode it (`base64 -d`), or give it as PEM';
}

/** `SHA256:` and base64 without its padding. */
const SSH = /^SHA256:[A-Za-z0-9+/]{43}$/;

/** As shells, templates and programs name a variable. */
const VARIABLE =
  /^(?:\$(?:env:)?[A-Za-z_]\w*|\$\{[^{}]*\}?|%[A-Za-z_]\w*%|\{\{.*|(?:process\.env|configuration|event\.secrets)\.\w+)$/;

/** Subresource Integrity, and the hashes of a Content-Security-Policy. */
const INTEGRITY = /^sha256-[A-Za-z0-9+/_-]{43}=?$/i;

/** A label, a name, a unit: hashes in base64 are longer and contain digits. */
export function isWord(text: string): boolean {
  return WORD.test(text);
}

const WORD = /^[A-Za-z][A-Za-z'.-]{0,19}:?$/;

function problemOfTlsa([, usage, selector, matching, data = '']: RegExpExecArray): string {
  if (usage !== '3') return `a TLSA record of usage ${usage}; a pin on the server's own certificate is usage 3`;
  if (matching !== '1') return `a TLSA record of matching type ${matching}; SHA-256 is matching type 1`;
  if (selector !== '0' && selector !== '1') return `a TLSA record of selector ${selector}`;
  return problemOfHex(data.replace(/\s/g, ''));
}

export function problemOfAlgorithm(algorithm: string): string {
  const name = algorithm.toLowerCase().replace('-', '');
  const known = Object.values(OTHER_HASHES).find((hash) => hash.toLowerCase().replace('-', '') === name);
  return `${known === undefined ? 'an unknown kind of' : `${known === 'MD5' ? 'an' : 'a'} ${known}`} fingerprint; only SHA-256 pins are accepted`;
}

/** Other hashes that people paste, by their number of hex digits. */
const OTHER_HASHES: Record<number, string> = { 32: 'MD5', 40: 'SHA-1', 56: 'SHA-224', 96: 'SHA-384', 128: 'SHA-512' };

export function problemOfHex(text: string): string {
  const digits = text.replaceAll(':', '');
  if (!/^[0-9a-f]*$/i.test(digits)) return 'something other than hex digits where a SHA-256 in hex is expected';
  if (digits.length !== 64) return wrongLength(digits.length, 'hex digits', 64);
  return 'colons that do not stand between every two hex digits';
}

function problemOfBase64(text: string): string {
  if (/^[0-9a-f]{64}$|^(?:[0-9a-f]{2}:){31}[0-9a-f]{2}$/i.test(text)) {
    return `hex digits where base64 is expected: ${TWO_MEANINGS}`;
  }
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return notBase64(text);
  const { length } = Buffer.from(text, 'base64');
  if (length !== 32) return wrongLength(length, 'bytes of base64', 32);
  return 'base64 whose last character holds stray bits: it was cut or mistyped';
}

/** At most one character of the text is shown, and only one that passwords do not consist of. */
function notBase64(text: string): string {
  const odd = /["'`()[\]{}<>\\“”„‘’«»…]/.exec(text)?.[0];
  const first = odd === undefined ? '' : `, with ${odd} among them`;
  return `${text.length} characters that are neither hex digits nor base64${first}`;
}

/** A hash with a label before it is not longer than this. */
const LONGEST_PART = 200;

/**
 * The problem of a line, unless its digits and those of the next lines form a SHA-256 together. Half of a SHA-256 has the length of another
 * hash.
 */
export function problemOfBroken(problem: string, [line = '', ...next]: readonly string[]): string {
  if (line.length > LONGEST_PART || !problem.includes('hex digits; a SHA-256 has 64')) return problem;
  let digits = hexIn(/(?:[0-9a-f]{2}[:\s-]?)+$/i.exec(line.trim())?.[0]);
  for (const [index, more] of next.slice(0, 3).entries()) {
    if (!/^(?:[0-9a-f]{2}[:\s-]?)+$/i.test(more.trim())) return problem;
    digits += hexIn(more);
    if (digits.length === 64)
      return `the first part of a SHA-256 that was broken over ${index + 2} lines: write its 64 hex digits on one line`;
  }
  return problem;
}

function hexIn(text = ''): string {
  return text.replace(/[^0-9a-f]/gi, '');
}

export function wrongLength(found: number, unit: string, expected: 32 | 64): string {
  const fact = `${found} ${unit}; a SHA-256 has ${expected}`;
  const other = OTHER_HASHES[(found * 64) / expected];
  return other === undefined ? fact : `${fact} (this is the length of ${other})`;
}
