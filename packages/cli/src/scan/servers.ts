import { type ProbeOptions, targetsOf } from 'certpin/probe';
import { showTarget } from '../command-line/target.ts';
import type { Question } from './fetch-answers.ts';

/** What is asked. The name of a cluster is replaced by its servers. */
export async function* withServers(
  questions: AsyncIterable<Question>,
  options: ProbeOptions,
): AsyncGenerator<Question, void, void> {
  for await (const question of questions) {
    const { target } = question.target;
    if (target === undefined || !('srvName' in target)) {
      yield question;
      continue;
    }
    try {
      for (const server of await targetsOf(target, options))
        yield { ...question, target: { target: server, label: server.label } };
    } catch (failure) {
      yield { ...question, failure };
    }
  }
}

/**
 * The same, of targets as they were written.
 *
 * @throws what `targetsOf` throws
 */
export async function serversNamed<Named extends { readonly text: string }>(
  named: readonly Named[],
  options: ProbeOptions,
): Promise<readonly Named[]> {
  const all: Named[] = [];
  for (const one of named) {
    const { target } = /^\W?mongodb\+srv:/i.test(one.text) ? showTarget(one.text) : {};
    if (target === undefined) all.push(one);
    else for (const { label } of await targetsOf(target, options)) all.push({ ...one, text: label });
  }
  return all;
}
