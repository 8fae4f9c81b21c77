import type { State } from '../types.ts';
import { rankOf } from './states.ts';

/** How many checks in a row it takes: to say that a target is in a state, and to say that it no longer is. */
export interface Hysteresis {
  readonly up: Readonly<Record<State, number>>;
  readonly down: Readonly<Record<State, number>>;
}

/**
 * A server that does not answer once is no news, and another certificate is: nobody waits for the second one. What was bad once has to be good
 * for a while, or a server that changes between both would send a notice at each check.
 */
export const defaultHysteresis: Hysteresis = {
  up: {
    holds: 1,
    rotated: 1,
    mixed: 2,
    'ends-soon': 1,
    'no-such-name': 3,
    unreachable: 3,
    refused: 2,
    'not-yet-valid': 2,
    expired: 2,
    drift: 1,
    revoked: 1,
  },
  down: {
    holds: 1,
    rotated: 1,
    mixed: 2,
    'ends-soon': 2,
    'no-such-name': 2,
    unreachable: 2,
    refused: 2,
    'not-yet-valid': 2,
    expired: 2,
    drift: 3,
    revoked: 3,
  },
};

export interface Settled {
  readonly state: State | null;
  /** Checks in a row that have found another state than this one. */
  readonly away: number;
}

/**
 * The state after one more check. Checks that find two other states in turn count together: they agree that it is not this one any more.
 */
export function settle({ state, away }: Settled, observed: State, { up, down }: Hysteresis): Settled {
  if (observed === state) return { state, away: 0 };
  const isWorse = state === null || rankOf(observed) > rankOf(state);
  const needed = isWorse ? up[observed] : Math.max(down[state], up[observed]);
  return away + 1 >= needed ? { state: observed, away: 0 } : { state, away: away + 1 };
}
