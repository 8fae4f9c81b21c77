import type { State, Transition } from '../types.ts';
import type { CommonSettings } from './settings.ts';
import { isTrouble } from './severity.ts';

/**
 * Which receivers get a transition, by name. The end of a trouble goes to those that got its beginning. What is muted goes to nobody.
 *
 * @param told the state that the receivers know. After a mute it may be another one than the state before
 */
export type ChooseReceivers = (transition: Transition, told: State | null) => readonly string[];

export function createChooser(receivers: readonly CommonSettings[]): ChooseReceivers {
  return (transition, told) =>
    receivers.filter((receiver) => wants(receiver, transition, told)).map(({ name }) => name);
}

function wants(
  { states, remarks = [] }: CommonSettings,
  { kind, from, to, remark, mutedBy }: Transition,
  told: State | null,
): boolean {
  if (mutedBy !== null) return false;
  const about = [from, told, to];
  switch (kind) {
    case 'changed':
    case 'unmuted':
      if (states !== undefined) return about.some((state) => state !== null && states.includes(state));
      return about.some(isTrouble) || to === 'rotated';
    case 'remarked':
    case 'unremarked':
      return remark !== null && remarks.includes(remark);
    // A receiver that gets anything also learns that nothing can be known at the moment.
    case 'network-lost':
    case 'network-back':
    case 'file-unreadable':
    case 'file-readable':
      return true;
  }
}
