import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { run } from '../src/run.ts';

/** The password of every connection string in these tests. No output of any test may hold it. */
export const PASSWORD = 'correct-horse';

export interface TranscriptOptions {
  readonly terminal?: boolean;
  readonly env?: Record<string, string>;
  /** Whoever read stdout has gone. */
  readonly closed?: boolean;
  readonly stdin?: Readable;
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
  { terminal = false, env = {}, closed = false, stdin = Readable.from([]), interrupt }: TranscriptOptions = {},
): Promise<Said> {
  let stdout = '';
  let stderr = '';
  const code = await run(argv, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    stdoutIsTerminal: terminal,
    stderrIsTerminal: terminal,
    stdoutClosed: () => closed,
    stdoutReady: async () => undefined,
    stdin: () => stdin,
    onInterrupt: (stop) => {
      interrupt?.addEventListener('abort', stop);
      return () => interrupt?.removeEventListener('abort', stop);
    },
    env,
  });
  assert.doesNotMatch(stdout + stderr, new RegExp(PASSWORD), 'a password was printed');
  return { stdout, stderr, code };
}
