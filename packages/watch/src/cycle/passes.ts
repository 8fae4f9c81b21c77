import type { WatcherRow } from '../types.ts';
import { isCaughtUp } from './caught-up.ts';
import type { CycleOptions } from './options.ts';

/** How often it is written down that nothing is late. */
const CAUGHT_UP_MS = 30_000;

/** Sees when nothing is left that is due. A pass over most of the targets is measured. */
export class Passes {
  readonly #options: CycleOptions;
  #begun: number | undefined;
  #targets = 0;
  #caughtUpAt = 0;
  #lookAgainAt = 0;

  constructor(options: CycleOptions) {
    this.#options = options;
  }

  /** So many checks were begun. */
  add(count: number): void {
    if (count > 0) this.#begun ??= this.#options.clock.elapsed();
    this.#targets += count;
  }

  /** With many targets, some check is always under way. Nothing is late all the same, if none of them is overdue. @param next due target */
  async goOn(next: number | null): Promise<void> {
    const { store, clock } = this.#options;
    const elapsed = clock.elapsed();
    if (elapsed < this.#lookAgainAt) return;
    this.#lookAgainAt = elapsed + CAUGHT_UP_MS;
    const now = clock.now();
    if (await isCaughtUp(store, now, next)) await store.recordWatcher({ caughtUpAt: now });
  }

  /** @returns whether it was one over most of the targets */
  async end(witnesses: number): Promise<boolean> {
    const { store, clock } = this.#options;
    const now = clock.now();
    const seconds = this.#begun === undefined ? 0 : (clock.elapsed() - this.#begun) / 1_000;
    const isWhole = this.#targets > 0 && this.#targets * 2 >= witnesses;
    const pass: Partial<WatcherRow> = isWhole ? { passTargets: this.#targets, passSeconds: seconds } : {};
    this.#begun = undefined;
    this.#targets = 0;
    if (!isWhole && now - this.#caughtUpAt < CAUGHT_UP_MS && now >= this.#caughtUpAt) return false;
    this.#caughtUpAt = now;
    await store.recordWatcher({ caughtUpAt: now, ...pass });
    return isWhole;
  }
}
