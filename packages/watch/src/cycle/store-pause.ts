import type { Log } from '../log.ts';
import { StoreError } from '../store/store-error.ts';
import type { Clock } from './clock.ts';

/** Twice as long each time. */
const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;

/** A full disk, or a file that is being written by others, ends nothing: the next check finds what was not written down. */
export class StorePause {
  readonly #clock: Clock;
  readonly #log: Log;
  #until = 0;
  #nextMs = FIRST_MS;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Nothing could be written a moment ago, so nothing new is to be found out. */
  get isOn(): boolean {
    return this.#clock.elapsed() < this.#until;
  }

  /** Something was written again. */
  end(): void {
    this.#nextMs = FIRST_MS;
  }

  /** @throws what does not pass by itself */
  async guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StoreError) || !error.mayPass) throw error;
      if (this.isOn) return; // it is known
      this.#until = this.#clock.elapsed() + this.#nextMs;
      this.#log('store-failed', { error: error.message, againInSeconds: this.#nextMs / 1_000 });
      this.#nextMs = Math.min(2 * this.#nextMs, LONGEST_MS);
    }
  }
}
