import { existsSync } from 'node:fs';
import { CertpinError, type PinSource, parsePins } from 'certpin';
import { failureOf, plainWords } from '../failure.ts';
import { readBoundedSync } from '../files/read.ts';
import { showPath } from './target.ts';

/**
 * The values of `--pin`.. A shell takes a pin with spaces apart (`--pin sha256 Fingerprint=AA:…`, `--pin 3 1 1 AABB…`), so the words
 * are put together again; a value that holds lines or a comment stays a line of its own.
 *
 * @throws CertpinError `ERR_PIN_INVALID`
 */
export function readPinValues(option: string, values: readonly string[]): PinSource[] {
  if (values.length === 0) return [];
  const text = values.map((value) => (/[\n#]/.test(value) ? `\n${value}\n` : value)).join(' ');
  const isFile = values.some((value) => FILE_NAME.test(value) || (value !== '' && existsSync(value)));
  const elsewhere = option === '--pin' ? 'with --pins-file' : `as ${option} "$(cat ca.pem)"`;
  return [checked(option, text, isFile ? `; a file is given ${elsewhere}` : '')];
}

/** The name of a certificate's file, which is no pin in any spelling. */
const FILE_NAME = /\.(?:pem|crt|cer|der|cert|p7b|p12|pfx|txt)$/i;

/**
 * The pins of a file: text with pins in any spelling and # comments, or a certificate (PEM, DER).
 *
 * @throws CertpinError `ERR_PIN_INVALID`; `ERR_FILE_UNREADABLE` where the file cannot be opened
 */
export function readPinsFile(path: string): PinSource {
  let bytes: Uint8Array;
  try {
    bytes = readBoundedSync(path, 'pins file');
  } catch (error) {
    const reason = plainWords(failureOf(error));
    throw new CertpinError(
      'ERR_FILE_UNREADABLE',
      `${showPath(path, '--pins-file')}: ${reason}`,
      { reason },
      { cause: error },
    );
  }
  return checked(path, bytes);
}

/** Each source is read on its own first, so that the error says where the pin stands. */
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
