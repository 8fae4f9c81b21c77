import { states } from '../states/states.ts';
import type { State } from '../types.ts';

/** States that need an action, or a wait. */
export function isTrouble(state: State | null): boolean {
  return state !== null && state !== 'holds' && state !== 'rotated';
}

/** From the least to the worst. */
export const troubles: readonly State[] = states.filter(isTrouble);
