import { type AskEachOptions, askEach, type ProbeOptions } from 'certpin/probe';
import { type Answer, type AskOptions, ask, failedAnswer } from './ask.ts';

/** What `certpin` asks of many targets, and how. */
export interface ScanOptions extends AskOptions, AskEachOptions {
  readonly concurrency: number;
}

/** A target that is asked in a way of its own. */
interface Question extends Pick<ProbeOptions, 'protocol' | 'servername'> {
  readonly target: string;
}

export interface Scanned extends Answer {
  /** Which of the targets, from 0. */
  readonly index: number;
}

/** Asks every target, and yields the answers as they come: `askEach` with the question of the command line. */
export async function* scan(
  targets: AsyncIterable<string | Question>,
  options: ScanOptions,
): AsyncGenerator<Scanned, void, void> {
  const { concurrency, retries, totalTimeoutMs, signal, ...common } = options;
  const read = (question: string | Question): Question => {
    return typeof question === 'string' ? { ...common, target: question } : question;
  };
  const question = (about: string | Question, own: AbortSignal): Promise<Answer> => {
    const { target, protocol, servername } = read(about);
    return ask(target, { ...common, protocol, servername, signal: own });
  };
  for await (const asked of askEach(targets, question, { concurrency, retries, totalTimeoutMs, signal })) {
    const { target, protocol } = read(asked.target);
    yield { index: asked.index, ...(asked.ok ? asked.answer : failedAnswer(target, asked.error, protocol)) };
  }
}
