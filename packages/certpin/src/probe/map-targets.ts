import { refuseUnknownOptions } from '../core/unknown-options.ts';
import { CertpinError } from '../errors.ts';
import { oneOf } from '../leaf/policy.ts';
import { checkCount } from './options.ts';
import { withRetries } from './retries.ts';

export interface MapTargetsOptions {
  /** Targets that are asked at the same time. Default 32. */
  readonly concurrency?: number | undefined;
  /** How often a target is asked again after a failure of the network: after 250 ms, 500 ms, … up to 4 s. Default 0. */
  readonly retries?: number | undefined;
  /** Longest time for all targets together, in milliseconds. Default 0: no limit. */
  readonly totalTimeoutMs?: number | undefined;
  /** The order of the answers: as they are `finished`, or as the targets were `given`. Default `finished`. */
  readonly order?: 'finished' | 'given' | undefined;
  /** Drops what is under way, and ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

export const mapTargetsKeys = ['concurrency', 'retries', 'totalTimeoutMs', 'order', 'signal'] as const;

/** Targets, one after the other. No more are read, and no more answers are kept, than are asked at the same time. */
export type Targets<Target = string> = Iterable<Target> | AsyncIterable<Target>;

/** The outcome for one target. */
export type TargetOutcome<Target, Answer> = {
  /** The number of the target, from 0. */
  readonly index: number;
  readonly target: Target;
} & (
  | { readonly ok: true; readonly answer: Answer }
  /** The error of the last attempt. `ERR_CONNECT_TIMEOUT` if the total time was over. */
  | { readonly ok: false; readonly error: unknown }
);

/**
 * Asks many targets a question of your own, some at the same time. `scan` does the same with the question of `probe`.
 *
 * No more than `concurrency` targets and answers are held, so a slow reader slows it down. When the total time is over, targets under way
 * end with `ERR_CONNECT_TIMEOUT`, and no other is begun. If the signal is aborted, or the reader stops, targets under way are dropped.
 * Finished answers still come. It does not wait for a source that does not answer.
 *
 * ```ts
 * import { verify } from 'certpin';
 * import { inspect, mapTargets } from 'certpin/probe';
 * const ask = async (target, signal) => verify(await inspect(target, { signal }), { pins });
 * for await (const { target, ok, answer } of mapTargets(targets, ask, { retries: 1 })) console.log(target, ok && answer.ok);
 * ```
 *
 * @param ask the question. An exception is an outcome too. `signal` is aborted when nobody waits for the answer any more. The question
 * itself limits the time for one target: `inspect` has its `timeoutMs`
 * @throws CertpinError `ERR_OPTION_INVALID`, at once. An exception of `targets` comes from the iteration, after the answers for earlier
 * targets
 */
export function mapTargets<Target, Answer>(
  targets: Targets<Target>,
  ask: (target: Target, signal: AbortSignal) => Promise<Answer>,
  options: MapTargetsOptions = {},
): AsyncIterableIterator<TargetOutcome<Target, Answer>> {
  refuseUnknownOptions(options, mapTargetsKeys, 'mapTargets');
  const { concurrency = 32, retries = 0, totalTimeoutMs = 0, order, signal } = options;
  return run(targets, ask, {
    concurrency: checkCount('concurrency', concurrency, 1),
    retries: checkCount('retries', retries),
    totalTimeoutMs: checkCount('totalTimeoutMs', totalTimeoutMs),
    inOrder: oneOf('order', order, ['finished', 'given']) === 'given',
    signal,
  });
}

interface Plan {
  readonly concurrency: number;
  readonly retries: number;
  readonly totalTimeoutMs: number;
  readonly inOrder: boolean;
  readonly signal: AbortSignal | undefined;
}

async function* run<Target, Answer>(
  targets: Targets<Target>,
  ask: (target: Target, signal: AbortSignal) => Promise<Answer>,
  { concurrency, retries, totalTimeoutMs, inOrder, signal }: Plan,
): AsyncGenerator<TargetOutcome<Target, Answer>, undefined, undefined> {
  const iterator = Symbol.asyncIterator in targets ? targets[Symbol.asyncIterator]() : targets[Symbol.iterator]();
  const source: { state: 'open' | 'reading' | 'ended' } = { state: 'open' };
  // One signal for each target that is asked: a thousand listeners on the caller's signal would be a leak.
  const underWay = new Set<AbortController>();
  // By the number of the target. Together with those under way, never more than `concurrency`.
  const finished = new Map<number, TargetOutcome<Target, Answer>>();
  let begun = 0;
  let taken = 0;
  let isDropped = false;
  let failure: { readonly error: unknown } | undefined;
  let wake = (): void => undefined;

  const end = (reason: unknown): void => {
    source.state = 'ended';
    for (const attempt of underWay) attempt.abort(reason);
    wake();
  };
  const drop = (): void => {
    isDropped = true;
    end(signal?.reason);
  };
  const begin = async (target: Target): Promise<void> => {
    const index = begun++;
    const attempt = new AbortController();
    underWay.add(attempt);
    const asked: TargetOutcome<Target, Answer> = await withRetries(
      () => ask(target, attempt.signal),
      retries,
      attempt.signal,
    ).then(
      (answer) => ({ index, target, ok: true, answer }),
      (error: unknown) => ({ index, target, ok: false, error }),
    );
    underWay.delete(attempt);
    if (!isDropped) finished.set(index, asked);
    wake();
  };
  /** Reads one target after the other, while there is room. */
  const read = async (): Promise<void> => {
    while (source.state === 'open' && underWay.size + finished.size < concurrency) {
      source.state = 'reading';
      try {
        const next = await iterator.next();
        if (source.state !== 'reading') return; // It was over before the source answered.
        source.state = next.done ? 'ended' : 'open';
        if (!next.done) void begin(next.value);
      } catch (error) {
        if (source.state !== 'reading') return;
        source.state = 'ended';
        failure = { error };
      }
      wake();
    }
  };
  const take = (): TargetOutcome<Target, Answer> | undefined => {
    // After a drop, the next answer in order may never come.
    const index = !inOrder ? finished.keys().next().value : isDropped ? Math.min(...finished.keys()) : taken;
    const asked = finished.get(index as number);
    if (asked !== undefined) {
      finished.delete(asked.index);
      taken++;
    }
    return asked;
  };

  const timer = totalTimeoutMs === 0 ? undefined : setTimeout(() => end(timeIsOver(totalTimeoutMs)), totalTimeoutMs);
  signal?.addEventListener('abort', drop);
  if (signal?.aborted) drop();
  try {
    for (;;) {
      const asked = take();
      void read();
      if (asked !== undefined) {
        yield asked;
        continue;
      }
      if (isDropped || (source.state === 'ended' && underWay.size === 0)) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure !== undefined) throw failure.error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', drop);
    drop();
    // Not awaited: a source that is being read may never answer.
    void (async () => iterator.return?.())().catch(() => undefined);
  }
}

function timeIsOver(timeoutMs: number): CertpinError<'ERR_CONNECT_TIMEOUT'> {
  const message = `no answer within ${timeoutMs} ms, the time for all targets together`;
  return new CertpinError('ERR_CONNECT_TIMEOUT', message, { timeoutMs });
}
