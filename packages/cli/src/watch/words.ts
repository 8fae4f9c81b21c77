import { outcomeOf, type Status } from '@certpin/pins-file';
import type * as Watch from '@certpin/watch';
import { bounded, printable } from '../io.ts';

/** `rotated` is as planned. */
export function outcomeOfState(state: Watch.State): (typeof outcomeOf)[Status] {
  return state === 'rotated' ? 'yes' : outcomeOf[state];
}

/** A text of the store on one line: what a server wrote may be in it. */
export function oneLine(text: string): string {
  return printable(bounded(text));
}

/** `2027-03-01 12:00Z` */
export function toMinute(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
