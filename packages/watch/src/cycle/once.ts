import type { DueTarget } from '../store/store.ts';
import { begin, countWitnesses } from './begin.ts';
import { Checks, type Result } from './checks.ts';
import { hasAnswered, isDead, OwnNetwork } from './network.ts';
import type { CycleOptions } from './options.ts';
import { Passes } from './passes.ts';
import { type Found, writeDown } from './write-down.ts';

/** What one run over all targets has found. */
export interface OnceResult {
  /** The state of each target that was asked, at this one check. */
  readonly found: readonly Found[];
  /** How many targets there are. Where fewer were found, the others were not asked. */
  readonly targets: number;
  /** The watcher itself reached nobody. */
  readonly isCutOff: boolean;
  /** Why the pins file cannot be read: the targets are those of the last good one. */
  readonly fileError: string | null;
  /** Targets that could not be asked at all. */
  readonly failed: readonly { readonly label: string; readonly error: string }[];
}

/**
 * Asks every target once, and writes down what follows.
 *
 * @throws PinsFileError where the file cannot be read and the store has no earlier one; StoreError
 */
export async function runOnce(options: CycleOptions, signal: AbortSignal): Promise<OnceResult> {
  const { store, clock, concurrency } = options;
  const { before, news, pins } = await begin(options, true);
  const at = clock.now();
  await store.allDue(at);
  const witnesses = await countWitnesses(store);
  const { total } = await store.targets({ limit: 1 });

  const [checks, passes, network] = [new Checks(options), new Passes(options), new OwnNetwork<Result>(false)];
  const [found, failed]: [Found[], { label: string; error: string }[]] = [[], []];
  let waiting: Result[] = [];
  /** Who is due and must not be asked: nobody is asked twice, unless the first question went nowhere. */
  const asked = new Set<string>();
  const tried = new Set<string>();
  let hasAnybodyAnswered = false;
  let isSecondTry = false;

  const take = (result: Result): void => {
    const answered = hasAnswered(result.judged);
    // Where anybody has answered in this run, a silent server is silent by itself.
    const isWitness = !hasAnybodyAnswered && !isDead(result.due.row);
    const { valid, forgotten } = network.add(result, { hasAnswered: answered, isWitness }, witnesses, 0);
    waiting.push(...valid);
    for (const { due } of forgotten) asked.delete(due.row.key);
    if (answered && !hasAnybodyAnswered && before.networkLostAt !== null) news.networkIs('back');
    hasAnybodyAnswered ||= answered;
  };
  const start = (due: DueTarget): void => {
    const { key, label } = due.row;
    asked.add(key);
    tried.add(key);
    checks.start(due, take, (error) => {
      if (!signal.aborted) failed.push({ label, error: error instanceof Error ? error.message : String(error) });
    });
  };
  const fill = async (): Promise<void> => {
    if (signal.aborted) return;
    if (!network.isLost) {
      const due = await store.due(at, concurrency - checks.count, asked);
      for (const one of due) start(one);
      passes.add(due.length);
    } else if (checks.count === 0 && !isSecondTry) {
      // The first ones may be servers of one place that is cut off: others speak for the network, if they can.
      isSecondTry = true;
      for (const one of await store.answered(concurrency, tried)) start(one);
    }
  };
  const write = async (): Promise<void> => {
    await news.write();
    const results = waiting;
    waiting = [];
    if (results.length === 0) return;
    const written = await writeDown(results, options);
    found.push(...written.found);
    // What is written is not due any more. The store looks through all that it must leave out, so the set has to stay small.
    for (const key of written.keys) asked.delete(key);
  };

  const stop = (): void => checks.stop(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (let isOver = false; !isOver; ) {
      if (checks.count > 0) await checks.oneEnded();
      await fill();
      isOver = checks.count === 0 && (signal.aborted || isSecondTry || !network.isLost);
      if (isOver) waiting.push(...network.release(Number.POSITIVE_INFINITY, 0));
      await write();
    }
    const isCutOff = network.isLost;
    if (isCutOff && before.networkLostAt === null) news.networkIs('lost');
    await write();
    if (found.length === total) await passes.end(witnesses);
    return { found, targets: total, isCutOff, fileError: pins.error, failed };
  } finally {
    signal.removeEventListener('abort', stop);
    checks.stop(signal.reason);
    await checks.allEnded();
  }
}
