import type { LoginRecord } from '@certpin/testkit/tenant';

/** What happened to the logins over one connection. */
export interface Count {
  readonly logins: number;
  /** Failures in containers that end during the wait. */
  readonly failures: number;
  /** From the begin of the first of them to the end of the last one. */
  readonly outageSeconds: number;
  /** Failures in containers that keep an old configuration for longer than the wait. */
  readonly outlived: number;
}

/** One second of the load, over both connections. */
export interface Second {
  readonly logins: number;
  readonly failures: number;
  readonly outlived: number;
}

/** Counts logins by what the containers report. */
export class Tally {
  #logins = 0;
  #failures = 0;
  #outlived = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  add(record: LoginRecord): void {
    this.#logins++;
    if (!isFailed(record)) return;
    if (hasOutlived(record)) {
      this.#outlived++;
      return;
    }
    this.#failures++;
    this.#first = Math.min(this.#first, record.startedAt);
    this.#last = Math.max(this.#last, record.startedAt + record.durationMs);
  }

  get count(): Count {
    const outageSeconds = this.#failures === 0 ? 0 : (this.#last - this.#first) / 1000;
    return { logins: this.#logins, failures: this.#failures, outageSeconds, outlived: this.#outlived };
  }

  /** When the last login failed, in a container inside the wait. */
  get lastFailureAt(): number | undefined {
    return this.#failures === 0 ? undefined : this.#last;
  }
}

/** The same by seconds, for a chart. */
export class Course {
  readonly #began = Date.now();
  readonly #seconds: { logins: number; failures: number; outlived: number }[] = [];
  readonly #marks: { readonly second: number; readonly text: string }[] = [];

  add(record: LoginRecord): void {
    const index = Math.max(0, Math.floor((record.startedAt + record.durationMs - this.#began) / 1000));
    while (this.#seconds.length <= index) this.#seconds.push({ logins: 0, failures: 0, outlived: 0 });
    const second = this.#seconds[index];
    if (second === undefined) return;
    second.logins++;
    if (isFailed(record)) second[hasOutlived(record) ? 'outlived' : 'failures']++;
  }

  mark(text: string): void {
    this.#marks.push({ second: (Date.now() - this.#began) / 1000, text });
  }

  get seconds(): readonly Second[] {
    return this.#seconds;
  }

  get marks(): readonly { readonly second: number; readonly text: string }[] {
    return this.#marks;
  }
}

function isFailed({ result }: LoginRecord): boolean {
  return 'error' in result;
}

function hasOutlived({ outlier, generation, latest }: LoginRecord): boolean {
  return outlier && generation < latest;
}
