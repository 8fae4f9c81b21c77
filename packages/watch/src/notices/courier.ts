import type { OutboxStore, PageStore } from '../store/store.ts';
import type { Message, NoticeKind, State } from '../types.ts';
import { clean } from './clean.ts';
import { createRate } from './rate.ts';
import type { Form, Outcome, OwnTrouble, Receiver, Standing, Trouble } from './receiver.ts';
import { delayAfter } from './retry.ts';
import type { CommonSettings } from './settings.ts';
import { troubles } from './severity.ts';

export interface CourierOptions {
  readonly receiver: Receiver;
  readonly settings: Pick<CommonSettings, 'states' | 'remindAfterHours'>;
  readonly store: Pick<
    OutboxStore,
    'claimMessage' | 'markSent' | 'markFailed' | 'nextMessageAt' | 'enqueue' | 'remindersDue'
  > &
    Pick<PageStore, 'targets' | 'eachTarget' | 'watcher'>;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** The limit of one attempt, in milliseconds. */
  readonly attemptMs: number;
  /** Ends an attempt that is in progress. */
  readonly abandon: AbortSignal;
}

/** Brings one receiver its waiting messages, one after the other. */
export interface Courier {
  /** Its name. */
  readonly receiver: string;
  /**
   * @param gatherMs how long a transition waits for others that happen at the same time
   * @returns when to call again. What was due is done
   */
  readonly step: (gatherMs?: number) => Promise<number>;
}

const GATHER_MS = 10_000;

/**
 * Longer than an attempt in both forms, so nobody else takes the message in the meantime. After a kill, it is free again after this time.
 */
const LEASE_MS = 90_000;

const REPEAT_MS = 60_000;
const REMINDERS_MS = 10 * 60_000;
const HOUR_MS = 60 * 60_000;

/** The longest time without a look: another process may have put something there, and clocks jump. */
const LONGEST_PAUSE_MS = 15_000;

/** Planned states, which are not urgent. They are repeated a seventh as often. */
const CALM: readonly State[] = ['mixed', 'ends-soon'];
const CALM_FACTOR = 7;

export function createCourier(options: CourierOptions): Courier {
  const { receiver, store, log, now, random } = options;
  const rate = createRate();
  /** Sent, but not marked, because the disk is full. It is marked when that is possible, and not sent again. */
  const sent = new Set<string>();
  let wasFull = false;
  let remindersAt = Number.NEGATIVE_INFINITY;
  let repeatAt = Number.NEGATIVE_INFINITY;

  /** Whether it is time. A time that is too far away was set by a wrong clock. */
  const isTime = (at: number, periodMs: number): boolean => now() >= at || at - now() > periodMs;

  const claim = (gatherMs: number): Promise<Message | undefined> => {
    const at = now();
    return store.claimMessage({
      receiver: receiver.name,
      now: at,
      leaseUntil: at + LEASE_MS,
      max: receiver.capacity,
      ripeAt: wasFull || rate.allows(at) ? at - gatherMs : 0,
    });
  };

  const bring = async (message: Message): Promise<void> => {
    const { id, kind, transitions, attempts } = message;
    if (attempts === 0) {
      if (!wasFull) rate.count(now());
      wasFull = transitions.length >= receiver.capacity;
    }
    const fields = {
      receiver: receiver.name,
      message: id,
      kind,
      transitions: transitions.length,
      attempt: attempts + 1,
    };
    const { outcome, form } = sent.has(id) ? { outcome: SENT, form: 'whole' } : await tryBoth(options, message);
    const { result, detail } = outcome;
    if (result === 'delivered') {
      sent.add(id);
      await store.markSent(id, now());
      sent.delete(id);
      log('notice-sent', { ...fields, ...(form === 'short' ? { form } : {}) });
      return;
    }
    const { retryAfterMs } = outcome;
    const dueAt = now() + delayAfter({ attempts, isRefused: result === 'refused', retryAfterMs }, random());
    await store.markFailed(id, { at: now(), dueAt, error: detail });
    log(`notice-${result}`, { ...fields, error: detail, retryAt: new Date(dueAt).toISOString() });
  };

  const repeat = async (): Promise<void> => {
    if (receiver.repeat === undefined || !isTime(repeatAt, REPEAT_MS)) return;
    const { repeat: say } = receiver;
    repeatAt = now() + REPEAT_MS;
    const { result, detail } = await attempt(options, async (signal) => say(await readStanding(options), signal));
    if (result !== 'delivered') log('alerts-not-repeated', { receiver: receiver.name, error: detail });
  };

  const remind = async (): Promise<void> => {
    if (receiver.repeat !== undefined || !isTime(remindersAt, REMINDERS_MS)) return;
    await enqueueReminders(options);
    remindersAt = now() + REMINDERS_MS;
  };

  return {
    receiver: receiver.name,
    step: async (gatherMs = GATHER_MS) => {
      await remind();
      for (let message = await claim(gatherMs); message !== undefined; message = await claim(gatherMs)) {
        await bring(message);
        if (options.abandon.aborted) break;
      }
      await repeat();
      const at = now();
      const waiting = await store.nextMessageAt(receiver.name);
      const ripe = waiting === null ? Number.POSITIVE_INFINITY : Math.max(waiting, at);
      const next = Math.min(ripe, receiver.repeat === undefined ? Number.POSITIVE_INFINITY : repeatAt, remindersAt);
      return Math.min(Math.max(next, at + 1_000), at + LONGEST_PAUSE_MS);
    },
  };
}

const SENT: Outcome = { result: 'delivered', detail: 'it was sent before' };

/** If the whole message is refused, the short one is tried at once. */
async function tryBoth(options: CourierOptions, message: Message): Promise<{ outcome: Outcome; form: Form }> {
  const { deliver } = options.receiver;
  const outcome = await attempt(options, (signal) => deliver(message, 'whole', signal));
  if (outcome.result !== 'refused') return { outcome, form: 'whole' };
  const short = await attempt(options, (signal) => deliver(message, 'short', signal));
  return { outcome: short.result === 'delivered' ? short : outcome, form: 'short' };
}

/** Once, within the time of an attempt, whatever the receiver does. */
async function attempt(
  { attemptMs, abandon }: CourierOptions,
  ask: (signal: AbortSignal) => Promise<Outcome>,
): Promise<Outcome> {
  const limit = new AbortController();
  const end = (): void => limit.abort();
  const timer = setTimeout(end, attemptMs);
  abandon.addEventListener('abort', end, { once: true });
  if (abandon.aborted) end();
  try {
    return await ask(limit.signal);
  } catch (error) {
    // A secret that cannot be read any more.
    return { result: 'failed', detail: clean((error as Error).message) };
  } finally {
    clearTimeout(timer);
    abandon.removeEventListener('abort', end);
  }
}

/**
 * Puts reminders into the outbox, for what is still true and was not repeated for long. What will be due soon joins them, so that there are
 * few reminders a day.
 */
async function enqueueReminders({ receiver, settings, store, now }: CourierOptions): Promise<void> {
  const { states = troubles, remindAfterHours = 24 } = settings;
  if (remindAfterHours === 0) return;
  const urgent = states.filter((state) => troubles.includes(state) && !CALM.includes(state));
  const calm = states.filter((state) => CALM.includes(state));
  const at = now();
  for (const [asked, factor] of [
    [urgent, 1],
    [calm, CALM_FACTOR],
  ] as const) {
    const afterMs = remindAfterHours * factor * HOUR_MS;
    const due = (before: number) =>
      store.remindersDue(receiver.name, { states: asked, before, now: at, limit: receiver.capacity });
    if (asked.length === 0 || (await due(at - afterMs)).length === 0) continue;
    const joined = await due(at - 0.75 * afterMs);
    const kind: NoticeKind = 'reminder';
    await store.enqueue(
      joined.map(({ number }) => ({ receiver: receiver.name, number, kind })),
      at,
    );
  }
}

async function readStanding({ store, settings, now }: CourierOptions): Promise<Standing> {
  const { networkLostAt, fileError } = await store.watcher();
  const own: OwnTrouble[] = [];
  if (networkLostAt !== null) own.push({ kind: 'network-lost', since: networkLostAt, reason: '' });
  if (fileError !== null) own.push({ kind: 'file-unreadable', since: now(), reason: fileError });
  return { own, troubles: eachTrouble(store, settings.states ?? troubles) };
}

/** Up to this many are looked up. If there are more, reading every target once costs less than page after page. */
const FEW = 500;

/** What the receivers were told counts. A muted target sends nothing, and its alert ends by itself. */
async function* eachTrouble(store: CourierOptions['store'], states: readonly State[]): AsyncIterable<Trouble> {
  const asked = states.filter((state) => troubles.includes(state));
  const { total, rows } = await store.targets({ states: asked, muted: false, limit: FEW });
  for await (const row of total <= FEW ? rows : store.eachTarget()) {
    const { key, label, id, servername, state, told, mute, since, reason } = row;
    if (state === null || !asked.includes(state) || told !== state || mute !== null || since === null) continue;
    yield { key, label, targetId: id, servername, state, since, reason };
  }
}
