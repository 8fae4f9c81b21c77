import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeText } from 'certpin/probe';
import { type Io, printable } from '../io.ts';
import { FileError, reasonOf, WrongPassword } from './file-error.ts';
import { readBounded } from './read.ts';

export interface PasswordFlags {
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
}

/** Where passwords come from: a file, the environment, or a person at a terminal. Never from the command line, which everybody can read. */
export class Passwords {
  readonly #flags: PasswordFlags;
  readonly #io: Io;
  /** People are asked one question at a time. */
  #asking: Promise<unknown> = Promise.resolve();

  constructor(flags: PasswordFlags, io: Io) {
    this.#flags = flags;
    this.#io = io;
  }

  /**
   * Opens what is encrypted. It tries the given password. Without one, it tries no password, as most trust stores need, and then asks for
   * one.
   *
   * @param open throws WrongPassword if it was the wrong one. undefined means no password at all
   * @throws FileError
   */
  async open<Opened>(label: string, open: (password: string | undefined) => Opened | Promise<Opened>): Promise<Opened> {
    const given = await this.#given();
    if (given !== undefined) return opened(open, given);
    for (const none of ['', undefined]) {
      try {
        return await open(none);
      } catch (error) {
        if (!(error instanceof WrongPassword)) throw error;
      }
    }
    const asked = this.#asking.then(() => this.#io.askSecret(printable(`password of ${label}: `)));
    this.#asking = asked.catch(() => undefined);
    const typed = await asked;
    if (typed === undefined) {
      throw new FileError(
        'it is encrypted, and no password was given',
        'certpin get FILE --password-file password.txt',
      );
    }
    return opened(open, typed);
  }

  async #given(): Promise<string | undefined> {
    const { passwordFile, passwordEnv } = this.#flags;
    if (passwordEnv !== undefined) {
      const password = this.#io.env[passwordEnv];
      if (password === undefined) throw new FileError('the environment variable that --password-env names is not set');
      return password;
    }
    if (passwordFile === undefined) return undefined;
    try {
      // The first line, as openssl reads `-passin file:`.
      return firstLine(decodeText(await readBounded(passwordFile, 'password file')));
    } catch (error) {
      throw new FileError(`${isPath(passwordFile) ? passwordFile : '--password-file'}: ${reasonOf(error)}`);
    }
  }
}

/** The characters that end a password in its file. */
export function firstLine(text: string): string {
  return /^.*/.exec(text)?.[0] ?? '';
}

/** Whether it may be shown: people give the password itself in the place of its file. */
function isPath(text: string): boolean {
  return (
    existsSync(text) ||
    (/[/\\]/.test(text) && existsSync(dirname(text))) ||
    /^(?![^/\\]*[@=])(?:[\w. -]*[/\\])*[\w -]+\.(?:txt|pass|passwd|password|pw|pwd|secret|key)$/i.test(text)
  );
}

async function opened<Opened>(open: (password: string) => Opened | Promise<Opened>, password: string): Promise<Opened> {
  try {
    return await open(password);
  } catch (error) {
    if (error instanceof WrongPassword) throw new FileError('the password is wrong, or the file is damaged');
    throw error;
  }
}
