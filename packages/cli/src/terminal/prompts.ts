import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import type { Questions } from '../io.ts';

/**
 * Asks for a secret on the terminal, without echo, even if stdin and stdout are not terminals.
 *
 * @returns undefined: there is no terminal, or nothing was typed before the end of input
 */
export function askSecret(prompt: string): Promise<string | undefined> {
  // readline's echo goes nowhere.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  return askLine(prompt, output);
}

/**
 * Asks a question on the terminal, even if stdin and stdout are not terminals. Anything except a yes is a no.
 *
 * @returns undefined: there is no terminal, or stderr, which shows the question, is not a terminal
 */
export async function confirm(question: string): Promise<boolean | undefined> {
  if (!process.stderr.isTTY) return undefined;
  const answer = await askLine(question, process.stderr);
  return answer === undefined ? undefined : /^\s*y(?:es)?\s*$/i.test(answer);
}

/** readline edits the line and sets the terminal to raw mode. */
function askLine(prompt: string, output: NodeJS.WritableStream): Promise<string | undefined> {
  const input = openTerminal();
  if (input === undefined) return Promise.resolve(undefined);
  const lines = createInterface({ input, output, terminal: true, historySize: 0, prompt });
  const echoes = output === process.stderr;
  if (echoes) lines.prompt();
  else process.stderr.write(prompt);
  return new Promise((resolve) => {
    let answer: string | undefined;
    let isInterrupted = false;
    lines.once('line', (line) => {
      answer = line;
      lines.close();
    });
    lines.once('SIGINT', () => {
      isInterrupted = true; // The caller of this question gets no answer, and prints nothing more.
      lines.close();
      // Listeners for Ctrl-C are called now. The terminal is closed, so nothing must keep the process until a signal comes.
      if (!process.emit('SIGINT', 'SIGINT')) process.kill(process.pid, 'SIGINT');
    });
    lines.once('close', () => {
      if (!echoes || answer === undefined) process.stderr.write('\n'); // Otherwise, readline has echoed it.
      if (input !== process.stdin) input.destroy();
      if (!isInterrupted) resolve(answer);
    });
  });
}

function openTerminal(): ReadStream | undefined {
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch {
    return process.stdin.isTTY ? process.stdin : undefined; // Windows has no /dev/tty.
  }
}

/** Questions with choices, on stderr. Ctrl-C is an error with the name `ExitPromptError`.. */
export async function askQuestions(): Promise<Questions> {
  const { checkbox, confirm, input, select } = await import('@inquirer/prompts');
  const context = { output: process.stderr };
  return {
    select: (question) => select(question, context),
    checkbox: (question) => checkbox(question, context),
    input: (question) => input(question, context),
    confirm: (question) => confirm(question, context),
  };
}
