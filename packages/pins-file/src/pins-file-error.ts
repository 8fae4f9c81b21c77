/**
 * Why a pins file cannot be used. The message begins with the name of the file. It never contains anything from the file, because people
 * paste passwords.
 */
export class PinsFileError extends Error {
  readonly code = 'ERR_FILE_UNREADABLE';
  /** A command to paste. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}

/** By Node's code: Node's own messages are for programmers. */
export const fileErrorWords: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EFBIG: 'the file would become larger than it may',
  EISDIR: 'it is a directory',
  ELOOP: 'its links lead in a circle',
  ENOSPC: 'no space is left on the disk',
  EROFS: 'the file system is read-only',
};
