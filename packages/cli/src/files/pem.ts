import { findPem } from 'certpin/probe';
import { FileError } from './file-error.ts';

export interface PemBlock {
  readonly label: string;
  /** The block with its first and last line. */
  readonly text: string;
  readonly der: Buffer;
}

/**
 * The PEM blocks of a text. If OpenSSL would find none, also blocks that a configuration has put on one line or into quotes.
 *
 * @throws FileError if a block is cut, or is not base64
 */
export function readPem(text: string): PemBlock[] {
  const blocks = findPem(text).map(({ label, text: block, body }) => {
    if (body === undefined)
      throw new FileError(`it is cut: BEGIN ${label} has no END`, 'copy the file again, from BEGIN to END');
    return { label, text: block, der: decode(label, body) };
  });
  if (blocks.length > 0) return blocks;
  const quoted = readQuoted(text);
  if (quoted.length === 0 && /^-----BEGIN [^\n-]*$/.test(text.trim()))
    throw new FileError('a PEM block in it is cut directly after its BEGIN line');
  return quoted;
}

function decode(label: string, body: string): Buffer {
  // RFC 1421 §4.6: header lines (`Proc-Type: 4,ENCRYPTED`), followed by a blank line. The ASCII armor of PGP has a checksum (`=…`).
  const base64 = body
    .trimStart()
    .replace(/^(?:[\w-]+:.*\n)+(?:[ \t].*\n)*\n/, '')
    .replace(/\s+/g, '');
  if (!label.startsWith('PGP') && !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw new FileError(`it is damaged: the text between BEGIN ${label} and END is not base64`);
  }
  return Buffer.from(base64, 'base64');
}

/** A boundary in a line with other text. */
const BOUNDARY = /-----(BEGIN|END) ([\w #.-]{1,60}?)-----/g;

/**
 * `{"cert": "-----BEGIN CERTIFICATE-----\nMII…`, `DB_CA="-----BEGIN …`, `<cert>-----BEGIN …`: blocks whose line ends may be spaces or the
 * two characters `\n`. A commented line contains no block, and neither does a sentence that names the boundaries.
 */
function readQuoted(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly index: number; readonly body: number } | undefined;
  for (const { 0: boundary, 1: word, 2: label = '', index } of text.matchAll(BOUNDARY)) {
    if (word === 'END' && open?.label === label) {
      const body = text.slice(open.body, index);
      const base64 = body.replace(/\\[rn]|\s/g, '').replaceAll('\\/', '/');
      if (base64.length > 40 && /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && !isComment(text, open.index)) {
        const lines = base64.match(/.{1,64}/g) ?? [];
        const block = [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
        blocks.push({ label, text: block, der: Buffer.from(base64, 'base64') });
      }
    }
    open = word === 'BEGIN' ? { label, index, body: index + boundary.length } : undefined;
  }
  return blocks;
}

function isComment(text: string, index: number): boolean {
  const start = text.lastIndexOf('\n', index - 1) + 1;
  return /^\s*(?:#|\/\/|--\s|;|\*|<!--|%|rem\b)/i.test(text.slice(start, Math.min(index, start + 200)));
}
