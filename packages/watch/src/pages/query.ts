import { states } from '../states/states.ts';
import type { Remark, State } from '../types.ts';
import { QueryError } from './context.ts';
import { remarkWords, type ShownState } from './words.ts';

/** The last page of a list that can be asked for. Nobody reads further, and anybody could cause the work. */
export const PAGE_SIZE = 100;
const LAST_PAGE = 100_000;
const LONGEST_TEXT = 200;

/** A text that somebody typed. Empty: nothing. */
export function readText(query: URLSearchParams, name: string): string {
  const text = (query.get(name) ?? '').trim();
  if (text.length > LONGEST_TEXT) throw new QueryError(`${name}: at most ${LONGEST_TEXT} characters`);
  return text;
}

/** From 1. */
export function readPage(query: URLSearchParams): number {
  const text = query.get('page') || '1';
  const page = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (page < 1 || page > LAST_PAGE) throw new QueryError('page: a number from 1 on is expected');
  return page;
}

export function readChoice<Choice extends string>(
  query: URLSearchParams,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = query.get(name) ?? '';
  if (text === '') return undefined;
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new QueryError(`${name}: one of ${choices.join(', ')} is expected`);
  return found;
}

export const shownStates: readonly ShownState[] = ['unknown', ...states];
export const remarks: readonly Remark[] = Object.keys(remarkWords) as Remark[];

/** `state` may stand there several times. */
export function readStates(query: URLSearchParams): readonly (State | 'unknown')[] {
  const given = query.getAll('state').filter((text) => text !== '');
  if (given.length > shownStates.length) throw new QueryError('state: each state at most once');
  return given.map((text) => {
    const found = shownStates.find((state) => state === text);
    if (found === undefined) throw new QueryError(`state: one of ${shownStates.join(', ')} is expected`);
    return found;
  });
}
