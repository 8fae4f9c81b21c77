import { type AskEachOptions, askEach, type ProbeOptions } from 'certpin/probe';
import { type Answer, type AskOptions, ask, failedAnswer } from './ask.ts';
import { startAskers } from './askers.ts';
import { keepYoungGenerationSmall } from './young-generation.ts';

/** What `certpin` asks of many targets, and how. */
export interface ScanOptions extends Omit<AskOptions, 'askers'>, AskEachOptions {
  readonly concurrency: number;
  /** How many threads ask servers, beside this one. Default 0: this one does. */
  readonly threads?: number | undefined;
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
  const { concurrency, retries, totalTimeoutMs, signal, threads = 0, ...common } = options;
  const { timeoutMs, family, tls, proxy } = common;
  const askers = threads > 0 ? startAskers(threads, { timeoutMs, family, tls, proxy }) : undefined;
  keepYoungGenerationSmall();
  const read = (question: string | Question): Question => {
    return typeof question === 'string' ? { ...common, target: question } : question;
  };
  const question = (about: string | Question, own: AbortSignal): Promise<Answer> => {
    const { target, protocol, servername } = read(about);
    return ask(target, { ...common, protocol, servername, signal: own, askers });
  };
  try {
    for await (const asked of askEach(targets, question, { concurrency, retries, totalTimeoutMs, signal })) {
      const { target, protocol } = read(asked.target);
      yield { index: asked.index, ...(asked.ok ? asked.answer : failedAnswer(target, asked.error, protocol)) };
    }
  } finally {
    askers?.close();
  }
}
