import { plainWords } from '@certpin/pins-file';
import { CertpinError } from 'certpin';
import { decodeText } from 'certpin/probe';
import { failureOf } from '../failure.ts';
import { type FileKind, readBoundedSync } from '../files/read.ts';
import { showPath } from './target.ts';

/** A file that an option names. */
export interface OptionFile {
  readonly path: string;
  /** `--pins-file`. It is shown in place of the path, if the path may be a login in the wrong place. */
  readonly option: string;
  readonly kind: FileKind;
}

/** @throws CertpinError `ERR_FILE_UNREADABLE`: `PATH: no such file` */
export function readOptionFile({ path, option, kind }: OptionFile): Buffer {
  try {
    return readBoundedSync(path, kind);
  } catch (error) {
    const reason = plainWords(failureOf(error));
    const message = `${showPath(path, option)}: ${reason}`;
    throw new CertpinError('ERR_FILE_UNREADABLE', message, { reason }, { cause: error });
  }
}

/**
 * The text of such a file, in UTF-8 or UTF-16.
 *
 * @throws as {@link readOptionFile}
 */
export function readOptionText(file: OptionFile): string {
  return decodeText(readOptionFile(file));
}
