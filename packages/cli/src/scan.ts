import { setTimeout as delay } from 'node:timers/promises';
import type { ProbeOptions } from 'certpin/probe';
import { type Answer, ask } from './ask.ts';
import type { FileReader } from './files/file-reader.ts';

export interface ScanOptions extends ProbeOptions {
  /** Targets that are asked at the same time. */
  readonly concurrency: number;
  /** How often a target is asked again after a failure that may pass. */
  readonly retries: number;
  /** Longest time for all targets together, in milliseconds; 0: no limit. */
  readonly totalTimeoutMs: number;
  /** Once aborted, nothing more is asked, and the answers end with those that are there. */
  readonly signal: AbortSignal;
  /** The form in which it will be printed. */
  readonly format: string | undefined;
  /** Reads the targets that are files. */
  readonly files: FileReader;
}

/** A target that is asked in a way of its own. */
export interface Question extends Pick<ProbeOptions, 'protocol' | 'servername'> {
  readonly target: string;
}

export interface Scanned extends Answer {
  /** Which of the targets, from 0. */
  readonly index: number;
}

/**
 * Asks every target, and yields the answers as they come. Targets are taken one at a time as others are done with, and a slow reader
 * slows it down: no more than `concurrency` targets and answers are held at once, however many there are.
 *
 * When the total time is over, those under way end with `ERR_CONNECT_TIMEOUT`, and no other is begun.
 */
export async function* scan(
  targets: AsyncIterable<string | Question>,
  options: ScanOptions,
): AsyncGenerator<Scanned, void, void> {
  const { concurrency, totalTimeoutMs, signal } = options;
  const source = numbered(targets);
  const finished: { readonly answer: Scanned; readonly taken: () => void }[] = [];
  let wake = (): void => undefined;
  let isOver = false;
  let asking = 0;
  let workers = concurrency;
  let failure: unknown;

  const work = async (): Promise<void> => {
    while (!isOver) {
      const next = await source.next();
      if (next.done || isOver) return;
      const [index, target] = next.value;
      asking++;
      const answer = await askAgain(target, { ...options, deadline });
      await new Promise<void>((taken) => {
        finished.push({ answer: { index, ...answer }, taken });
        asking--;
        wake();
      });
    }
  };
  const stop = (): void => {
    isOver = true;
    wake();
  };
  const deadline = totalTimeoutMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + totalTimeoutMs;
  const timer = totalTimeoutMs === 0 ? undefined : setTimeout(stop, totalTimeoutMs);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  for (let count = 0; count < concurrency; count++) {
    work()
      .catch((error: unknown) => {
        failure = error; // the targets could not be read to their end
      })
      .finally(() => {
        workers--;
        wake();
      });
  }
  try {
    for (;;) {
      const next = finished.shift();
      if (next !== undefined) {
        next.taken();
        yield next.answer;
      } else if (failure !== undefined) throw failure;
      else if (signal.aborted || workers === 0 || (isOver && asking === 0)) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    isOver = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    void source.return(); // not awaited: it waits for a line of standard input that may never come
  }
}

async function* numbered<Target>(
  targets: AsyncIterable<Target>,
): AsyncGenerator<readonly [number, Target], void, void> {
  let index = 0;
  for await (const target of targets) yield [index++, target];
}

/** Failures of the network that another attempt may not meet. What the server says, it says again. */
const passing = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ERR_CONNECTION_CLOSED',
  'ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
]);

async function askAgain(
  question: string | Question,
  options: ScanOptions & { readonly deadline: number },
): Promise<Answer> {
  const { timeoutMs = 10_000, retries, deadline, concurrency: _, totalTimeoutMs: __, ...common } = options;
  const { target, ...own } = typeof question === 'string' ? { target: question } : question;
  const asking = { ...common, ...own };
  const { signal } = asking;
  for (let attempt = 0; ; attempt++) {
    const left = Math.max(1, Math.ceil(deadline - performance.now()));
    const limit = Math.min(timeoutMs === 0 ? Number.POSITIVE_INFINITY : timeoutMs, left);
    const answer = await ask(target, { ...asking, timeoutMs: Number.isFinite(limit) ? limit : 0 });
    const { report } = answer;
    const pauseMs = Math.min(250 * 2 ** attempt, 4_000);
    if (report.ok || attempt >= retries || !passing.has(report.error.code)) return answer;
    if (signal.aborted || performance.now() + pauseMs >= deadline) return answer;
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}
