import { setTimeout as delay } from 'node:timers/promises';
import type { OutboxStore, PageStore } from '../store/store.ts';
import { clean } from './clean.ts';
import { type Courier, createCourier } from './courier.ts';
import type { Receiver } from './receiver.ts';
import type { ReceiverSettings } from './settings.ts';

export interface NoticesOptions {
  readonly store: OutboxStore & Pick<PageStore, 'targets' | 'eachTarget' | 'watcher'>;
  /** As {@link createReceivers} made them from `settings`. */
  readonly receivers: readonly Receiver[];
  readonly settings: readonly ReceiverSettings[];
  readonly log: (event: string, fields?: Record<string, unknown>) => void;
}

/** Brings the receivers what waits in the outbox. */
export interface Notices {
  /** Runs until `stop`. It ends when no attempt is in progress. */
  readonly run: (stop: AbortSignal) => Promise<void>;
  /** Something was put into the outbox. */
  readonly poke: () => void;
  /** Everything that is due is tried once: for a run that ends. */
  readonly flush: (stop: AbortSignal) => Promise<void>;
}

const ATTEMPT_MS = 20_000;
/** The time that an attempt gets when the watcher stops. An attempt that is given up may have arrived, and is repeated with the same id. */
const GRACE_MS = 3_000;
/** Pause after a failure of the store, and not of a receiver. */
const STORE_PAUSE_MS = 5_000;

export function createNotices({ store, receivers, settings, log }: NoticesOptions): Notices {
  const abandon = new AbortController();
  const couriers = receivers.map((receiver): Courier => {
    const own = settings.find(({ name }) => name === receiver.name) ?? {};
    const clock = { now: Date.now, random: Math.random, attemptMs: ATTEMPT_MS, abandon: abandon.signal };
    return createCourier({ receiver, settings: own, store, log, ...clock });
  });
  let wake = new AbortController();

  const begin = async (stop: AbortSignal): Promise<void> => {
    const leave = (): unknown => setTimeout(() => abandon.abort(), GRACE_MS).unref();
    if (stop.aborted) leave();
    else stop.addEventListener('abort', leave, { once: true });
    const dropped = await store.dropReceiversExcept(receivers.map(({ name }) => name));
    if (dropped > 0)
      log('notices-dropped', { transitions: dropped, error: 'their receivers are not in the configuration' });
  };

  /** Whatever fails, the next notice may be the important one. So the failure is reported once, and tried again. */
  const serve = async ({ receiver, step }: Courier, stop: AbortSignal): Promise<void> => {
    let told: string | undefined;
    while (!stop.aborted) {
      let until = Date.now() + STORE_PAUSE_MS;
      try {
        until = await step();
        if (told !== undefined) log('notices-go-on', { receiver });
        told = undefined;
      } catch (failure) {
        const error = clean(String(failure));
        if (error !== told) log('notices-failed', { receiver, error });
        told = error;
      }
      await pause(until - Date.now(), [stop, wake.signal]);
    }
  };

  return {
    run: async (stop) => {
      await begin(stop);
      await Promise.all(couriers.map((courier) => serve(courier, stop)));
    },
    poke: () => {
      wake.abort();
      wake = new AbortController();
    },
    flush: async (stop) => {
      await begin(stop);
      await Promise.all(couriers.map((courier) => courier.step(0)));
    },
  };
}

async function pause(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const end = new AbortController();
  const wake = (): void => end.abort();
  for (const signal of signals) signal.addEventListener('abort', wake, { once: true });
  if (!signals.some(({ aborted }) => aborted))
    await delay(Math.max(0, ms), undefined, { signal: end.signal }).catch(() => undefined);
  for (const signal of signals) signal.removeEventListener('abort', wake);
}
