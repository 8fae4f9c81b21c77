import { PinsFileError, plainWords } from '@certpin/pins-file';
import type { ProbeFailure } from 'certpin/probe';
import { FileError } from './files/file-error.ts';
import { bounded, type Io, printError, printHint, quote } from './io.ts';

/** Why a question could not be asked: plain JSON, the `error` of a report. */
export type Failure = ProbeFailure['error'] & { readonly hint?: string };

/** A mistake in the command line that commander does not check. */
export class UsageError extends Error {
  /** The command whose help says more. */
  readonly command: string;

  constructor(message: string, command: string) {
    super(message);
    this.command = command;
  }
}

/** What is kept of an exception: its code and its message, never its properties. */
export function failureOf(error: unknown): Failure {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const hint = hintOf(error);
  return {
    code: typeof code === 'string' ? code : 'ERR_UNKNOWN',
    message: bounded(String(message ?? error)),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Also by its code: @certpin/auth0 has its own copy of the reader of pins files, with another class of errors. */
function hintOf(error: unknown): string | undefined {
  const { code, hint } = error as { code?: unknown; hint?: unknown };
  const isOurs = error instanceof FileError || error instanceof PinsFileError || code === 'ERR_FILE_UNREADABLE';
  return isOurs && typeof hint === 'string' ? hint : undefined;
}

export interface FailedQuestion {
  readonly command: string;
  /** What it is about, in a form that may be shown. undefined: there is only the message. */
  readonly label: string | undefined;
  /** Which address of it. */
  readonly at?: string | undefined;
  readonly failure: Failure;
}

/** Says why, and the next command, if one usually helps. */
export function printFailure(io: Io, { command, label, at, failure }: FailedQuestion): void {
  const place = at === undefined ? '' : ` at ${at}`;
  printError(io, `${label === undefined ? '' : `${label}${place}: `}${told(failure, label, at)}`);
  for (const hint of hintsFor(failure, command, label)) printHint(io, hint);
}

/** Several mistakes at once. A hint that helps against more than one of them is printed once. */
export function printFailures(io: Io, command: string, failures: readonly Failure[]): void {
  for (const failure of failures) printError(io, told(failure));
  const hints = failures.flatMap((failure) => hintsFor(failure, command, undefined));
  for (const hint of new Set(hints)) printHint(io, hint);
}

/** Removes what the hint repeats. */
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

/** The same server, asked in TLS from the first byte, with the scheme from the message or another one. */
function asTls(label: string, message: string): string {
  const scheme = / ask it as ([a-z-]+):\/\//.exec(message)?.[1] ?? 'tls';
  const place = /^(?:[a-z][a-z0-9+-]*:\/\/)?(.*:\d+)$/i.exec(label)?.[1];
  return place === undefined
    ? `certpin get ${quote(label)} --protocol tls`
    : `certpin get ${quote(`${scheme}://${place}`)}`;
}

/** The library names its own options. These are the command's. */
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

/** In the library's words. If a server was asked in every protocol without success, this does not apply. */
function isPlaintext({ code, message }: Failure): boolean {
  return message === `the server does not begin with TLS (${code})`;
}
