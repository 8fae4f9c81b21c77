import { setMaxListeners } from 'node:events';

/** Aborts when one of the two does. `AbortSignal.any` needs Node 20.3. */
export function eitherSignal(limit: AbortSignal, signal: AbortSignal | undefined): AbortSignal {
  if (signal === undefined) return limit;
  const either = new AbortController();
  setMaxListeners(0, signal); // Each request listens until its limit is over, and a push makes many requests.
  for (const one of [limit, signal]) {
    if (one.aborted) either.abort(one.reason);
    one.addEventListener('abort', () => either.abort(one.reason), { once: true, signal: either.signal });
  }
  return either.signal;
}
