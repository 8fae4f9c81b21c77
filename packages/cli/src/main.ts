import { run } from './run.ts';
import { askSecret } from './terminal.ts';

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

const code = await run(process.argv.slice(2), {
  stdout: writer('stdout'),
  stderr: writer('stderr'),
  stdoutIsTerminal: process.stdout.isTTY === true,
  stderrIsTerminal: process.stderr.isTTY === true,
  stdin: () => process.stdin,
  askSecret,
  stdoutClosed: () => closed.stdout,
  env: process.env,
});
process.exitCode ??= code;
