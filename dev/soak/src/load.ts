import { findCertpinError } from 'certpin';

/**
 * What operations may see in a phase:
 * - `works`: every one succeeds;
 * - `interrupted`: the right server comes and goes. No error says that it was refused;
 * - `refused`: none succeeds, and every error is certpin's;
 * - `changing`: the way into and out of `refused`, where connections of either side end.
 */
export type Expectation = 'works' | 'interrupted' | 'refused' | 'changing';

/** How often operations ended in each way. */
export interface Tally {
  readonly operations: number;
  /** Failures with a `CertpinError`, by its code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** All other failures, by the code of Node, the driver or the server. Without a code, by the first line of the message. */
  readonly connectionErrors: Readonly<Record<string, number>>;
}

export interface LoadOptions {
  /** One operation: sends something to the server, and has its answer. */
  readonly exchange: () => Promise<void>;
  /** How many operations are in progress at any time. */
  readonly workers: number;
  /** Errors of Node, the driver and the server that may come while a connection ends. */
  readonly connectionErrors: ReadonlySet<string>;
  /** Milliseconds after which an operation hangs. */
  readonly deadlineMs: number;
  readonly fault: (text: string) => void;
}

interface Phase {
  readonly name: string;
  readonly expectation: Expectation;
}

/** Milliseconds that a worker waits after a failure, as a program would. */
const RETRY_AFTER_MS = 10;

/** Operations without end. Each is judged by the phases in which it began and ended. */
export class Load {
  readonly #options: LoadOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #refusals: Record<string, number> = {};
  readonly #connectionErrors: Record<string, number> = {};
  #operations = 0;
  #phase: Phase = { name: 'the start', expectation: 'interrupted' };
  #paused: Promise<void> | undefined;
  #resume = (): void => undefined;
  #stopped = false;
  #workers: Promise<unknown> = Promise.resolve();

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  get tally(): Tally {
    const [refusals, connectionErrors] = [{ ...this.#refusals }, { ...this.#connectionErrors }];
    return { operations: this.#operations, refusals, connectionErrors };
  }

  start(): void {
    this.#workers = Promise.all(Array.from({ length: this.#options.workers }, () => this.#work()));
  }

  begin(expectation: Expectation, name: string): void {
    this.#phase = { expectation, name };
  }

  /** Waits until every operation that is in progress now has ended. */
  async turnover(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** No operation is in progress when this returns. Connections stay open. */
  async pause(): Promise<void> {
    this.#paused = new Promise((resolve) => {
      this.#resume = resolve;
    });
    await this.turnover();
  }

  resume(): void {
    this.#paused = undefined;
    this.#resume();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#workers;
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      await this.#paused;
      const phase = this.#phase;
      let failed = false;
      const operation = this.#operate().then((error) => {
        failed = error !== undefined;
        this.#operations++;
        this.#judge(error, between(phase, this.#phase));
      });
      this.#underWay.add(operation);
      await operation;
      this.#underWay.delete(operation);
      if (failed) await delay(RETRY_AFTER_MS);
    }
  }

  /** @returns the error, where there was one */
  async #operate(): Promise<unknown> {
    try {
      await within(this.#options.exchange(), this.#options.deadlineMs);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #judge(error: unknown, { name, expectation }: Phase): void {
    const fault = (text: string): void => this.#options.fault(`${name}: ${text}`);
    if (error === undefined) {
      if (expectation === 'refused') fault('an operation succeeded');
      return;
    }
    if (error instanceof Overdue) {
      fault(`an operation has no end: ${error.message}`);
      return;
    }
    const refusal = findCertpinError(error);
    if (refusal !== undefined) {
      count(this.#refusals, refusal.code);
      if (expectation === 'works') fault(`failed with ${refusal.code}`);
      if (expectation === 'interrupted' && 'verdict' in refusal.details) {
        fault(`the right server was refused with ${refusal.code}`);
      }
      return;
    }
    const code = codeOf(error);
    count(this.#connectionErrors, code);
    if (expectation === 'works' || expectation === 'refused') fault(`failed with ${code}`);
    else if (!this.#options.connectionErrors.has(code)) fault(`failed with an error that no connection has: ${code}`);
  }
}

class Overdue extends Error {}

/** @throws Overdue where the promise is not settled in time */
export async function within<Value>(promise: Promise<Value>, timeoutMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Overdue(`not within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** An operation that began in one phase and ended in another may see what happens between them. */
function between(first: Phase, last: Phase): Phase {
  if (first === last) return first;
  const changing = [first, last].some(({ expectation }) => expectation === 'refused' || expectation === 'changing');
  return { name: `from ${first.name} to ${last.name}`, expectation: changing ? 'changing' : 'interrupted' };
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: string };
  return String(code ?? message?.split('\n')[0] ?? error);
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
