import type { ShownTarget } from '../command-line/target.ts';
import type { Answer } from './answer.ts';

/** Counts the outcomes of the targets of a list. */
export class Tally {
  /** Take the targets from here: so it is known whether all of them were taken. */
  readonly targets: AsyncIterable<ShownTarget>;
  done = 0;
  failed = 0;
  isComplete = false;
  readonly #failures = new Map<string, number>();

  constructor(targets: AsyncIterable<ShownTarget>) {
    this.targets = this.#watch(targets);
  }

  count({ failure }: Answer): void {
    this.done++;
    if (failure === undefined) return;
    this.failed++;
    const { code } = failure;
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
  }

  /** `5 targets, 3 read, 2 failed (ENOTFOUND 2)`. The most frequent codes come first. */
  toString(): string {
    const codes = [...this.#failures].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
    const failures = this.failed === 0 ? '' : `, ${this.failed} failed (${codes.join(', ')})`;
    return `${this.done} ${this.done === 1 ? 'target' : 'targets'}, ${this.done - this.failed} read${failures}`;
  }

  async *#watch(targets: AsyncIterable<ShownTarget>): AsyncGenerator<ShownTarget, void, void> {
    yield* targets;
    this.isComplete = true;
  }
}
