import { fileErrorWords, PinsFileError } from '@certpin/pins-file';
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
  const place = at === undefined ? '' : ` at ${at}`;
  printError(io, `${label === undefined ? '' : `${label}${place}: `}${plainWords(failure, label, at)}`);
  for (const hint of hintsFor(failure, command, label)) printHint(io, hint);
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
  if (code === 'ERR_CONNECT_TIMEOUT') return [...directTls(label), `${server} --timeout 30`];
  if (code === 'ERR_TLS_NOT_FOUND') return /answers HTTP|speaks SSH/.test(message) ? [] : [`${server} --protocol NAME`];
  return optionsIn.filter(([words]) => message.includes(words)).map(([, options]) => `${server} ${options}`);
}

/** The schemes of protocols in which the server speaks first, and the target with its port. */
const GREETED = /^(?:mysql|mariadb|smtp|lmtp|pop3|imap|ftp|nntp|sieve|vnc):\/\/([^/]+:\d+)$/;

/** No greeting comes from a server that begins with TLS: it waits for the client, however long. */
function directTls(label: string): readonly string[] {
  const [, place] = GREETED.exec(label) ?? [];
  return place === undefined ? [] : [`where the server begins with TLS: certpin get ${quote(`tls://${place}`)}`];
}

/** The library speaks of its own options; these are the command's. */
const optionsIn: readonly (readonly [words: string, options: string])[] = [
  ['demands a client certificate', '--cert client.crt --key client.key'],
  ['give it as servername', '--servername NAME'],
  ["minVersion 'TLSv1'", '--tls-min 1.0'],
];

function hintsForPin(message: string): readonly string[] {
  if (/^--(?:issuer-)?pin: .*: the set is empty$/.test(message))
    return ['is the variable set? See whether it is, and not what it holds: test -n "$DB_PINS" && echo set'];
  return [
    'a pin is 64 hex digits (certificate), or sha256/ and 44 characters of base64 (public key)',
    'certpin get server.crt',
  ];
}

/** `postgress://`: the library knows what was probably meant. */
function meantScheme({ message }: Failure): string | undefined {
  return /; did you mean ([\w+.-]+):\/\/\?/.exec(message)?.[1];
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

/** @param label what stands before the words, and `at` the address behind it: neither is told twice */
export function plainWords({ code, message }: Failure, label = '', at?: string): string {
  // What a failed handshake means, the library says, with the code behind it.
  if (message.endsWith(`(${code})`)) return message;
  const said = words[code] ?? (message || code);
  const called = calledIn(message).filter((address) => !label.endsWith(address) && !isAt(address, at));
  if (called.length > 0) return `${said} (${called.join(', ')})`;
  return code === 'ERR_CONNECT_TIMEOUT' && isBareHost(label) ? `${said} (${label}:443)` : said;
}

/** Node says which address and port it has called, and how that ended: `connect ECONNREFUSED ::1:443`. */
function calledIn(message: string): string[] {
  return [...message.matchAll(/\bconnect E[A-Z]+ ([\w.:%-]+):(\d+)(?=,| -|$)/g)].map(([, address = '', port]) =>
    address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
  );
}

/** With or without its port. */
function isAt(address: string, at: string | undefined): boolean {
  return at !== undefined && (address.startsWith(`${at}:`) || address.startsWith(`[${at}]:`));
}

/** A target without a port is asked at that of HTTPS. */
function isBareHost(label: string): boolean {
  return /^[^:/]+$/.test(label);
}

/** In the library's words. A server that was asked in every protocol in vain is another matter. */
function isPlaintext({ code, message }: Failure): boolean {
  return message === `the server does not begin with TLS (${code})`;
}
