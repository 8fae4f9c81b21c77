/**
 * How certpin speaks. Only the functions in this file write.
 *
 * - stdout carries answers only, so that it can be piped: text for people, or one JSON value on each line.
 * - stderr carries `certpin: error: …` and `certpin: hint: …`: lower case, without a final period. A hint is a command to paste, or the
 *   form of what is asked for.
 * - stderr carries `certpin: summary: …` after a list of targets, and `certpin: warning: …`, which changes no exit code.
 * - Progress goes to stderr, only on a terminal, and leaves nothing behind. Colours are used only on a terminal, and not under NO_COLOR.
 * - Nothing that may hold a password is given to them: see target.ts.
 */
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import type { ResolveSrv } from 'certpin/probe';
import pc from 'picocolors';

/** The outside world, as far as the commands know it. */
export interface Io {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Columns of the terminal behind stdout. undefined: stdout is not a terminal. */
  readonly stdoutWidth?: () => number | undefined;
  /** What is piped in. */
  readonly stdin: () => Readable;
  /** Asks a person, without echo. undefined: there is no terminal. */
  readonly askSecret: (prompt: string) => Promise<string | undefined>;
  /** Asks a person for a yes. undefined: there is no terminal. */
  readonly confirm: (question: string) => Promise<boolean | undefined>;
  /** Asks a person for more than a secret. undefined: stdin or stderr is not a terminal. */
  readonly questions?: (() => Promise<Questions>) | undefined;
  /** Whether the reader of stdout has gone: `certpin get … | head -1`. */
  readonly stdoutClosed: () => boolean;
  /** Waits while the reader of stdout is slower than the answers. */
  readonly stdoutReady: () => Promise<void>;
  /** Calls back at the first Ctrl-C instead of ending the process. A second Ctrl-C ends it. The returned function removes the callback. */
  readonly onInterrupt: (stop: () => void) => () => void;
  /** Calls back at each such signal instead of ending the process. The returned function removes the callback. */
  readonly onSignal?: (name: 'SIGTERM' | 'SIGHUP', call: () => void) => () => void;
  /** How names are looked up. Default: as the system does. */
  readonly lookup?: LookupFunction | undefined;
  /** How SRV records are looked up. Default: as the system does. */
  readonly resolveSrv?: ResolveSrv | undefined;
  /** How a tenant is called. Default: as Node does. No environment variable can redirect it. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a person is asked on a terminal: the parts of @inquirer/prompts that are used. */
export interface Questions {
  readonly select: <Value extends string>(question: {
    readonly message: string;
    readonly choices: readonly { readonly name: string; readonly value: Value }[];
  }) => Promise<Value>;
  readonly checkbox: (question: {
    readonly message: string;
    readonly required: boolean;
    readonly pageSize: number;
    readonly choices: readonly { readonly name: string; readonly value: string; readonly checked: boolean }[];
  }) => Promise<string[]>;
  readonly input: (question: {
    readonly message: string;
    readonly default?: string;
    readonly validate?: (answer: string) => string | true;
  }) => Promise<string>;
  readonly confirm: (question: { readonly message: string; readonly default: boolean }) => Promise<boolean>;
}

export type Colors = ReturnType<typeof pc.createColors>;

/** 0: done, the pin holds. 1: the answer is no. 2: the question could not be asked. 130: interrupted (128 and the number of SIGINT). */
export type ExitCode = 0 | 1 | 2 | 130;

export function printText(io: Io, text: string): void {
  io.stdout(`${text}\n`);
}

/** Escapes what a terminal or a reader of lines would take for a command or a line end. The value stays the same. */
export function printJson(io: Io, value: unknown): void {
  const text = JSON.stringify(value).replace(INVISIBLE, (character) =>
    character.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
  io.stdout(`${text}\n`);
}

/** A row of a table; RFC 4180 §2 ends it with CRLF. */
export function printCsv(io: Io, row: string): void {
  io.stdout(`${row}\r\n`);
}

export function printError(io: Io, message: string): void {
  const { red } = pc.createColors(io.stderrIsTerminal && allowsEscapes(io));
  io.stderr(`certpin: ${red('error:')} ${printable(message)}\n`);
}

export function printHint(io: Io, hint: string): void {
  const { cyan } = pc.createColors(io.stderrIsTerminal && allowsEscapes(io));
  io.stderr(`certpin: ${cyan('hint:')} ${printable(hint)}\n`);
}

export function printWarning(io: Io, warning: string): void {
  const { yellow } = pc.createColors(io.stderrIsTerminal && allowsEscapes(io));
  io.stderr(`certpin: ${yellow('warning:')} ${printable(warning)}\n`);
}

export function printSummary(io: Io, summary: string): void {
  io.stderr(`certpin: summary: ${printable(summary)}\n`);
}

/** The colours of stdout. Without colours, the functions return their text unchanged. */
export function stdoutColors(io: Io): Colors {
  return pc.createColors(io.stdoutIsTerminal && allowsEscapes(io));
}

/** Shows `message` on a terminal if `work` takes long, and removes it again. */
export async function withProgress<Result>(io: Io, message: string, work: Promise<Result>): Promise<Result> {
  if (!showsProgress(io)) return work;
  let shown = false;
  const timer = setTimeout(() => {
    shown = true;
    io.stderr(printable(message));
  }, 300);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    if (shown) io.stderr('\r\u001B[2K');
  }
}

/** Whether a line can be shown and removed again. */
export function showsProgress({ stderrIsTerminal, env }: Io): boolean {
  return stderrIsTerminal && env.TERM !== 'dumb';
}

/** https://no-color.org: any value except the empty one. */
function allowsEscapes({ env }: Io): boolean {
  return !env.NO_COLOR && env.TERM !== 'dumb';
}

/** Control characters, marks, line ends, and what is not a character at all: U+FFFE and similar ones, and half a pair (Unicode §23.7). */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu;

/** Replaces what a terminal would take for a command or another line. A line has a limited length. */
export function printable(text: string): string {
  return bounded(text).replace(INVISIBLE, '\uFFFD');
}

/** A server chooses the names in its certificate. One of them can have 45 kB. */
const LONGEST = 2_000;

/** The beginning of a text that nobody reads to its end. */
export function bounded(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length} characters)`;
}

/** The same for a text that may have lines and tabs. */
export function printableLines(text: string): string {
  return text.replace(INVISIBLE, (character) => (/[\t\r\n]/.test(character) ? character : '\uFFFD'));
}

/** An argument in a form that a shell reads back. */
export function quote(argument: string): string {
  return /^[\w.:/@%+=,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}
