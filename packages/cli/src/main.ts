import { once } from 'node:events';
import { run } from './run.ts';
import { askQuestions, askSecret, confirm } from './terminal.ts';

const closed = { stdout: false, stderr: false };

/** A reader that goes away early (`certpin get … | head -1`) ends the output, and is no error: the exit code stays the answer's. */
function writer(name: 'stdout' | 'stderr'): (text: string) => void {
  const stream = process[name];
  stream.on('error', (error: NodeJS.ErrnoException) => {
    closed[name] = true;
    if (error.code !== 'EPIPE') process.exitCode = 2; // an answer that was not written down was not given
  });
  return (text) => {
    if (!closed[name]) stream.write(text);
  };
}

/** Whether stdin was asked for: it would keep the process alive after the last answer. */
let readsStdin = false;

const code = await run(process.argv.slice(2), {
  stdout: writer('stdout'),
  stderr: writer('stderr'),
  stdoutIsTerminal: process.stdout.isTTY === true,
  stderrIsTerminal: process.stderr.isTTY === true,
  askSecret,
  confirm,
  // Loaded when something is asked. The questions go to stderr: stdout is for the answer.
  ...(process.stdin.isTTY && process.stderr.isTTY ? { questions: askQuestions } : {}),
  stdoutClosed: () => closed.stdout,
  stdoutReady: async () => {
    // An early end of the reader rejects here, and is told by the stream's own listener.
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
  env: process.env,
});
if (readsStdin) process.stdin.destroy();
process.exitCode ??= code;
// What was under way is given up, once everything is written that was there.
if (code === 130) process.stdout.write('', () => process.exit());
