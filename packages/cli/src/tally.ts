import type { Answer } from './ask.ts';

/** Counts what became of the targets of a list. */
export class Tally {
  /** The targets, to be taken from here, so that it is known whether all of them were. */
  readonly targets: AsyncIterable<string>;
  done = 0;
  failed = 0;
  isComplete = false;
  readonly #failures = new Map<string, number>();

  constructor(targets: AsyncIterable<string>) {
    this.targets = this.#watch(targets);
  }

  count(report: Answer['report']): void {
    this.done++;
    if (report.ok) return;
    this.failed++;
    const { code } = report.error;
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
  }

  /** `5 targets, 3 read, 2 failed (ENOTFOUND 2)`; the codes that are met most stand first. */
  toString(): string {
    const codes = [...this.#failures].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
    const failures = this.failed === 0 ? '' : `, ${this.failed} failed (${codes.join(', ')})`;
    return `${this.done} ${this.done === 1 ? 'target' : 'targets'}, ${this.done - this.failed} read${failures}`;
  }

  async *#watch(targets: AsyncIterable<string>): AsyncGenerator<string, void, void> {
    yield* targets;
    this.isComplete = true;
  }
}
