import { networkOf } from './network-of.ts';

export interface Attempts {
  /** How many seconds this address must wait. 0: it may try. */
  readonly waitSeconds: (address: string, now: number) => number;
  readonly failed: (address: string, now: number) => void;
  readonly succeeded: (address: string) => void;
}

const ALLOWED = 5;
const WINDOW_MS = 15 * 60 * 1000;
/** The number of remembered addresses. Forgotten addresses cannot guess a token of 24 characters. */
const MOST = 10_000;

/** Five wrong tokens in a quarter of an hour. Then the address must wait, and even the right token is refused. */
export function createAttempts(): Attempts {
  const failures = new Map<string, { count: number; readonly until: number }>();
  const known = (key: string, now: number) => {
    const found = failures.get(key);
    if (found === undefined || found.until > now) return found;
    failures.delete(key);
    return undefined;
  };
  return {
    waitSeconds: (address, now) => {
      const found = known(networkOf(address), now);
      return found === undefined || found.count < ALLOWED ? 0 : Math.ceil((found.until - now) / 1000);
    },
    failed: (address, now) => {
      const key = networkOf(address);
      const found = known(key, now);
      if (found !== undefined) {
        found.count += 1;
        return;
      }
      const [oldest] = failures.keys();
      if (failures.size >= MOST && oldest !== undefined) failures.delete(oldest);
      failures.set(key, { count: 1, until: now + WINDOW_MS });
    },
    succeeded: (address) => void failures.delete(networkOf(address)),
  };
}
