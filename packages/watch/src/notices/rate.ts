/** So many messages at once, */
const MOST = 6;
/** and then one in so many milliseconds: what happens meanwhile goes into it together. */
const EACH_MS = 5 * 60_000;

/** How many messages a receiver may still get now. */
export interface Rate {
  readonly allows: (now: number) => boolean;
  readonly count: (now: number) => void;
}

export function createRate(): Rate {
  let left = MOST;
  let at = 0;
  const refill = (now: number): void => {
    // A clock that goes back changes nothing.
    left = Math.min(MOST, left + Math.max(0, now - at) / EACH_MS);
    at = now;
  };
  return {
    allows: (now) => {
      refill(now);
      return left >= 1;
    },
    count: (now) => {
      refill(now);
      left = Math.max(0, left - 1);
    },
  };
}
