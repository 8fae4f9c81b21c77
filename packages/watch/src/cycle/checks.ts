import type { Judged } from '@certpin/pins-file';
import type { DueTarget } from '../store/store.ts';
import { fromWatched } from './definition.ts';
import type { CycleOptions } from './options.ts';

/** What one check of a target has found. */
export interface Result {
  readonly due: DueTarget;
  readonly judged: Judged;
  /** When the check began, on the clock that only goes forward. */
  readonly begun: number;
  readonly seconds: number;
}

/** The checks that are under way. */
export class Checks {
  readonly #options: CycleOptions;
  /** A signal for each: a thousand listeners on the caller's signal would be a leak. */
  readonly #underWay = new Map<Promise<void>, AbortController>();

  constructor(options: CycleOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#underWay.size;
  }

  /**
   * @param take what is to be done with the result
   * @param fail the target cannot be asked at all, or its result cannot be used
   * @param ended the check is not under way any more
   */
  start(
    due: DueTarget,
    take: (result: Result) => void | Promise<void>,
    fail: (error: unknown) => void,
    ended: () => void = () => undefined,
  ): void {
    const stop = new AbortController();
    const work = this.#check(due, stop.signal)
      .then(take)
      .catch(fail)
      .finally(() => {
        this.#underWay.delete(work);
        ended();
      });
    this.#underWay.set(work, stop);
  }

  async #check(due: DueTarget, signal: AbortSignal): Promise<Result> {
    const { clock, timeoutMs, retries, lookup, pinsFile, ask, hasFamily } = this.#options;
    const begun = clock.elapsed();
    const { entry, near } = fromWatched(due, pinsFile);
    const judged = await ask(entry, { ...{ timeoutMs, retries, lookup, signal, near, hasFamily }, now: clock.now });
    return { due, judged, begun, seconds: (clock.elapsed() - begun) / 1_000 };
  }

  /** One of them has ended. */
  async oneEnded(): Promise<void> {
    await Promise.race(this.#underWay.keys());
  }

  async allEnded(): Promise<void> {
    await Promise.allSettled(this.#underWay.keys());
  }

  stop(reason: unknown): void {
    for (const one of this.#underWay.values()) one.abort(reason);
  }
}
