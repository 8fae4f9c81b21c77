import { spawn } from 'node:child_process';
import type { Place } from '@certpin/pins-file';
import { eitherSignal } from '../either-signal.ts';
import type { Context } from './context.ts';
import { DeliverError } from './deliver-error.ts';
import { folderOf, lastWritten } from './journal.ts';
import { sha256 } from './pins-text.ts';
import type { Standing, Step, Wish } from './wish.ts';

const LIMIT_MS = 60_000;

/** A command that gets the pins on its standard input. What it keeps cannot be read, so the journal says what it was given last. */
export function planCommand({ document, journal, signal }: Context, wish: Wish): Step {
  const { command } = wish.place as Extract<Place, { kind: 'command' }>;
  const last = lastWritten(journal, wish.place);
  const standing: Standing =
    last === undefined
      ? { how: 'unknown', reason: 'what a command keeps cannot be read, and push has not run it yet' }
      : { how: 'witness', sha256: last.sha256, text: last.pins };
  return {
    ...{ name: `the command ${command[0]}`, items: [{ ...wish, standing }], refusals: [], login: undefined },
    snapshot: { command, pins: last?.pins ?? null },
    write: async () => {
      await runCommand(command, folderOf(document.path), wish, signal);
      return [sha256(wish.pins)];
    },
  };
}

/**
 * Runs without a shell, so every item of the list is only a word. Its output is not shown, because it may be a secret.
 *
 * @throws DeliverError `ERR_COMMAND`; the signal's reason. The command has ended before either of them is thrown
 */
export async function runCommand(
  command: readonly string[],
  cwd: string,
  { pins, place }: Pick<Wish, 'pins' | 'place'>,
  signal: AbortSignal | undefined,
  limitMs: number = LIMIT_MS,
): Promise<void> {
  const [program = '', ...words] = command;
  const limit = AbortSignal.timeout(limitMs);
  const child = spawn(program, words, {
    ...{ cwd, shell: false, windowsHide: true, stdio: ['pipe', 'ignore', 'ignore'] },
    ...{ signal: eitherSignal(limit, signal), killSignal: 'SIGKILL' },
  });
  const ended = new Promise<string | undefined>((done) => {
    // Once it has started, wait for its end: it may still write until then.
    child.on('error', ({ message }) => child.pid === undefined && done(message));
    child.on('close', (code, by) => {
      if (limit.aborted) return done(`it did not end within ${limitMs / 1000} s`);
      done(code === 0 ? undefined : `it ended with ${code === null ? by : `status ${code}`}`);
    });
  });
  child.stdin.on('error', () => undefined); // A command that does not read its input reports that with its status.
  child.stdin.end(`${pins}\n`);
  const why = await ended;
  if (why !== undefined) signal?.throwIfAborted();
  if (why !== undefined) throw new DeliverError('ERR_COMMAND', `the command ${program}: ${why}`, place);
}
