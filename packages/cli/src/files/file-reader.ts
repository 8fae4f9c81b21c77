import type { FileTarget, ProbeSuccess } from 'certpin/probe';
import type { Command } from 'commander';
import { Option } from 'commander';
import { type Failure, failureOf } from '../failure.ts';
import type { Io } from '../io.ts';
import { FileError } from './file-error.ts';
import { type FileContents, inspectBytes } from './inspect.ts';
import type { KeyPin } from './key-pin.ts';
import { type PasswordFlags, Passwords } from './password.ts';
import { readBounded } from './read.ts';

/** What is known of a file without a certificate: plain JSON. Fields are added, never renamed. */
export interface KeyReport {
  readonly target: string;
  readonly protocol: 'file';
  readonly ok: true;
  readonly certificate: null;
  readonly chain: readonly [];
  /** The pin of the certificate that will be made with this key. */
  readonly publicKey: KeyPin;
}

export interface FileFailure {
  readonly target: string;
  readonly protocol: 'file';
  readonly ok: false;
  readonly error: Failure;
}

/** The options of every command that reads files. */
export function addFileOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--password-file <file>', 'a file whose first line is the password of an encrypted file').conflicts(
        'passwordEnv',
      ),
    )
    .option('--password-env <name>', 'the environment variable that holds it (default: it is asked for)');
}

/** Reads the files of one command line; a person is asked for their passwords where there is a terminal. */
export class FileReader {
  readonly #io: Io;
  readonly #passwords: Passwords;
  #stdinIsRead = false;

  constructor(flags: PasswordFlags, io: Io) {
    this.#io = io;
    this.#passwords = new Passwords(flags, io);
  }

  /** @throws FileError; Node's own error (`ENOENT`, …) where the file cannot be opened */
  async inspect({ path, label }: FileTarget): Promise<FileContents> {
    return inspectBytes(await readBounded(path === '-' ? this.#stdin() : path), label, this.#passwords);
  }

  /** As `probe` does: a failure is a report too. */
  async report(target: FileTarget): Promise<ProbeSuccess | KeyReport | FileFailure> {
    const about = { target: target.label, protocol: 'file' } as const;
    try {
      const { certificates, key } = await this.inspect(target);
      if (key !== undefined) return { ...about, ok: true, certificate: null, chain: [], publicKey: key };
      const chain = certificates.map((certificate) => certificate.toJSON());
      const [certificate] = chain;
      if (certificate === undefined) throw new FileError('there is no certificate in it');
      return { ...about, ok: true, certificate, chain };
    } catch (error) {
      return { ...about, ok: false, error: failureOf(error) };
    }
  }

  #stdin(): AsyncIterable<Uint8Array> {
    if (this.#stdinIsRead) throw new FileError('standard input can be read once only');
    this.#stdinIsRead = true;
    return this.#io.stdin();
  }
}
