import { type AskEachOptions, askEach } from 'certpin/probe';
import { type Answer, type AskOptions, ask, failedAnswer } from './ask.ts';

/** What `certpin` asks of many targets, and how. */
export interface ScanOptions extends AskOptions, AskEachOptions {
  readonly concurrency: number;
}

export interface Scanned extends Answer {
  /** Which of the targets, from 0. */
  readonly index: number;
}

/** Asks every target, and yields the answers as they come: `askEach` with the question of the command line. */
export async function* scan(targets: AsyncIterable<string>, options: ScanOptions): AsyncGenerator<Scanned, void, void> {
  const { concurrency, retries, totalTimeoutMs, signal, ...asking } = options;
  const question = (target: string, own: AbortSignal): Promise<Answer> => ask(target, { ...asking, signal: own });
  for await (const asked of askEach(targets, question, { concurrency, retries, totalTimeoutMs, signal })) {
    yield {
      index: asked.index,
      ...(asked.ok ? asked.answer : failedAnswer(asked.target, asked.error, options.protocol)),
    };
  }
}
