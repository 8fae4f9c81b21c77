import { type Memory, readMemory } from '../states/decide.ts';
import { type Observation, observe } from '../states/observe.ts';
import type { DueTarget } from '../store/store.ts';
import { fromWatched } from './definition.ts';
import { hasAnswered, isOnThisMachine } from './network.ts';
import type { CycleOptions } from './options.ts';

/** What one check of a target has found. Hundreds of them wait to be written down, so nothing is kept that is not written: no certificate. */
export interface Result {
  readonly due: DueTarget;
  readonly memory: Memory;
  readonly found: Observation;
  /** Whether anything came back from anywhere. */
  readonly hasAnswered: boolean;
  /** It says nothing of the network. */
  readonly isOnThisMachine: boolean;
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
    const { row, text } = due;
    const { entry, near } = fromWatched(due, pinsFile);
    const judged = await ask(entry, { ...{ timeoutMs, retries, lookup, signal, near, hasFamily }, now: clock.now });
    const seconds = (clock.elapsed() - begun) / 1_000;
    const memory = readMemory(due.memory, row, text);
    const found = observe(judged.entry, judged, { ...memory, addresses: row.addresses }, hasFamily);
    const sign = { hasAnswered: hasAnswered(judged), isOnThisMachine: isOnThisMachine(judged.entry) };
    return { due, memory, found, ...sign, begun, seconds };
  }

  async allEnded(): Promise<void> {
    await Promise.allSettled(this.#underWay.keys());
  }

  stop(reason: unknown): void {
    for (const one of this.#underWay.values()) one.abort(reason);
  }
}
