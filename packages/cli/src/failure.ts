import { closest, fileErrorWords, PinsFileError } from '@certpin/pins-file';
import type { ProbeFailure } from 'certpin/probe';
import { FileError } from './files/file-error.ts';
import { bounded, type Io, printError, printHint, quote } from './io.ts';

/** Why a question could not be asked: plain JSON, the `error` of a report. */
export type Failure = ProbeFailure['error'] & { readonly hint?: string };

/** A mistake in the command line that commander does not look for. */
export class UsageError extends Error {
  /** The command whose help tells more. */
  readonly command: string;

  constructor(message: string, command: string) {
    super(message);
    this.command = command;
  }
}

/** What is left of an exception: its code and its message, never its properties. */
export function failureOf(error: unknown): Failure {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const hint = error instanceof FileError || error instanceof PinsFileError ? error.hint : undefined;
  return {
    code: typeof code === 'string' ? code : 'ERR_UNKNOWN',
    message: bounded(String(message ?? error)),
    ...(hint === undefined ? {} : { hint }),
  };
}

export interface FailedQuestion {
  readonly command: string;
  /** What it is about, as it may be shown; undefined: there is only the message. */
  readonly label: string | undefined;
  /** Which address of it. */
  readonly at?: string | undefined;
  readonly failure: Failure;
}

/** Says why, and the next command, where there is one that tends to help. */
export function printFailure(io: Io, { command, label, at, failure }: FailedQuestion): void {
  printError(
    io,
    `${label === undefined ? '' : `${label}${at === undefined ? '' : ` at ${at}`}: `}${plainWords(failure)}`,
  );
  if (failure.hint !== undefined) {
    const file = label === undefined || label === '-' ? 'FILE' : quote(label);
    printHint(
      io,
      failure.hint.replaceAll('FILE', () => file),
    );
  } else if (failure.code === 'ERR_PIN_INVALID') {
    printHint(io, 'a pin is 64 hex digits (certificate), or sha256/ and 44 characters of base64 (public key)');
    printHint(io, 'certpin get server.crt');
  } else if (failure.code === 'ERR_TARGET_INVALID') {
    const scheme = meantScheme(failure);
    if (scheme !== undefined) printHint(io, `did you mean ${scheme}://?`);
    printHint(io, `certpin help ${command}`);
  } else if (label !== undefined && failure.code === 'ERR_CONNECT_TIMEOUT') {
    printHint(io, `certpin get ${quote(label)} --timeout 30`);
  } else if (isPlaintext(failure)) {
    printHint(io, 'a PostgreSQL server is named with postgres://, MySQL and MariaDB with mysql://');
    if (label !== undefined && !label.includes('://')) printHint(io, `certpin get ${quote(`postgres://${label}`)}`);
  } else if (label !== undefined && failure.code === 'ERR_TLS_NOT_FOUND') {
    printHint(io, `certpin get ${quote(label)} --protocol NAME`);
  } else if (label !== undefined && failure.message.includes(`minVersion 'TLSv1'`)) {
    printHint(io, `certpin get ${quote(label)} --tls-min 1.0`);
  }
}

/** `postgress://`: the library says what it does not know, and what it knows. */
function meantScheme({ message }: Failure): string | undefined {
  const [, given, known] = /nothing is known of ([\w+.-]+):\/\/ \(known: (.*)\)$/.exec(message) ?? [];
  return given === undefined || known === undefined
    ? undefined
    : closest(given, known.match(/[\w+.-]+(?=:\/\/)/g) ?? []);
}

/** Node speaks to programmers; where a name has several addresses, its error has no message at all. */
const words: Record<string, string> = {
  ...fileErrorWords,
  EAI_AGAIN: 'the name server did not answer',
  ECONNREFUSED: 'connection refused: nothing listens there',
  ECONNRESET: 'the server reset the connection',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  ENOENT: 'no such file',
  ENOTFOUND: 'no such host, and no such file',
  ETIMEDOUT: 'the server does not answer',
};

export function plainWords({ code, message }: Failure): string {
  // What a failed handshake means, the library says, with the code behind it.
  if (message.endsWith(`(${code})`)) return message;
  return words[code] ?? (message || code);
}

/** In the library's words. A server that was asked in every protocol in vain is another matter. */
function isPlaintext({ code, message }: Failure): boolean {
  return message === `the server does not begin with TLS (${code})`;
}
