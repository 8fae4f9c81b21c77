import { states } from '../states/states.ts';
import type { State } from '../types.ts';

/** Somebody has something to do, or to wait for. */
export function isTrouble(state: State | null): boolean {
  return state !== null && state !== 'holds' && state !== 'rotated';
}

/** From the least to the worst. */
export const troubles: readonly State[] = states.filter(isTrouble);
