import type { DueTarget } from '../store/store.ts';
import { begin, countWitnesses } from './begin.ts';
import { Checks, type Result } from './checks.ts';
import { createJumpDetector } from './clock.ts';
import { isDead, OwnNetwork, type Sorted } from './network.ts';
import type { CycleOptions } from './options.ts';
import { OwnNews } from './own-news.ts';
import { Passes } from './passes.ts';
import { PinsWatch } from './pins-watch.ts';
import { StorePause } from './store-pause.ts';
import { writeDown } from './write-down.ts';

const TICK_MS = 1_000;
/** What is found is written down together, at the latest after this time. */
const FLUSH_MS = 250;
const FLUSH_COUNT = 200;
/** When a lost network is tried again, at some servers alone. */
const LOST_PAUSE_MS = 10_000;
/** So many servers are asked then, and before the network counts as lost. */
const SOME = 3;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Who may still speak for a network that is in doubt: one answer ends the doubt. */
interface Jury {
  /** Their checks are under way. */
  readonly open: Set<string>;
  /** Some that were not asked already are among them. */
  isComplete: boolean;
}

/** Asks the targets of a pins file, each at its interval, and writes down what follows. */
export class Cycle {
  readonly #options: CycleOptions;
  readonly #checks: Checks;
  readonly #passes: Passes;
  readonly #pause: StorePause;
  #news: OwnNews;
  #pins: PinsWatch;
  #network = new OwnNetwork<Result>(false);
  /** Their check is under way. */
  readonly #asking = new Set<string>();
  /** They were silent when the network counted as lost. Until they answer, their silence is their own: they cannot lose it again. */
  readonly #suspects = new Set<string>();
  /** Asked while the network is lost. Others are asked before them. */
  readonly #tried = new Set<string>();
  /** While the network is in doubt: who may still speak for it. undefined: it is not in doubt. */
  #jury: Jury | undefined;
  /** Asked, or not yet written down. */
  readonly #busy = new Set<string>();
  /** Could not be asked at all, and would fail again at once: until when each of them sits out. They are busy so long. */
  readonly #failed = new Map<string, number>();
  #waiting: Result[] = [];
  #flushAt = 0;
  /** What is begun earlier does not count: the machine has slept meanwhile. */
  #validSince = 0;
  #witnesses = 0;
  #isForced = false;
  #lostPauseUntil = 0;
  #pruneAt = 0;
  #wake = new AbortController();
  #isStopped = false;
  #isFilling = false;

  constructor(options: CycleOptions) {
    this.#options = options;
    this.#checks = new Checks(options);
    this.#passes = new Passes(options);
    this.#pause = new StorePause(options.clock, options.log);
    this.#news = new OwnNews(options);
    this.#pins = new PinsWatch(options, this.#news);
  }

  /** Reads the pins file again at once: SIGHUP. */
  reload(): void {
    this.#isForced = true;
    this.#wake.abort();
  }

  /**
   * Takes up what the store knows, and reads the pins file.
   *
   * @throws PinsFileError where the file cannot be read and the store has no earlier one; StoreError
   */
  async begin(): Promise<void> {
    const { before, news, pins } = await begin(this.#options, false);
    this.#news = news;
    this.#pins = pins;
    this.#network = new OwnNetwork<Result>(before.networkLostAt !== null);
    await this.#count();
  }

  /** Runs until the signal is aborted. What is under way then is dropped, and what was found is written down. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const jumped = createJumpDetector(clock, TICK_MS);
    this.#obey(signal);
    while (!this.#isStopped) {
      await this.#pause.guard(async () => {
        const jump = jumped();
        if (jump !== undefined) await this.#forgetUnderWay(jump);
        await this.#readFile();
        await this.#fill();
        if (!this.#pause.isOn) await this.#news.write();
        await this.#flush(false);
        await this.#keepHouse();
      });
      const pause = this.#waiting.length > 0 ? FLUSH_MS : TICK_MS;
      if (!this.#isStopped) await clock.sleep(pause, this.#wake.signal);
      if (this.#wake.signal.aborted) this.#wake = new AbortController();
    }
    await this.#checks.allEnded();
    await this.#pause.guard(() => this.#flush(true));
    await this.#pause.guard(() => this.#news.write());
  }

  #obey(signal: AbortSignal): void {
    const stop = (): void => {
      this.#isStopped = true;
      this.#checks.stop(signal.reason);
      this.#wake.abort();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  }

  async #forgetUnderWay(jump: number): Promise<void> {
    const { clock, log, store } = this.#options;
    log('clock-jumped', { seconds: jump / 1_000 });
    this.#validSince = clock.elapsed();
    for (const { due } of this.#network.release(Number.POSITIVE_INFINITY, 0)) this.#busy.delete(due.row.key);
    this.#jury = undefined;
    await store.clampDue(clock.now());
  }

  async #readFile(): Promise<void> {
    const isForced = this.#isForced;
    this.#isForced = false;
    const hasChanged = await this.#pins.poll(isForced);
    if (hasChanged) {
      this.#suspects.clear(); // some of them may not be in the file any more
      await this.#count();
    }
    for (const [key, until] of this.#failed)
      if (hasChanged || this.#options.clock.elapsed() >= until) {
        this.#failed.delete(key);
        this.#busy.delete(key);
      }
  }

  async #count(): Promise<void> {
    this.#witnesses = await countWitnesses(this.#options.store);
  }

  /** Begins as many checks as there is room for. */
  async #fill(): Promise<void> {
    if (this.#isFilling || this.#isStopped || this.#pause.isOn) return;
    this.#isFilling = true; // two at once would find the same targets
    try {
      await (this.#network.isLost ? this.#fillLost() : this.#fillAll());
    } finally {
      this.#isFilling = false;
    }
  }

  async #fillAll(): Promise<void> {
    const { store, clock, concurrency } = this.#options;
    const room = concurrency - this.#checks.count;
    if (room <= 0) return;
    const due = await store.due(clock.now(), room, this.#busy);
    for (const one of due) this.#start(one);
    this.#passes.add(due.length);
    if (this.#jury !== undefined && !this.#jury.isComplete) await this.#completeJury(this.#jury);
    // Servers are silent, and no other is being asked who would speak for the network: some are, before their time.
    if (this.#network.held === 0 || this.#checks.count > 0) return;
    const missing = OwnNetwork.needed(this.#witnesses) - this.#network.held;
    for (const one of await store.answered(Math.min(missing, concurrency), this.#busy)) this.#start(one);
  }

  /** The silent ones may be servers of one place that is down. Before the network counts as lost, some others are asked. */
  async #completeJury(jury: Jury): Promise<void> {
    const others = await this.#options.store.answered(SOME, new Set([...this.#busy, ...this.#suspects]));
    for (const due of others) {
      jury.open.add(due.row.key);
      this.#start(due);
    }
    jury.isComplete = true;
    this.#judge();
  }

  /** A few servers, from time to time, until one of them answers. */
  async #fillLost(): Promise<void> {
    const { store, clock } = this.#options;
    const elapsed = clock.elapsed();
    if (elapsed < this.#lostPauseUntil || this.#checks.count > 0) return;
    this.#lostPauseUntil = elapsed + LOST_PAUSE_MS;
    const others = new Set([...this.#busy, ...this.#tried]);
    const known = await store.answered(SOME, others);
    const some = known.length > 0 ? known : await store.due(clock.now(), SOME, others);
    if (some.length === 0) this.#tried.clear(); // everybody had a turn
    for (const due of some) {
      this.#tried.add(due.row.key);
      this.#start(due);
    }
  }

  #start(due: DueTarget): void {
    const { clock, concurrency, log, recheckMs, onFailed } = this.#options;
    const { key, label } = due.row;
    this.#busy.add(key);
    this.#asking.add(key);
    this.#checks.start(
      due,
      (result) => this.#sort(result),
      (error) => {
        this.#asking.delete(key);
        this.#jury?.open.delete(key);
        this.#judge();
        this.#failed.set(key, clock.elapsed() + recheckMs);
        onFailed?.(key);
        if (!this.#isStopped) log('check-failed', { target: label, error: String(error) });
      },
      () => {
        if (this.#checks.count * 2 > concurrency) return;
        void this.#pause.guard(() => this.#fill()).catch(() => this.#wake.abort());
      },
    );
  }

  /** Whether what was found counts, waits or is forgotten. */
  async #sort(result: Result): Promise<void> {
    const { clock } = this.#options;
    const { due, hasAnswered: answered, isOnThisMachine, begun } = result;
    const { key } = due.row;
    this.#asking.delete(key);
    this.#jury?.open.delete(key);
    if (begun < this.#validSince && !answered) {
      this.#busy.delete(key); // it is due still
      this.#judge();
      return;
    }
    if (answered || isDead(due.row)) this.#suspects.delete(key);
    const sign = { hasAnswered: answered, isWitness: !isDead(due.row) && !this.#suspects.has(key) };
    this.#take(
      isOnThisMachine
        ? { valid: [result], forgotten: [], event: undefined }
        : this.#network.add(result, sign, this.#within(), clock.elapsed(), false),
    );
    if (!this.#network.isInDoubt(this.#within())) this.#jury = undefined;
    else if (this.#jury === undefined) {
      this.#jury = { open: new Set(this.#asking), isComplete: false };
      this.#wake.abort(); // others are asked at once
    }
    this.#judge();
    if (this.#waiting.length >= FLUSH_COUNT) await this.#pause.guard(() => this.#flush(true));
  }

  /** How many servers are within reach, as far as is known. */
  #within(): number {
    return Math.max(0, this.#witnesses - this.#suspects.size);
  }

  /** The network is lost when everybody who could speak for it was silent, too. */
  #judge(): void {
    if (this.#jury?.isComplete !== true || this.#jury.open.size > 0) return;
    this.#jury = undefined;
    this.#take(this.#network.lose(this.#within()));
  }

  #take({ valid, forgotten, event }: Sorted<Result>): void {
    const { clock } = this.#options;
    this.#waiting.push(...valid);
    if (this.#flushAt === 0 && valid.length > 0) {
      this.#flushAt = clock.elapsed() + FLUSH_MS;
      this.#wake.abort(); // in time for it
    }
    if (event === 'lost') {
      this.#lostPauseUntil = clock.elapsed() + LOST_PAUSE_MS;
      this.#tried.clear();
    }
    for (const { due } of forgotten) {
      this.#busy.delete(due.row.key);
      this.#suspects.add(due.row.key);
      this.#tried.add(due.row.key);
    }
    if (event === undefined) return;
    this.#news.networkIs(event);
    this.#wake.abort();
  }

  async #flush(isForced: boolean): Promise<void> {
    const { clock, timeoutMs, retries, concurrency } = this.#options;
    const elapsed = clock.elapsed();
    // As long as it may take to ask enough servers, if all of them are silent.
    const turns = 1 + Math.ceil(OwnNetwork.needed(this.#witnesses) / concurrency);
    const longestMs = Math.max(30_000, turns * (retries + 1) * timeoutMs);
    if (this.#jury === undefined) this.#waiting.push(...this.#network.release(elapsed, longestMs));
    const isRipe = isForced || this.#waiting.length >= FLUSH_COUNT || elapsed >= this.#flushAt;
    if (this.#waiting.length === 0 || !isRipe) return;
    const results = this.#waiting;
    this.#waiting = [];
    this.#flushAt = 0;
    try {
      await writeDown(results, this.#options);
      this.#pause.end();
    } finally {
      for (const { due } of results) this.#busy.delete(due.row.key);
    }
  }

  async #keepHouse(): Promise<void> {
    const { store, clock, keepDays } = this.#options;
    const elapsed = clock.elapsed();
    const now = clock.now();
    if (!this.#network.isLost && !this.#pause.isOn) {
      const next = await store.nextDueAt();
      const isIdle = this.#busy.size === 0 && (next === null || next > now);
      if (isIdle) {
        if (await this.#passes.end(this.#witnesses)) await this.#count();
      } else await this.#passes.goOn(next);
    }
    if (elapsed < this.#pruneAt) return;
    this.#pruneAt = elapsed + HOUR_MS;
    await this.#count();
    await store.prune({ transitions: now - keepDays.transitions * DAY_MS, days: now - keepDays.days * DAY_MS });
  }
}
