import { fileErrorWords } from '@certpin/pins-file';

/** Why a file cannot be used. The message never holds what stands in the file, nor a password. */
export class FileError extends Error {
  readonly code = 'ERR_FILE_UNREADABLE';
  /** A command to paste, or the shape of what is asked for. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}

/** The password that was tried does not open what is encrypted; or the bytes are damaged, which looks the same. */
export class WrongPassword extends Error {}

/** An algorithm that certpin does not decrypt with. The message says of what; whoever knows the file knows what to do. */
export class UnsupportedAlgorithm extends Error {}

/** Why a file cannot be read, in plain words. */
export function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (error instanceof FileError) return message;
  return code === 'ENOENT' ? 'no such file' : (fileErrorWords[code] ?? message);
}
