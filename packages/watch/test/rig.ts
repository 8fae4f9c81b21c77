import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP, type LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { askEntry } from '../src/cycle/ask.ts';
import type { Clock } from '../src/cycle/clock.ts';
import { Cycle } from '../src/cycle/cycle.ts';
import { withLookAhead } from '../src/cycle/look-ahead.ts';
import { type OnceResult, runOnce } from '../src/cycle/once.ts';
import type { CycleOptions } from '../src/cycle/options.ts';
import { hasGlobalAddress } from '../src/cycle/own-addresses.ts';
import { defaultHysteresis } from '../src/states/hysteresis.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import type { Store } from '../src/store/store.ts';
import type { State, StoredTransition } from '../src/types.ts';

export const MINUTE: number = 60_000;
export const HOUR: number = 60 * MINUTE;

/** How far the clock goes on at a time. The watcher looks around once a second; on a busy machine it is later than that, too. */
const STEP_MS = 5_000;

/** A clock in which hours pass at once. The servers are real, and so is the time that they take: it stands still meanwhile. */
class FakeClock implements Clock {
  #now = Date.now();
  #elapsed = 1_000;
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();

  readonly now = (): number => this.#now;
  readonly elapsed = (): number => this.#elapsed;

  readonly sleep = (milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { at: this.#elapsed + milliseconds, wake };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });

  get isWaitedFor(): boolean {
    return this.#sleepers.size > 0;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    this.#elapsed += milliseconds;
    for (const { at, wake } of [...this.#sleepers]) if (at <= this.#elapsed) wake();
  }

  /** Somebody sets the clock, or the machine sleeps: only the one clock goes on. */
  jump(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

export interface Rig {
  readonly clock: FakeClock;
  readonly folder: string;
  readonly pinsFile: string;
  readonly storeFile: string;
  store: Store;
  readonly events: { readonly event: string; readonly fields: Readonly<Record<string, unknown>> }[];
  readonly writePins: (targets: readonly object[]) => void;
  /** Time passes while it watches; checks end before more of it does. */
  readonly pass: (milliseconds: number) => Promise<void>;
  /** Ends the watcher, and begins anew with the same store. */
  readonly restart: (changes?: Partial<CycleOptions>) => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly once: (stop?: AbortSignal) => Promise<OnceResult>;
  /** From the oldest to the newest. */
  readonly transitions: () => Promise<readonly StoredTransition[]>;
  /** `null>drift`, `drift>holds`, of one target or all. */
  readonly changes: () => Promise<readonly string[]>;
  /** What a receiver would hear, in the same words. Default: the one that hears of everything. */
  readonly told: (receiver?: string) => Promise<readonly string[]>;
  readonly stateOf: (label: string) => Promise<State | null>;
  /** Checks that have ended. */
  readonly checks: () => number;
}

/** The name of the receiver that hears of everything. */
const RECEIVER = 'all';

export async function startRig(
  t: TestContext,
  targets: readonly object[],
  changes: Partial<CycleOptions> = {},
): Promise<Rig> {
  const clock = new FakeClock();
  const folder = mkdtempSync(join(tmpdir(), 'certpin-watch-'));
  const pinsFile = join(folder, 'certpin.json');
  const storeFile = join(folder, 'watch.db');
  const events: Rig['events'] = [];
  let underWay = 0;
  let ended = 0;
  let running: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
  let options = changes;
  let failure: { readonly error: unknown } | undefined;
  let isOver = false;

  const make = (store: Store): CycleOptions => ({
    ...{ store, clock, pinsFile, version: '0.0.0' },
    log: (event, fields = {}) => events.push({ event, fields }),
    // A minted certificate is valid for 30 days.
    defaults: { intervalMs: HOUR, expiresWithin: { milliseconds: 0 } },
    ...{ hysteresis: defaultHysteresis, concurrency: 8, timeoutMs: 2_000, retries: 0, recheckMs: MINUTE },
    keepDays: { transitions: 400, days: 90 },
    chooseReceivers: ({ kind }) => (kind === 'remarked' || kind === 'unremarked' ? [] : [RECEIVER]),
    rotating: () => new Set(),
    hasFamily: hasGlobalAddress,
    poke: () => undefined,
    ...options,
    ask: async (...values) => {
      underWay++;
      try {
        return await (options.ask ?? askEntry)(...values);
      } finally {
        underWay--;
        ended++;
      }
    },
  });

  const begin = async (): Promise<void> => {
    const cycle = new Cycle(make(withLookAhead(rig.store, clock)));
    await cycle.begin();
    const stop = new AbortController();
    const done = cycle.run(stop.signal);
    running = { stop, done };
    done.catch((error: unknown) => {
      failure = { error };
    });
    await settle();
  };
  const end = async (): Promise<void> => {
    running?.stop.abort();
    await running?.done;
    running = undefined;
  };
  /** Every check has ended, what it has found is written down, and the watcher waits. */
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 3; ) {
      // A check takes real time: looking all the time would take the processor from its server.
      await (underWay > 0 ? delay(2) : turn());
      if (failure !== undefined) throw failure.error;
      // A test may let time pass beside it, and end before that.
      if (isOver) throw new Error('the test is over');
      quiet = underWay === 0 && clock.isWaitedFor ? quiet + 1 : 0;
    }
  };

  const rig: Rig = {
    ...{ clock, folder, pinsFile, storeFile, events },
    store: openSqliteStore(storeFile, { watches: true, now: clock.now }),
    writePins: (given) => writeFileSync(pinsFile, JSON.stringify({ version: 2, targets: given })),
    async pass(milliseconds) {
      if (running === undefined) await begin();
      for (let left = milliseconds; left > 0; left -= STEP_MS) {
        clock.advance(Math.min(left, STEP_MS));
        await settle();
      }
    },
    async restart(next) {
      await rig.stop();
      options = { ...options, ...next };
      rig.store = openSqliteStore(storeFile, { watches: true, now: clock.now });
    },
    async stop() {
      await end();
      await rig.store.close();
    },
    once: (stop = new AbortController().signal) => runOnce(make(rig.store), stop),
    transitions: async () => [...(await rig.store.transitions({ limit: 100_000 }))].reverse(),
    changes: async () => (await rig.transitions()).filter(({ kind }) => kind === 'changed').map(toWords),
    async told(receiver = RECEIVER) {
      const message = await rig.store.claimMessage({
        ...{ receiver, now: clock.now(), leaseUntil: clock.now() + 1, max: 100_000, ripeAt: clock.now() },
      });
      if (message === undefined) return [];
      await rig.store.markSent(message.id, clock.now());
      return message.transitions.map(toWords);
    },
    stateOf: async (label) => (await rig.store.targets({ search: label })).rows[0]?.state ?? null,
    checks: () => ended,
  };
  rig.writePins(targets);
  t.after(async () => {
    isOver = true;
    await rig.stop().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  });
  return rig;
}

function toWords({ kind, from, to, remark }: StoredTransition): string {
  if (kind === 'changed') return `${from}>${to}`;
  if (kind === 'unmuted') return `unmuted ${from}>${to}`;
  return remark === null ? kind : `${kind} ${remark}`;
}

/** Knows these names, each with its addresses; no other. */
export function createLookup(names: Readonly<Record<string, readonly string[]>>): LookupFunction {
  return (host, { all }, done) => {
    const known = isIP(host) === 0 ? (names[host] ?? []) : [host];
    const [first] = known;
    if (first === undefined) {
      done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), '');
    } else if (all) {
      const withFamily = (address: string) => ({ address, family: address.includes(':') ? 6 : 4 });
      done(null, known.map(withFamily));
    } else done(null, first, first.includes(':') ? 6 : 4);
  };
}
