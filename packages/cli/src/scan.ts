import { type AskEachOptions, askEach, type ProbeOptions } from 'certpin/probe';
import { type Answer, type AskOptions, ask, failedAnswer } from './ask.ts';

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

/** With fewer targets a thread takes longer to start than to ask. */
const LEAST_TARGETS = 300;

/**
 * How many threads are worth their start. Handshakes are work for the processor, and a thread makes one at a time.
 *
 * @param targets undefined where standard input will tell
 * @param available how many there may be
 */
export function threadsFor(targets: number | undefined, concurrency: number, available: number): number {
  const isMany = targets === undefined || targets >= LEAST_TARGETS;
  return isMany ? Math.min(available, Math.floor(concurrency / 4)) : 0;
}

/** Asks every target, and yields the answers as they come: `askEach` with the question of the command line. */
export async function* scan(
  targets: AsyncIterable<string | Question>,
  options: ScanOptions,
): AsyncGenerator<Scanned, void, void> {
  const { concurrency, retries, totalTimeoutMs, signal, threads = 0, ...common } = options;
  const { timeoutMs, family, tls, proxy } = common;
  // Loaded where they are worth it: one target is answered before a thread has begun.
  const askers =
    threads > 0 ? (await import('./askers.ts')).startAskers(threads, { timeoutMs, family, tls, proxy }) : undefined;
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
