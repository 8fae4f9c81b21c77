import type { DueTarget } from '../store/store.ts';
import { begin, countWitnesses } from './begin.ts';
import { Checks, type Result } from './checks.ts';
import { isDead, OwnNetwork } from './network.ts';
import type { CycleOptions } from './options.ts';
import { Passes } from './passes.ts';
import { type Found, writeDown } from './write-down.ts';

/** Targets that are taken from the store at a time. */
const TAKE = 500;
/** What is found is written down together: when there is so much of it, and at the latest after this time. A kill loses no more than that. */
const WRITE_COUNT = 500;
const WRITE_MS = 1_000;

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
 * @throws PinsFileError where the file cannot be read and the store has no earlier one
 * @throws StoreError where the store fails. Nobody was told of what is not written, and the next run asks it again
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
  const over = new AbortController();
  let waiting: Result[] = [];
  let writeAt = 0;
  /** Due, and not asked yet: the next one is the last. */
  let ahead: DueTarget[] = [];
  /** The store has no other one that is due. */
  let isDry = false;
  /** Who is due and must not be asked: nobody is asked twice, unless the first question went nowhere. */
  const asked = new Set<string>();
  const tried = new Set<string>();
  let hasAnybodyAnswered = false;
  let isSecondTry = false;
  /** Something has happened that the loop below is to look at. */
  let wake = (): void => undefined;

  const take = (result: Result): void => {
    const answered = result.hasAnswered && !result.isOnThisMachine;
    // Where anybody has answered in this run, a silent server is silent by itself.
    const isWitness = !hasAnybodyAnswered && !isDead(result.due.row);
    const sign = { hasAnswered: answered, isWitness };
    const { valid, forgotten } = result.isOnThisMachine
      ? { valid: [result], forgotten: [] }
      : network.add(result, sign, witnesses, 0);
    if (waiting.length === 0 && valid.length > 0) {
      writeAt = clock.elapsed() + WRITE_MS;
      // A slow server does not keep the others waiting.
      void clock.sleep(WRITE_MS, over.signal).then(() => wake());
    }
    waiting.push(...valid);
    if (forgotten.length > 0) {
      for (const { due } of forgotten) asked.delete(due.row.key);
      ahead = []; // they are due as before, and some of them may be asked out of their turn
      isDry = false;
    }
    if (answered && !hasAnybodyAnswered && before.networkLostAt !== null) news.networkIs('back');
    hasAnybodyAnswered ||= answered;
  };
  const start = (due: DueTarget): void => {
    const { key, label } = due.row;
    asked.add(key);
    if (!hasAnybodyAnswered) tried.add(key);
    checks.start(
      due,
      take,
      (error) => {
        if (!signal.aborted) failed.push({ label, error: error instanceof Error ? error.message : String(error) });
      },
      () => wake(),
    );
  };
  const fill = async (): Promise<void> => {
    while (!network.isLost && !signal.aborted && checks.count < concurrency) {
      const next = ahead.pop();
      if (next !== undefined) {
        start(next);
        passes.add(1);
      } else if (isDry) return;
      else {
        // What is written is not due any more. So the store has to leave out only those that are under way.
        await write();
        ahead = [...(await store.due(at, TAKE, asked))].reverse();
        isDry = ahead.length < TAKE;
      }
    }
    if (!network.isLost || signal.aborted || checks.count > 0 || isSecondTry) return;
    // The first ones may be servers of one place that is cut off: others speak for the network, if they can.
    isSecondTry = true;
    for (const one of await store.answered(concurrency, tried)) start(one);
  };
  const write = async (): Promise<void> => {
    await news.write();
    const results = waiting;
    waiting = [];
    if (results.length === 0) return;
    const written = await writeDown(results, options);
    for (const one of written.found) found.push(one);
    for (const key of written.keys) asked.delete(key);
  };

  const stop = (): void => checks.stop(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (let isOver = false; !isOver; ) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await fill();
      isOver = checks.count === 0 && (signal.aborted || isSecondTry || !network.isLost);
      if (isOver) waiting.push(...network.release(Number.POSITIVE_INFINITY, 0));
      const isRipe = waiting.length >= WRITE_COUNT || (waiting.length > 0 && clock.elapsed() >= writeAt);
      if (isOver || isRipe) await write();
      if (!isOver) await woken;
    }
    const isCutOff = network.isLost;
    if (isCutOff && before.networkLostAt === null) news.networkIs('lost');
    await write();
    if (found.length === total) await passes.end(witnesses);
    return { found, targets: total, isCutOff, fileError: pins.error, failed };
  } finally {
    signal.removeEventListener('abort', stop);
    over.abort();
    checks.stop(signal.reason);
    await checks.allEnded();
  }
}
