import { PinsFileError, plainWords } from '@certpin/pins-file';
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
  const hint = hintOf(error);
  return {
    code: typeof code === 'string' ? code : 'ERR_UNKNOWN',
    message: bounded(String(message ?? error)),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** By the code too: @certpin/auth0 reads pins files with a copy of the reader of its own, and its errors are of another class. */
function hintOf(error: unknown): string | undefined {
  const { code, hint } = error as { code?: unknown; hint?: unknown };
  const isOurs = error instanceof FileError || error instanceof PinsFileError || code === 'ERR_FILE_UNREADABLE';
  return isOurs && typeof hint === 'string' ? hint : undefined;
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
  const place = at === undefined ? '' : ` at ${at}`;
  printError(io, `${label === undefined ? '' : `${label}${place}: `}${told(failure, label, at)}`);
  for (const hint of hintsFor(failure, command, label)) printHint(io, hint);
}

/** Several mistakes at once; what helps against more than one of them is said once. */
export function printFailures(io: Io, command: string, failures: readonly Failure[]): void {
  for (const failure of failures) printError(io, told(failure));
  const hints = failures.flatMap((failure) => hintsFor(failure, command, undefined));
  for (const hint of new Set(hints)) printHint(io, hint);
}

/** What the hint says is not said twice. */
function told(failure: Failure, label?: string, at?: string): string {
  const words = plainWords(failure, label, at);
  return failure.code === 'ERR_TARGET_INVALID' ? words.replace(MEANT, '') : words;
}

function hintsFor(failure: Failure, command: string, label: string | undefined): readonly string[] {
  const { code, message, hint } = failure;
  if (hint !== undefined) {
    const file = label === undefined || label === '-' ? 'FILE' : quote(label);
    return [hint.replaceAll('FILE', () => file)];
  }
  if (code === 'ERR_PIN_INVALID') return hintsForPin(message);
  if (code === 'ERR_TARGET_INVALID') {
    const scheme = meantScheme(failure);
    return [...(scheme === undefined ? [] : [`did you mean ${scheme}://?`]), `certpin help ${command}`];
  }
  const server = label === undefined ? undefined : `certpin get ${quote(label)}`;
  if (isPlaintext(failure)) {
    const database = 'a PostgreSQL server is named with postgres://, MySQL and MariaDB with mysql://';
    const asPostgres =
      label === undefined || label.includes('://') ? [] : [`certpin get ${quote(`postgres://${label}`)}`];
    return [database, ...asPostgres];
  }
  if (label === undefined || server === undefined) return [];
  if (message.startsWith('the server begins with TLS at this port')) return [asTls(label, message)];
  if (code === 'ERR_CONNECT_TIMEOUT') return [`${server} --timeout 30`];
  if (code === 'ERR_TLS_NOT_FOUND') return /answers HTTP|speaks SSH/.test(message) ? [] : [`${server} --protocol NAME`];
  return optionsIn.filter(([words]) => message.includes(words)).map(([, options]) => `${server} ${options}`.trim());
}

/** The same server, asked in TLS from the first byte; under the scheme that the message gives, or another. */
function asTls(label: string, message: string): string {
  const scheme = / ask it as ([a-z-]+):\/\//.exec(message)?.[1] ?? 'tls';
  const place = /^(?:[a-z][a-z0-9+-]*:\/\/)?(.*:\d+)$/i.exec(label)?.[1];
  return place === undefined
    ? `certpin get ${quote(label)} --protocol tls`
    : `certpin get ${quote(`${scheme}://${place}`)}`;
}

/** The library speaks of its own options; these are the command's. */
const optionsIn: readonly (readonly [words: string, options: string])[] = [
  ['demands a client certificate', '--cert client.crt --key client.key'],
  ['give it as servername', '--servername NAME'],
  ["minVersion 'TLSv1'", '--tls-min 1.0'],
  ['ask without sigalgs', ''],
];

function hintsForPin(message: string): readonly string[] {
  if (/^--(?:issuer-)?pin: .*: the set is empty$/.test(message))
    return ['is the variable set? Check it without printing its value: test -n "$DB_PINS" && echo set'];
  return [
    'a pin is 64 hex digits (certificate), or sha256/ and 44 characters of base64 (public key)',
    'certpin get server.crt',
  ];
}

/** `postgress://`: the library knows what was probably meant. */
function meantScheme({ message }: Failure): string | undefined {
  return MEANT.exec(message)?.[1];
}

const MEANT = /; did you mean ([\w+.-]+):\/\/\?/;

/** In the library's words. A server that was asked in every protocol in vain is another matter. */
function isPlaintext({ code, message }: Failure): boolean {
  return message === `the server does not begin with TLS (${code})`;
}
