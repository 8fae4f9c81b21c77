import { once } from 'node:events';
import { isatty } from 'node:tty';
import { plainWords } from '@certpin/pins-file';
import { failureOf } from './failure.ts';
import { type Io, printError } from './io.ts';
import { run } from './run.ts';

const closed = { stdout: false, stderr: false };

/** A reader that stops early (`certpin get … | head -1`) ends the output. That is not an error: the exit code stays the answer's. */
function writer(name: 'stdout' | 'stderr'): (text: string) => void {
  let stream: NodeJS.WriteStream | undefined;
  return (text) => {
    stream ??= process[name].on('error', (error: NodeJS.ErrnoException) => {
      closed[name] = true;
      if (error.code === 'EPIPE') return;
      process.exitCode = 2; // An answer that was not written down was not given.
      if (name === 'stdout') printError(io, `standard output: ${plainWords(failureOf(error))}`);
    });
    if (!closed[name]) stream.write(text);
  };
}

/** Whether stdin was used. It would keep the process alive after the last answer. */
let readsStdin = false;

const io: Io = {
  stdout: writer('stdout'),
  stderr: writer('stderr'),
  // The value of `process.stdin.isTTY`, but without opening that stream, which may take longer than an answer.
  stdoutIsTerminal: isatty(1),
  stderrIsTerminal: isatty(2),
  stdoutWidth: () => (isatty(1) ? process.stdout.columns : undefined),
  askSecret: async (prompt) => (await import('./terminal/prompts.ts')).askSecret(prompt),
  confirm: async (question) => (await import('./terminal/prompts.ts')).confirm(question),
  // The questions go to stderr: stdout is for the answer.
  ...(isatty(0) && isatty(2) ? { questions: async () => (await import('./terminal/prompts.ts')).askQuestions() } : {}),
  stdoutClosed: () => closed.stdout,
  stdoutReady: async () => {
    // If the reader stops early, this rejects. The stream's own listener handles that.
    if (!closed.stdout && process.stdout.writableNeedDrain) await once(process.stdout, 'drain').catch(() => undefined);
  },
  stdin: () => {
    readsStdin = true;
    return process.stdin;
  },
  onInterrupt: (stop) => {
    process.once('SIGINT', stop);
    return () => process.off('SIGINT', stop);
  },
  onSignal: (name, call) => {
    process.on(name, call);
    return () => process.off(name, call);
  },
  env: process.env,
};

void run(process.argv.slice(2), io).then((code) => {
  if (readsStdin) process.stdin.destroy();
  process.exitCode ??= code;
  // When everything that was ready is written, the rest is given up.
  if (code === 130) process.stdout.write('', () => process.exit());
});
