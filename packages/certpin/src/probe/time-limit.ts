import { startTimeout } from '../tls/timeout.ts';

/**
 * Does `work` within a time limit, and within the signal around it.
 *
 * @param limitMs 0: no limit of its own
 * @param work is told to stop by its signal, whose reason it throws; `unlimit` takes the limit away
 */
export async function withTimeLimit<Result>(
  limitMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal, unlimit: () => void) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const giveUp = (): void => controller.abort(outer?.reason);
  const unlimit = startTimeout(limitMs, (error) => controller.abort(error));
  if (outer?.aborted) giveUp();
  outer?.addEventListener('abort', giveUp);
  try {
    return await work(controller.signal, unlimit);
  } finally {
    unlimit();
    outer?.removeEventListener('abort', giveUp);
  }
}
