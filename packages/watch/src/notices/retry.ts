const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Waits after the first failed attempt, the second, …. The last one is for all others. Nothing is given up. */
const AFTER_FAILURE = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 5 * MINUTE];

/** A receiver that said no will repeat it until somebody corrects its settings. */
const AFTER_REFUSAL = 15 * MINUTE;

/** A receiver may ask for more time, but not for silence. */
const MOST_ASKED = 60 * MINUTE;

export interface Vain {
  /** Attempts before this one. */
  readonly attempts: number;
  readonly isRefused: boolean;
  /** What the receiver asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/**
 * How long to wait until the next attempt, in milliseconds.
 *
 * @param random from 0 to 1: receivers that failed together are not called together again
 */
export function delayAfter({ attempts, isRefused, retryAfterMs = 0 }: Vain, random: number): number {
  const own = isRefused ? AFTER_REFUSAL : (AFTER_FAILURE[attempts] ?? (AFTER_FAILURE.at(-1) as number));
  return Math.round(Math.max(own * (0.9 + 0.2 * random), Math.min(retryAfterMs, MOST_ASKED)));
}

/**
 * `Retry-After`: seconds, or a date (RFC 9110 §10.2.3).
 *
 * @returns milliseconds; undefined for anything else
 */
export function readRetryAfter(text: string | undefined, now: Date): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text) * SECOND;
  // Date.parse accepts more than the three forms of §5.6.7. All three begin with the name of a day.
  const until = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(until) ? undefined : Math.max(0, until - now.getTime());
}
