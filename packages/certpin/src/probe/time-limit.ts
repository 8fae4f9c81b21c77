import { startTimeout } from '../leaf/time-limit.ts';

/** The members of an `AbortSignal` that a probe uses. Making Node's own takes as long as reading a certificate. */
export interface Stop {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * Does `work` within a time limit, and within the signal around it.
 *
 * @param limitMs 0: no limit of its own
 * @param work its signal tells it to stop, and it throws the signal's reason. `limit` sets another limit from then on. `abort` ends it.
 * When the result is there, other work that it has begun is told to stop
 */
export async function withTimeLimit<Result>(
  limitMs: number,
  outer: Stop | undefined,
  work: (signal: Stop, limit: (milliseconds: number) => void, abort: (reason: Error) => void) => Promise<Result>,
): Promise<Result> {
  const own = new OwnStop();
  const giveUp = (): void => own.abort(outer?.reason);
  let stop = (): void => undefined;
  const limit = (milliseconds: number): void => {
    stop();
    stop = startTimeout(milliseconds, (error) => own.abort(error));
  };
  limit(limitMs);
  if (outer?.aborted) giveUp();
  outer?.addEventListener('abort', giveUp);
  try {
    return await work(own, limit, (reason) => own.abort(reason));
  } finally {
    stop();
    own.abort(undefined);
    outer?.removeEventListener('abort', giveUp);
  }
}

class OwnStop implements Stop {
  aborted = false;
  reason: unknown;
  readonly #listeners = new Set<() => void>();

  addEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Only the first reason counts. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.#listeners) listener();
  }
}
