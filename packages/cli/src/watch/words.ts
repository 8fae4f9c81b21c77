import { outcomeOf, type Status } from '@certpin/pins-file';
import type * as Watch from '@certpin/watch';
import { bounded, printable } from '../io.ts';

/** `rotated` is a planned change. */
export function outcomeOfState(state: Watch.State): (typeof outcomeOf)[Status] {
  return state === 'rotated' ? 'yes' : outcomeOf[state];
}

/** `1 target, 1 holds`, `3 targets, 2 hold, 1 drift` */
export function counted(targets: number, states: readonly (readonly [state: string, count: number])[]): string[] {
  const found = states.filter(([, count]) => count > 0);
  const word = (state: string, count: number): string => (state === 'holds' && count > 1 ? 'hold' : state);
  return [
    `${targets} ${targets === 1 ? 'target' : 'targets'}`,
    ...found.map(([state, count]) => `${count} ${word(state, count)}`),
  ];
}

/** A text from the store on one line. It may contain what a server wrote. */
export function oneLine(text: string): string {
  return printable(bounded(text));
}

/** `2027-03-01 12:00Z` */
export function toMinute(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
