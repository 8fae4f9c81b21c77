import { asSha256, type Pin, pinOf } from '../leaf/pin.ts';
import { readPin, SPELLINGS, type Spelling } from '../leaf/pin-text.ts';
import {
  isWord,
  namesItsSpelling,
  problemOf,
  problemOfAlgorithm,
  problemOfHex,
  TWO_MEANINGS,
  wrongLength,
} from './pin-problem.ts';

/** The content of a line: its pins, up to the first that cannot be read. */
export interface LineOfPins {
  readonly pins: readonly Pin[];
  readonly problem?: string | undefined;
}

/**
 * RFC 7469 (`pin-sha256="…"`), bare base64, and RFC 6698 §2.1: certificate usage, selector, matching type, data. Pairs with colons mean a
 * certificate: no tool prints the hash of a key like that.
 */
const spellings: readonly Spelling[] = [
  ...SPELLINGS,
  [/^sha-?256[:=]((?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/i, 'certificate', 'hex'],
  [/^[Pp][Ii][Nn]-[Ss][Hh][Aa]-?256[=:]"?([\w+/-]{42}[048AEIMQUYcgkosw])={0,2}"?$/, 'public-key', 'base64'],
  [/^([\w+/-]{42}[048AEIMQUYcgkosw])={0,2}$/, 'public-key', 'base64'],
  [/^3\s+0\s+1\s+([0-9a-f]{56}\s*[0-9a-f]{8})$/i, 'certificate', 'hex'],
  [/^3\s+1\s+1\s+([0-9a-f]{56}\s*[0-9a-f]{8})$/i, 'public-key', 'hex'],
];

/**
 * Spellings that contain whitespace are matched first, as a whole. Then comes whatever stands between separators. Hex in a TLSA record may
 * contain whitespace (RFC 6698 §2.2): `dig` breaks it after 56 digits.
 */
const TOKEN =
  /\b\d{1,3}[ \t]+\d{1,3}[ \t]+\d{1,3}[ \t]+(?:[0-9a-f]{56}[ \t]+[0-9a-f]{8}|[0-9a-f]+)(?![^\s,;])|\b[a-z0-9-]+[ \t]+fingerprint[ \t]*=[ \t]*[^\s,;]+|[^\s,;]+/gi;

/** No line around one hash is longer than this. A longer line is a list that contains only pins and separators. */
const LONGEST = 4_096;

/**
 * Reads a line. First it is read as a list of pins, as a pasted block reads it. Only if that fails, it is searched for what tools and
 * configurations write around a hash. So the two never read one text as two different pins.
 */
export function readLine(line: string): LineOfPins {
  const list = readList(line);
  return list.problem === undefined || line.length > LONGEST
    ? list
    : (readAround(line.replace(/[^\S\t]/g, ' ').trim(), 0) ?? list);
}

function readList(line: string): LineOfPins {
  const pins: Pin[] = [];
  for (const [token] of line.matchAll(TOKEN)) {
    const pin = readPin(token, spellings);
    if (pin === undefined) return { pins, problem: problemOf(token, token === line.trim()) };
    pins.push(pin);
  }
  return { pins };
}

/**
 * What may stand before a pin without a meaning for it. It is a list marker, the owner of a DNS record, a sign of hex, or the name of a
 * header or an option.
 */
const PREFIXES = [
  /^[-*•]\s+/,
  /^(?:[\w.*-]+\s+)?(?:\d+\s+)?(?:IN\s+)?TLSA\s+(?=\d)/i,
  /^public-key-pins(?:-report-only)?:\s*/i,
  /^--pinnedpubkey[ =]+/,
  /^0x(?=[0-9a-f]{64}$)/i,
];

/** What RFC 7469 §2.1 writes beside the pins. */
const DIRECTIVE = /^(?:max-age="?\d+"?|includeSubDomains|report-uri="[^"]*")$/i;

/** Quotes, a name, a label, pairs with spaces, or a list of such. */
function readAround(given: string, depth: number): LineOfPins | undefined {
  if (depth > 8 || given.startsWith('-----') || isOneToken(given)) return undefined;
  const text = PREFIXES.reduce((rest, prefix) => rest.replace(prefix, ''), given).replace(/\s*[,;]\s*$/, '');
  const within = (inner: string): LineOfPins => {
    const list = readList(inner);
    return list.problem === undefined ? list : (readAround(inner.trim(), depth + 1) ?? list);
  };
  const inner = unquoted(text) ?? bracketed(text);
  if (inner !== undefined) return within(inner.replaceAll('\\/', '/'));
  const [, usage, data] = /^(\d+\s+\d+\s+\d+)\s+\(([0-9a-f\s]+)\)$/i.exec(text) ?? [];
  // A zone file puts what it breaks into parts between round brackets (RFC 1035 §5.1).
  if (data !== undefined) return within(`${usage} ${data.replace(/\s/g, '')}`);
  const known =
    readToolOutput(text) ?? readLabelled(text) ?? readGroups(text.replace(SOURCE_PAIR, ' $1').trim(), 'certificate');
  if (known !== undefined) return known;
  const { name, value } = ASSIGNMENT.exec(text)?.groups ?? {};
  if (value !== undefined && isName(name)) {
    const found = within(value);
    // A name may say that the hash is of a key; bare digits say that it is of a certificate.
    const isDoubtful = /key|spki/i.test(name ?? '') && found.pins.some(({ kind }) => kind === 'certificate');
    return isDoubtful ? { pins: [], problem: TWO_MEANINGS } : found;
  }
  const listed = split(text, /[,;]/);
  if (listed.length > 1)
    return readParts(
      listed.filter((part) => !DIRECTIVE.test(part)),
      within,
    );
  const words = /["'`“„‘«]/.test(text)
    ? split(text, /\s/)
    : (text.replace(PAIRS, (pairs) => pairs.replace(/\s+/g, ':')).match(TOKEN) ?? []);
  // In a list with others, hex digits may be a word: CA, face.
  const readWord = (word: string): LineOfPins =>
    isWord(word) ? { pins: [], problem: problemOf(word, false) } : within(word);
  if (words.length > 1) return readParts(words, readWord);
  return text === given ? undefined : within(text);
}

/** A pair as programs write it: `0xAA, `, `\\xAA`. */
const SOURCE_PAIR = /(?:(?<![^\s,])0x|\\x)([0-9a-f]{2})(?![0-9a-f])[\s,]*/gi;

/** Pairs among other pins. */
const PAIRS = /(?<![^\s])[0-9a-f]{2}(?:[ \t]+[0-9a-f]{2}){3,}(?![^\s])/gi;

function isOneToken(text: string): boolean {
  return namesItsSpelling(text) && text.match(TOKEN)?.[0] === text;
}

function readParts(parts: readonly string[], read: (part: string) => LineOfPins): LineOfPins {
  const pins: Pin[] = [];
  for (const part of parts) {
    const found = read(part);
    pins.push(...found.pins);
    if (found.problem !== undefined) return { pins, problem: found.problem };
  }
  return { pins };
}

const QUOTES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '“': '”',
  '„': '“',
  '‘': '’',
  '«': '»',
};

/** The text between matching quotes. A configuration may have escaped the quotes. */
function unquoted(text: string): string | undefined {
  const plain = text.replace(/^\\(?=["'])/, '').replace(/\\(["'])$/, '$1');
  const close = QUOTES[plain[0] ?? ''];
  if (close === undefined || plain.length < 2 || !plain.endsWith(close)) return undefined;
  const inner = plain.slice(1, -1);
  return inner.includes(plain[0] as string) || inner.includes(close) ? undefined : inner;
}

function bracketed(text: string): string | undefined {
  return text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : undefined;
}

/** Separators inside quotes separate nothing. */
function split(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let part = '';
  let close: string | undefined;
  for (const character of text) {
    if (close === undefined && separator.test(character)) {
      parts.push(part);
      part = '';
      continue;
    }
    part += character;
    close = close === undefined ? QUOTES[character] : character === close ? undefined : close;
  }
  return [...parts, part].map((one) => one.trim()).filter((one) => one !== '');
}

/** `DB_PINS=…`, `export DB_PINS="…"`, `$env:DB_PINS = "…"`, `pins: […]`, `"pins": […]`. */
const ASSIGNMENT =
  /^(?:(?:export|set|setx|env|arg|const|let)\s+)?(?:\$env:)?["']?(?<name>[A-Za-z_][\w.-]{0,39})["']?(?:\s*:\s*|\s+=\s+|=(?![=\s]))(?<value>\S.*)$/i;

const ASSIGNMENT_OF_LINES = new RegExp(ASSIGNMENT, 'is');

/** The name of a variable or a setting for pins. A hash that was cut is not such a name, nor is the name of an algorithm. */
function isName(name = ''): boolean {
  if (/^(?:sha|md)-?\d+$/i.test(name)) return false;
  return /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(name) || /pin|fingerprint|thumbprint|sha_?256|cert/i.test(name);
}

/** The text without the name of a variable at its end: the value comes in the next part. */
export function withoutName(text: string): string {
  const { index, groups } = /(?:^|\n)[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z_]\w{0,39})=$/.exec(text.slice(-60)) ?? {};
  return index === undefined || !isName(groups?.name) ? text : text.slice(0, Math.max(0, text.length - 60) + index);
}

/** The text without what surrounds all of it: the brackets of a list, quotes, the name of a variable. */
export function unwrapped(text: string): string {
  const trimmed = text.trim();
  const { name, value = trimmed } = trimmed.includes('\n') ? (ASSIGNMENT_OF_LINES.exec(trimmed)?.groups ?? {}) : {};
  const inner = bracketed(value) ?? (value.includes('\n') ? unquoted(value) : undefined);
  return inner === undefined || (name !== undefined && !isName(name)) || /key|spki/i.test(name ?? '') ? text : inner;
}

/** The output of tools that print a SHA-256 without saying of what. */
function readToolOutput(text: string): LineOfPins | undefined {
  const refused = (problem: string): LineOfPins => ({ pins: [], problem });
  if (/^(?:sha2?-?256)? ?\([^()]*\) ?= ?(?:[0-9a-f]{64}|(?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/i.test(text))
    return refused(`the output of a tool that hashes files: ${TWO_MEANINGS}`);
  if (/^[0-9a-f]{64} [ *](?:-|\S*[./]\S*)$/i.test(text))
    return refused(`the output of a tool that hashes files: ${TWO_MEANINGS}`);
  if (/^sha-?256\s+[0-9a-f]{64}(?:\s|$)/i.test(text)) return refused(TWO_MEANINGS);
  if (/^\d{3,5} SHA256:[A-Za-z0-9+/]{43} /.test(text)) return refused(problemOf(text.split(' ')[1] ?? ''));
  return undefined;
}

/** The words that labels consist of, and what stands between them and the hash. `sha256:` directly before a hash is a spelling of a pin. */
const LABEL =
  /^(?:(?:(?:certificates?|cert|fingerprints?|thumbprint|hash|digest|public[ -]key|spki|id|pins?|with colons)(?=[\s:=()|]|$)|(?:sha|md)\d?-?\d{1,3}(?=[\s()|]|[:=](?:\s|$)|$))[\s:=()|]*)+/i;

/** `Certificate fingerprint (SHA-256): AA:…`, `SHA256: AA:…`, `Public key sha256/…`. */
function readLabelled(text: string): LineOfPins | undefined {
  const [label = ''] = LABEL.exec(text) ?? [];
  if (!/[\s:=)|]$/.test(label) || /^pins?[\s:=]+$/i.test(label)) return undefined;
  const value = text.slice(label.length).trim();
  const refused = (problem: string): LineOfPins => ({ pins: [], problem });
  const algorithm = /(?:sha|md)\d?-?\d{1,3}/i.exec(label)?.[0];
  if (algorithm !== undefined && !/^sha2?-?256$/i.test(algorithm)) return refused(problemOfAlgorithm(algorithm));
  if (value === '') return refused('a label without a pin');
  const isKey = /public|spki/i.test(label);
  const isCertificate = /cert|fingerprint|thumbprint|hash|colons/i.test(label);
  if (isKey && /cert/i.test(label)) return refused(TWO_MEANINGS);
  const quoted = unquoted(value) ?? value;
  const kind = isKey ? 'public-key' : 'certificate';
  if (/^[0-9a-f]{64}$/i.test(quoted)) {
    return isKey || isCertificate ? { pins: [pinOf(kind, asSha256(quoted.toUpperCase()))] } : refused(TWO_MEANINGS);
  }
  const groups = readGroups(quoted, kind);
  if (groups !== undefined) return groups;
  const { pins, problem } = readList(quoted);
  if (problem !== undefined) return /[\s,;]/.test(quoted) ? undefined : refused(problem);
  const fits = pins.every((pin) => (isKey ? pin.kind === 'public-key' : isCertificate && pin.kind === 'certificate'));
  return fits ? { pins } : refused(TWO_MEANINGS);
}

/** The digits in groups of one length, as certificate viewers and keychains show them: `AA BB …`, `AA-BB-…`, `AABB CCDD …`. */
function readGroups(text: string, kind: Pin['kind']): LineOfPins | undefined {
  const plain = text.replace(/:\s+(?=[0-9a-f])/gi, ':');
  const [, first = '', separator = ''] = /^([0-9a-f]+)([ \t]+|[:.-])[0-9a-f]/i.exec(plain) ?? [];
  if (separator === '' || first.length % 2 !== 0) return undefined;
  const groups = plain.split(separator.trim() === '' ? /[ \t]+/ : separator);
  if (!groups.every((group) => /^[0-9a-f]+$/i.test(group))) return undefined;
  const digits = groups.join('');
  const isEven = groups.every(({ length }) => length === first.length);
  // Words that consist of hex digits by chance are not a hash.
  if (!isEven || first.length > 32) return separator === ':' ? { pins: [], problem: problemOfHex(text) } : undefined;
  if (digits.length === 64) return { pins: [pinOf(kind, asSha256(digits.toUpperCase()))] };
  return groups.length < 4 ? undefined : { pins: [], problem: wrongLength(digits.length, 'hex digits', 64) };
}

/** The lines of a text. A label continues on the next line, and so do pairs that a viewer has broken into lines of one length. */
export function toLines(text: string): string[] {
  const lines: string[] = [];
  let open: string | undefined;
  for (const line of text.split(/\r\n?|\n/)) {
    if (line.trim() === '') continue;
    const joined: string = open === undefined ? line : `${open} ${line.trim()}`;
    open = undefined;
    if (goesOn(joined)) open = joined;
    else lines.push(joined);
  }
  return open === undefined ? lines : [...lines, open];
}

function goesOn(line: string): boolean {
  if (line.length > 400) return false;
  const text = line.trim();
  const [label = ''] = LABEL.exec(`${text} `) ?? [];
  const rest = `${text} `.slice(label.length).trim();
  if (rest === '') return true;
  const groups = rest.split(/[\s:-]+/).filter((group) => group !== '');
  if (!groups.every((group) => /^[0-9a-f]{2}$/i.test(group))) return false;
  return groups.length < 32 && ([4, 8, 16, 24].includes(groups.length) || rest.endsWith(':'));
}
