import { statuses } from '@certpin/pins-file';
import type { State } from '../types.ts';

/** From the best to the worst: the states of `check --file`, and `rotated`, which needs a memory. */
export const states: readonly State[] = statuses.flatMap((status) =>
  status === 'holds' ? [status, 'rotated'] : [status],
);

/** The higher, the worse. -1: nothing is known yet. */
export function rankOf(state: State | null): number {
  return state === null ? -1 : states.indexOf(state);
}
