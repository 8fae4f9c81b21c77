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
  readonly failure: Failure;
}

/** Says why, and the next command, where there is one that tends to help. */
export function printFailure(io: Io, { command, label, failure }: FailedQuestion): void {
  printError(io, `${label === undefined ? '' : `${label}: `}${plainWords(failure)}`);
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
  } else if (label !== undefined && isPlaintext(failure) && !label.includes('://')) {
    printHint(io, `certpin get ${quote(`postgres://${label}`)}`);
  }
}

/** `postgress://`: the library says what it does not know, and what it knows. */
function meantScheme({ message }: Failure): string | undefined {
  const [, given, known] = /nothing is known of ([\w+.-]+):\/\/ \(known: (.*)\)$/.exec(message) ?? [];
  return given === undefined || known === undefined
    ? undefined
    : closest(given, known.match(/[\w+.-]+(?=:\/\/)/g) ?? []);
}

/** Node and OpenSSL speak to programmers; where a name has several addresses, Node's error has no message at all. */
const words: Record<string, string> = {
  ...fileErrorWords,
  EAI_AGAIN: 'the name server did not answer',
  ECONNREFUSED: 'connection refused: nothing listens there',
  ECONNRESET: 'the server reset the connection before TLS was established',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  ENOENT: 'no such file',
  ENOTFOUND: 'no such host, and no such file',
  ETIMEDOUT: 'the server does not answer',
};

export function plainWords(failure: Failure): string {
  const { code, message } = failure;
  if (isPlaintext(failure)) {
    return 'the server does not begin with TLS; a PostgreSQL server is named with postgres://, MySQL and MariaDB with mysql://';
  }
  const reason = /^ERR_SSL_(\w+)$/.exec(code)?.[1] ?? /SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  if (/protocol.version|unsupported.protocol/i.test(reason ?? '')) return 'the server does not offer TLS 1.2 or newer';
  if (reason !== undefined) return `the TLS handshake failed: ${reason.toLowerCase().replaceAll('_', ' ')}`;
  return words[code] ?? (message || code);
}

/** What OpenSSL makes of an answer that is not TLS; the word depends on its version. */
function isPlaintext({ code, message }: Failure): boolean {
  return /wrong.version.number|packet.length.too.long|http.request|not.ssl.record/i.test(`${code} ${message}`);
}
