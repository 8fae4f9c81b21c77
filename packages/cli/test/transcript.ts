import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Io } from '../src/io.ts';
import { run } from '../src/run.ts';

/** The password of every connection string in these tests. No output of any test may hold it. */
export const PASSWORD = 'correct-horse';

export interface TranscriptOptions {
  readonly terminal?: boolean;
  readonly env?: Record<string, string>;
  /** Whoever read stdout has gone. */
  readonly closed?: boolean | (() => boolean);
  /** What is piped in. */
  readonly stdin?: string | Uint8Array | Readable;
  /** What a person types where a password is asked for. Default: there is nobody. */
  readonly typed?: string;
  /** What a person answers where a yes is asked for. Default: there is nobody. A function can do something meanwhile. */
  readonly confirmed?: boolean | (() => boolean | Promise<boolean>);
  /** A person who answers questions. Default: there is nobody. */
  readonly questions?: Io['questions'];
  /** How names are looked up. Default: as the system does. */
  readonly lookup?: Io['lookup'];
  /** The same of SRV records. */
  readonly resolveSrv?: Io['resolveSrv'];
  /** How a tenant is called. Default: not at all. */
  readonly fetch?: Io['fetch'];
  /** Ctrl-C. */
  readonly interrupt?: AbortSignal;
}

/**
 * Runs a command line and writes down what it said, as a person would see it: stdout as it is, stderr behind `2> `, the exit code.
 *
 * @param names what changes from run to run (ports, hashes, paths): the name stands for the value in the command and in the
 * transcript
 */
export async function transcript(
  command: string,
  names: Record<string, string | number> = {},
  options: TranscriptOptions = {},
): Promise<string> {
  // The longest first: a hash is part of its own colon spelling's name, a directory of its file's path.
  const values = Object.entries(names)
    .map(([name, value]) => [name, String(value)] as const)
    .sort(([, a], [, b]) => b.length - a.length);
  const argv = command
    .split(' ')
    .map((word) => values.reduce((text, [name, value]) => text.replaceAll(name, value), word));
  const { stdout, stderr, code } = await certpin(argv, options);
  const hide = (text: string): string => values.reduce((shown, [name, value]) => shown.replaceAll(value, name), text);
  return `${hide(stdout)}${hide(stderr).replace(/^(?=.)/gm, '2> ')}exit ${code}`;
}

export interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export async function certpin(
  argv: readonly string[],
  {
    terminal = false,
    env = {},
    closed = false,
    stdin = '',
    typed,
    confirmed,
    questions,
    lookup,
    resolveSrv,
    fetch,
    interrupt,
  }: TranscriptOptions = {},
): Promise<Said> {
  let stdout = '';
  let stderr = '';
  let asking = false;
  const code = await run(argv, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    stdoutIsTerminal: terminal,
    stderrIsTerminal: terminal,
    stdin: () => (stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)])),
    ...(questions === undefined ? {} : { questions }),
    askSecret: async (prompt) => {
      if (typed === undefined) return undefined;
      assert.equal(asking, false, 'two passwords are asked for at a time');
      asking = true;
      stderr += `${prompt}\n`;
      await setImmediate();
      asking = false;
      return typed;
    },
    confirm: async (question) => {
      if (confirmed === undefined) return undefined;
      stderr += `${question}\n`;
      return typeof confirmed === 'function' ? confirmed() : confirmed;
    },
    ...(lookup === undefined ? {} : { lookup }),
    ...(resolveSrv === undefined ? {} : { resolveSrv }),
    ...(fetch === undefined ? {} : { fetch }),
    stdoutClosed: () => (typeof closed === 'function' ? closed() : closed),
    stdoutReady: async () => undefined,
    onInterrupt: (stop) => {
      interrupt?.addEventListener('abort', stop);
      return () => interrupt?.removeEventListener('abort', stop);
    },
    env,
  });
  assert.doesNotMatch(stdout + stderr, new RegExp(PASSWORD), 'a password was printed');
  return { stdout, stderr, code };
}
