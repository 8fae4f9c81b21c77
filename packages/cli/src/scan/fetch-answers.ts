import { type MapTargetsOptions, mapTargets, type ProbeOptions } from 'certpin/probe';
import type { ShownTarget } from '../command-line/target.ts';
import { type Answer, type AnswerOptions, failedAnswer, fetchAnswer } from './answer.ts';

/** What is asked of many targets, and how. */
export interface FetchOptions extends AnswerOptions, MapTargetsOptions {}

/** A target, and what belongs to it alone. */
export interface Question extends Pick<ProbeOptions, 'protocol' | 'servername'> {
  readonly target: ShownTarget;
  /** The number of the named target, from 0. All servers of a cluster have the same number. Default: as they come. */
  readonly nth?: number;
  /** Why it cannot be asked, if that is known already. */
  readonly failure?: unknown;
}

export type NumberedAnswer = Answer & {
  /** Which of the targets, from 0. */
  readonly index: number;
  readonly nth: number;
  /** How long it took, from the first attempt to the end of the last one. */
  readonly seconds: number;
};

/** Asks every target, and yields the answers as they come: `mapTargets` with the question of the command line. */
export async function* fetchAnswers(
  questions: AsyncIterable<Question>,
  options: FetchOptions,
): AsyncGenerator<NumberedAnswer, void, void> {
  const { concurrency, retries, totalTimeoutMs, signal, ...common } = options;
  const times = new WeakMap<Question, { readonly begun: number; ended?: number }>();
  const fetch = async (question: Question, signal: AbortSignal): Promise<Answer> => {
    const time = times.get(question) ?? { begun: performance.now() };
    times.set(question, time);
    const { target, nth: _, failure, ...own } = question;
    try {
      if (failure !== undefined) throw failure;
      return await fetchAnswer(target, { ...common, ...own, retries, signal });
    } finally {
      Object.assign(time, { ended: performance.now() });
    }
  };
  // Each address is asked again separately.
  for await (const outcome of mapTargets(questions, fetch, { concurrency, retries, totalTimeoutMs, signal })) {
    const { target, protocol = common.protocol, nth = outcome.index } = outcome.target;
    const { begun = 0, ended = performance.now() } = times.get(outcome.target) ?? {};
    const seconds = begun === 0 ? 0 : (ended - begun) / 1000;
    yield {
      index: outcome.index,
      nth,
      seconds,
      ...(outcome.ok ? outcome.answer : failedAnswer(target, outcome.error, protocol)),
    };
  }
}
