import type { FileTarget } from 'certpin/probe';
import type { Io } from '../io.ts';
import type { FileContents } from './contents.ts';
import { FileError } from './file-error.ts';
import { type PasswordFlags, Passwords } from './password.ts';

/** Reads the files of one command line. On a terminal, a person is asked for their passwords. */
export class FileReader {
  readonly #io: Io;
  readonly #passwords: Passwords;
  #stdinIsRead: boolean;

  /** @param stdinIsRead the targets come from there */
  constructor(flags: PasswordFlags, io: Io, stdinIsRead = false) {
    this.#io = io;
    this.#stdinIsRead = stdinIsRead;
    this.#passwords = new Passwords(flags, io);
  }

  /** @throws FileError; Node's own error (`ENOENT`, …) if the file cannot be opened */
  async read({ path, label }: FileTarget, signal?: AbortSignal): Promise<FileContents> {
    const source = path === '-' ? this.#stdin() : path;
    // Loaded only for a file: most targets are servers.
    const [{ readBounded }, { readContents }] = await Promise.all([import('./read.ts'), import('./contents.ts')]);
    const bytes = await readBounded(source, 'certificate file', signal);
    if (bytes.length === 0) throw new FileError('it is empty');
    return readContents(bytes, label, this.#passwords);
  }

  /**
   * The pins in a file, as text that the library reads.
   *
   * @throws FileError
   */
  async readPins(bytes: Buffer, label: string): Promise<string> {
    return (await import('./pins-in.ts')).readPinText(bytes, label, this.#passwords);
  }

  #stdin(): AsyncIterable<Uint8Array> {
    if (this.#stdinIsRead) throw new FileError('standard input can be read once only');
    this.#stdinIsRead = true;
    return this.#io.stdin();
  }
}
