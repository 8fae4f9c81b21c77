import { existsSync } from 'node:fs';
import { CertpinError, type PinSource, parsePins } from 'certpin';
import { FileError } from '../files/file-error.ts';
import type { FileReader } from '../files/file-reader.ts';
import { quote } from '../io.ts';
import { readOptionFile } from './option-file.ts';

/**
 * The values of `--pin`. A shell splits a pin with spaces (`--pin sha256 Fingerprint=AA:…`, `--pin 3 1 1 AABB…`), so the words are joined
 * again. A value with lines, with a comment, or with whole pins that contain spaces, stays a line of its own.
 *
 * @throws CertpinError `ERR_PIN_INVALID`
 */
export function readPinValues(option: string, values: readonly string[]): PinSource[] {
  if (values.length === 0) return [];
  const text = values.map((value) => (isOwnLine(value) ? `\n${value}\n` : value)).join(' ');
  const isFile = values.some((value) => FILE_NAME.test(value) || (value !== '' && existsSync(value)));
  const elsewhere = option === '--pin' ? 'with --pins-file' : `as ${option} "$(cat ca.pem)"`;
  return [checked(option, text, isFile ? `; a file is given ${elsewhere}` : '')];
}

function isOwnLine(value: string): boolean {
  return /[\n#]/.test(value) || (/\s/.test(value.trim()) && isWhole(value));
}

function isWhole(value: string): boolean {
  try {
    return parsePins(value).length > 0;
  } catch {
    return false;
  }
}

/** The name of a certificate's file, which is not a pin in any spelling. */
const FILE_NAME = /\.(?:pem|crt|cer|der|cert|p7b|p12|pfx|txt)$/i;

/**
 * The pins of a file: text with pins in any spelling and # comments, certificates, public keys and signing requests, or a container of
 * them.
 *
 * @throws CertpinError `ERR_PIN_INVALID`; `ERR_FILE_UNREADABLE` if the file cannot be opened; FileError if it cannot be read
 */
export async function readPinsFile(path: string, files: FileReader): Promise<PinSource> {
  const bytes = readOptionFile({ path, option: '--pins-file', kind: 'pins file' });
  if (bytes.length === 32) return checked(path, bytes); // Without text, the library says what is missing.
  try {
    return checked(path, await files.readPins(bytes, path));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new FileError(
      `${path}: ${error.message}`,
      error.hint?.replaceAll('FILE', () => quote(path)),
    );
  }
}

/** Each source is read alone first, so that the error says where the pin is. */
function checked(where: string, source: PinSource, advice = ''): PinSource {
  try {
    parsePins(source);
    return source;
  } catch (error) {
    if (!(error instanceof CertpinError) || error.code !== 'ERR_PIN_INVALID') throw error;
    const { details } = error as CertpinError<'ERR_PIN_INVALID'>;
    throw new CertpinError('ERR_PIN_INVALID', `${where}: ${error.message}${advice}`, details);
  }
}
