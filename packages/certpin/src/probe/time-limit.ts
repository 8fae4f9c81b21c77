import { startTimeout } from '../tls/timeout.ts';

/**
 * Does `work` within a time limit, and within the signal around it.
 *
 * @param limitMs 0: no limit of its own
 * @param work is told to stop by its signal, whose reason it throws; `limit` sets another limit, from then on
 */
export async function withTimeLimit<Result>(
  limitMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal, limit: (milliseconds: number) => void) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const giveUp = (): void => controller.abort(outer?.reason);
  let stop = (): void => undefined;
  const limit = (milliseconds: number): void => {
    stop();
    stop = startTimeout(milliseconds, (error) => controller.abort(error));
  };
  limit(limitMs);
  if (outer?.aborted) giveUp();
  outer?.addEventListener('abort', giveUp);
  try {
    return await work(controller.signal, limit);
  } finally {
    stop();
    outer?.removeEventListener('abort', giveUp);
  }
}
