import type { Transition } from '../types.ts';
import type { CommonSettings } from './settings.ts';
import { isTrouble } from './severity.ts';

/** Which receivers get a transition, by name. The end of a trouble goes to those that got its beginning. What is muted goes to nobody. */
export function createChooser(receivers: readonly CommonSettings[]): (transition: Transition) => readonly string[] {
  return (transition) => receivers.filter((receiver) => wants(receiver, transition)).map(({ name }) => name);
}

function wants({ states, remarks = [] }: CommonSettings, { kind, from, to, remark, mutedBy }: Transition): boolean {
  if (mutedBy !== null) return false;
  switch (kind) {
    case 'changed':
    case 'unmuted':
      if (states !== undefined) return (to !== null && states.includes(to)) || (from !== null && states.includes(from));
      return isTrouble(from) || isTrouble(to) || to === 'rotated';
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
