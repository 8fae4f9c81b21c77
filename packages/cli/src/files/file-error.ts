import { fileErrorWords } from '@certpin/pins-file';

/** Why a file cannot be used. The message never contains anything from the file, nor a password. */
export class FileError extends Error {
  readonly code = 'ERR_FILE_UNREADABLE';
  /** A command to paste, or the form of what is asked for. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}

/** The password does not open what is encrypted, or the bytes are damaged, which looks the same. */
export class WrongPassword extends Error {}

/** An algorithm with which certpin cannot decrypt. The message says of what. The caller knows the file, and adds what to do. */
export class UnsupportedAlgorithm extends Error {}

/** Why a file cannot be read, in plain words. */
export function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (error instanceof FileError) return message;
  return code === 'ENOENT' ? 'no such file' : (fileErrorWords[code] ?? message);
}
