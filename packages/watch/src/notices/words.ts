import type { Message } from '../types.ts';
import { clean, cleanForPeople } from './clean.ts';
import { type Item, itemsOf } from './items.ts';
import type { Form } from './receiver.ts';

/** What people read, in no format yet. */
export interface Words {
  readonly title: string;
  /** How many lines there are: one for each target, the worst first. */
  readonly count: number;
  /** From 0 to count. Most lines of a digest are never shown, so each is made only when it is needed. */
  readonly line: (index: number) => string;
}

/** Says a message in words. */
export function wordsOf(message: Message, form: Form): Words {
  if (message.kind === 'test') return { title: 'certpin: test notice', count: 1, line: () => TEST };
  const items = itemsOf(message);
  const [only] = items;
  if (form === 'short' || only === undefined) {
    return { title: `certpin: ${countsOf(message, items)}`, count: 1, line: () => SHORT };
  }
  return {
    title: `certpin: ${items.length > 1 ? countsOf(message, items) : `${nameOf(only)}: ${only.word}`}`,
    count: items.length,
    line: (index) => toLine(items[index] as Item),
  };
}

const TEST = 'Somebody has asked for this notice with certpin watch notify --test. Nothing has happened.';
const SHORT = 'The receiver has refused the whole notice. certpin watch status has the rest.';

/** `12 changes: 9 drift, 2 unreachable, 1 holds again`. */
function countsOf({ kind }: Message, items: readonly Item[]): string {
  const counts = new Map<string, number>();
  for (const { word } of items) counts.set(word, (counts.get(word) ?? 0) + 1);
  const what = kind === 'reminder' ? 'reminder' : items.length === 1 ? 'change' : 'changes';
  return `${items.length} ${items.length > 1 && kind === 'reminder' ? 'reminders' : what}: ${[...counts].map(([word, count]) => `${count} ${word}`).join(', ')}`;
}

function nameOf({ label }: Item): string {
  return label === null ? 'the watcher' : clean(label);
}

function toLine(item: Item): string {
  const { label, word, phrase, before, reason, changes, advice } = item;
  const was =
    before === null || word.startsWith('still ')
      ? ''
      : ` (before: ${before}${changes > 1 ? `, ${changes} changes` : ''})`;
  // No server chooses a text about the watcher itself, so a path stays unchanged.
  const why = reason === '' ? '' : `. ${label === null ? clean(reason) : cleanForPeople(reason)}`;
  const next = advice === undefined ? '' : `. Next: ${advice}`;
  return `${nameOf(item)}: ${phrase}${was}${why}${next}`;
}

export interface Room {
  /** How many lines. */
  readonly most: number;
  /** How long they may be together. Default: no limit. */
  readonly size?: { readonly limit: number; readonly of: (line: string) => number };
}

/** As many lines as fit, and one that says how many do not. */
export function fit({ count, line }: Words, { most, size = { limit: 0, of: () => 0 } }: Room): readonly string[] {
  const taken: string[] = [];
  let left = size.limit - size.of(restOf(count));
  while (taken.length < Math.min(count, most)) {
    const next = line(taken.length);
    left -= size.of(next);
    if (left < 0) break;
    taken.push(next);
  }
  return taken.length === count ? taken : [...taken, restOf(count - taken.length)];
}

function restOf(count: number): string {
  return `and ${count} more: certpin watch status`;
}
