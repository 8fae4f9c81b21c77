import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program that has printed nothing after this time hangs. It may have to load TypeScript first, on a busy machine. */
const WORK_LIMIT_MS = 120_000;

/** Of a program that has printed all that it has to say, with nothing left to do. */
const END_LIMIT_MS = 5_000;

/**
 * Runs a program with this Node. It must end by itself as soon as it has printed its last line: no open connection and no timer may hold it.
 * How long it works before does not matter.
 *
 * @returns what it has printed
 */
export async function runToEnd(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  let isHeld = false;
  const kill = (): void => {
    isHeld = true;
    child.kill('SIGKILL');
  };
  let limit = setTimeout(kill, WORK_LIMIT_MS);
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    stdout += part;
    clearTimeout(limit);
    limit = setTimeout(kill, END_LIMIT_MS);
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr += part;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(limit);
  assert.equal(isHeld, false, `it does not end by itself, and it has said: ${stdout}${stderr}`);
  assert.equal(code, 0, `${stdout}${stderr}`);
  return stdout;
}
