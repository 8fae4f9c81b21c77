import { FileError } from './file-error.ts';

export interface PemBlock {
  readonly label: string;
  /** The block with its first and last line. */
  readonly text: string;
  readonly der: Buffer;
}

/**
 * The PEM blocks of a text, with whatever stands around them passed over (RFC 7468 §2, §5.2).
 *
 * @throws FileError where a block is cut, or is not base64
 */
export function readPem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  // Line by line with indexOf, not with one expression: a file of many beginnings and no end is read once only.
  for (let start = text.indexOf(BEGIN); start !== -1; ) {
    const dashes = text.indexOf('-----', start + BEGIN.length);
    const label = text.slice(start + BEGIN.length, dashes === -1 ? undefined : dashes);
    if (dashes === -1 || !/^[\w #.-]{1,60}$/.test(label))
      throw new FileError('a PEM block in it begins and is cut at once');
    const next = text.indexOf(BEGIN, dashes);
    const end = text.indexOf(`-----END ${label}-----`, dashes);
    if (end === -1 || (next !== -1 && next < end)) {
      throw new FileError(`it is cut: BEGIN ${label} has no END`, 'copy the file again, from BEGIN to END');
    }
    const body = text.slice(dashes + 5, end).trimStart();
    blocks.push({ label, text: text.slice(start, end + `-----END ${label}-----`.length), der: decode(label, body) });
    start = next;
  }
  return blocks;
}

const BEGIN = '-----BEGIN ';

function decode(label: string, body: string): Buffer {
  // RFC 1421 §4.6: header lines (`Proc-Type: 4,ENCRYPTED`), and a blank line behind them. An ASCII armor of PGP has a checksum (`=…`).
  const base64 = body.replace(/^(?:[\w-]+:.*\n)+(?:[ \t].*\n)*\n/, '').replace(/\s+/g, '');
  if (!label.startsWith('PGP') && !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw new FileError(`it is damaged: what stands between BEGIN ${label} and END is not base64`);
  }
  return Buffer.from(base64, 'base64');
}

/** The text of a file: UTF-8, or the UTF-16 that Windows makes of a redirected output, without its byte order mark; lines end in LF. */
export function decodeText(bytes: Buffer): string {
  return decodeUnicode(bytes).replace(/\r\n?/g, '\n');
}

function decodeUnicode(bytes: Buffer): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || second === 0) return new TextDecoder('utf-16le').decode(bytes);
  if ((first === 0xfe && second === 0xff) || first === 0) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder().decode(bytes);
}
