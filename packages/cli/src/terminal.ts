import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import type { Questions } from './auth0/questions.ts';

/**
 * Asks for a secret on the terminal, without echo, whatever stdin and stdout are connected to.
 *
 * @returns undefined where there is no terminal, or nothing was typed before the end of input
 */
export function askSecret(prompt: string): Promise<string | undefined> {
  const input = openTerminal();
  if (input === undefined) return Promise.resolve(undefined);
  // readline edits the line and sets the terminal to raw mode; what it would echo goes nowhere.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output, terminal: true, historySize: 0 });
  process.stderr.write(prompt);
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
      process.kill(process.pid, 'SIGINT');
    });
    lines.once('close', () => {
      process.stderr.write('\n');
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

/** Questions with choices, on stderr. Ctrl-C is an error with the name `ExitPromptError`. */
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
