import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import type { Questions } from '../io.ts';

/**
 * Asks for a secret on the terminal, without echo, whatever stdin and stdout are connected to.
 *
 * @returns undefined where there is no terminal, or nothing was typed before the end of input
 */
export function askSecret(prompt: string): Promise<string | undefined> {
  // What readline would echo goes nowhere.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  return askLine(prompt, output);
}

/**
 * Asks a question on the terminal, whatever stdin and stdout are connected to. Whatever is not a yes is a no.
 *
 * @returns undefined where there is no terminal, or stderr, on which the question stands, is none
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
      isInterrupted = true; // whoever asked for the answer gets none, and says nothing more
      lines.close();
      // Who waits for Ctrl-C hears of it now: with the terminal closed, nothing may be left that keeps the process until a signal arrives.
      if (!process.emit('SIGINT', 'SIGINT')) process.kill(process.pid, 'SIGINT');
    });
    lines.once('close', () => {
      if (!echoes || answer === undefined) process.stderr.write('\n'); // else readline has echoed it
      if (input !== process.stdin) input.destroy();
      if (!isInterrupted) resolve(answer);
    });
  });
}

function openTerminal(): ReadStream | undefined {
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch {
    return process.stdin.isTTY ? process.stdin : undefined; // Windows has no /dev/tty
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
