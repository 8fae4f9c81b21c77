import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createChooser } from '../../src/notices/choose.ts';
import { type Courier, createCourier } from '../../src/notices/courier.ts';
import type { Outcome, Receiver, Standing } from '../../src/notices/receiver.ts';
import type { CommonSettings } from '../../src/notices/settings.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import type { Store, WatchedTarget } from '../../src/store/store.ts';
import type { Message, State, StoredTransition } from '../../src/types.ts';
import { folderFor, START, transition } from './support.ts';

/** A courier over a real store, at a time that the test turns. */
export interface Stage {
  readonly path: string;
  store: Store;
  readonly courier: () => Courier;
  readonly delivered: Message[];
  /** Every attempt: whether it was in vain or not. */
  readonly tried: { readonly id: string; readonly at: number; readonly form: string }[];
  readonly logged: { readonly event: string; readonly fields: Record<string, unknown> }[];
  /** What the receiver does with the next attempt, and all that follow. */
  answer: (form: 'whole' | 'short') => Outcome | Promise<Outcome>;
  now: number;
  /** Lets time pass, and calls the courier whenever it wants to be called. */
  readonly pass: (ms: number) => Promise<void>;
  readonly put: (...transitions: Partial<StoredTransition>[]) => Promise<void>;
  /** A check has found a target in a state, and it is told. */
  readonly watch: (label: string, to: State, from?: State) => Promise<void>;
  /** The process has ended, and another begins. */
  readonly restart: () => Promise<void>;
}

export const DELIVERED: Outcome = { result: 'delivered', detail: 'taken' };
export const FAILED: Outcome = { result: 'failed', detail: 'it has answered with 503' };
export const REFUSED: Outcome = { result: 'refused', detail: 'it has answered with 400' };

export interface StageOptions {
  readonly settings?: Partial<CommonSettings>;
  readonly capacity?: number;
  readonly repeat?: (standing: Standing) => Promise<Outcome>;
}

export function stage(test: TestContext, { settings = {}, capacity = 1_000, repeat }: StageOptions = {}): Stage {
  const path = join(folderFor(test), 'watch.sqlite');
  const receiver: Receiver = {
    name: 'ops',
    capacity,
    deliver: async (message, form) => {
      self.tried.push({ id: message.id, at: self.now, form });
      const outcome = await self.answer(form);
      if (outcome.result === 'delivered') self.delivered.push(message);
      return outcome;
    },
    ...(repeat === undefined ? {} : { repeat }),
  };
  const open = (): Store => openSqliteStore(path, { watches: true, now: () => self.now });
  const make = (): Courier =>
    createCourier({
      ...{ receiver, settings, store: self.store, now: () => self.now, random: () => 0.5, attemptMs: 1_000 },
      log: (event, fields) => self.logged.push({ event, fields }),
      abandon: new AbortController().signal,
    });
  let courier: Courier | undefined;
  const choose = createChooser([{ name: 'ops', ...settings }]);
  const watched: WatchedTarget[] = [];
  const self: Stage = {
    ...{ path, delivered: [], tried: [], logged: [], now: START, answer: () => DELIVERED },
    store: undefined as unknown as Store,
    courier: () => {
      courier ??= make();
      return courier;
    },
    pass: async (ms) => {
      const end = self.now + ms;
      for (;;) {
        const next = await self.courier().step();
        if (next >= end) break;
        // Over days, it is called less often than it asks for.
        self.now = Math.max(next, self.now + (ms > 4 * 3_600_000 ? 120_000 : 0));
      }
      self.now = end;
    },
    put: async (...transitions) => {
      const made = transitions.map((one) => transition({ at: self.now, ...one }));
      await self.store.recordWatcher(
        {},
        made.map((one) => ({ transition: one, receivers: choose(one, null) })),
      );
    },
    watch: async (label, to, from = 'holds') => {
      const text = '{}';
      if (!watched.some((one) => one.label === label)) {
        const file = {
          id: null,
          servername: null,
          note: null,
          line: 1,
          pins: [],
          intervalMs: 3_600_000,
          isHere: false,
        };
        watched.push({ key: label, label, ...file, text });
        await self.store.importTargets(each(watched), self.now);
      }
      const one = transition({ number: 1, key: label, label, from, to, at: self.now });
      const seen = {
        ...{
          protocol: 'tls',
          state: to,
          since: self.now,
          observed: to,
          reason: one.reason,
          remarks: [],
          checkedAt: self.now,
        },
        ...{
          checkSeconds: 1,
          nextCheckAt: self.now,
          startsAt: null,
          endsAt: null,
          addresses: [],
          told: to,
          memory: '',
        },
      };
      const outgoing = [{ transition: one, receivers: choose(one, from) }];
      const before = (await self.store.target(label))?.checkedAt ?? null;
      await self.store.record([{ key: label, text, before, seen, counted: undefined, transitions: outgoing }]);
    },
    restart: async () => {
      await self.store.close();
      self.store = open();
      courier = undefined;
    },
  };
  self.store = open();
  test.after(() => self.store.close());
  return self;
}

async function* each<Item>(items: readonly Item[]): AsyncIterable<Item> {
  yield* items;
}
