import { randomUUID } from 'node:crypto';
import type { Log } from '../log.ts';
import { decide } from '../states/decide.ts';
import { keysOf } from '../store/rows.ts';
import type { Outgoing, Recorded } from '../store/store.ts';
import type { Mute, State, Transition } from '../types.ts';
import type { Result } from './checks.ts';
import type { CycleOptions } from './options.ts';

/** Each interval is up to so much shorter or longer: targets that began together drift apart. */
const JITTER = 0.05;

/** What one check alone has found. */
export interface Found {
  readonly label: string;
  readonly state: State;
  readonly reason: string;
}

export interface Written {
  readonly found: readonly Found[];
  /** The keys of the targets that are not due any more. A check that came too late is not written. */
  readonly keys: ReadonlySet<string>;
}

/** Writes down what checks have found and what follows from it, in one step. @throws StoreError: nothing of it was written */
export async function writeDown(results: readonly Result[], options: CycleOptions): Promise<Written> {
  const { store, clock, log, poke, rotating } = options;
  // A person may have muted a target while it was asked.
  const mutes = new Map((await store.mutes(clock.now())).map((mute) => [mute.key, mute]));
  const quiet: Quiet = { mutes, rotating: rotating() };
  const recorded = await Promise.all(results.map((result) => decideOne(result, quiet, options)));
  const written = await store.record(recorded);
  const all = recorded.filter(({ key }) => written.has(key)).flatMap(({ transitions }) => transitions);
  for (const { transition } of all) tell(log, transition);
  if (all.some(({ receivers }) => receivers.length > 0)) poke();
  const found = recorded.map(({ seen }, index): Found => {
    const { label } = (results[index] as Result).due.row;
    return { label, state: seen.observed as State, reason: seen.reason };
  });
  return { found, keys: written };
}

/** Of whom nobody is told, by their keys. */
interface Quiet {
  readonly mutes: ReadonlyMap<string, Mute>;
  readonly rotating: ReadonlySet<string>;
}

/** What a check means, by what the store knows at this moment. */
async function decideOne(
  { due, memory, found, seconds }: Result,
  { mutes, rotating }: Quiet,
  { store, clock, hysteresis, recheckMs, chooseReceivers }: CycleOptions,
): Promise<Recorded> {
  const { text } = due;
  const row = { ...due.row, mute: mutes.get(due.row.key) ?? null };
  const sharesKey = found.remarks !== undefined && (await store.shares(row.key, keysOf(found.addresses)));
  const now = clock.now();
  const around = { now, hysteresis, isRotating: rotating.has(row.key), sharesKey, newId: randomUUID };
  const { seen, transitions, isPending } = decide(row, memory, found, around);
  const interval = isPending ? Math.min(recheckMs, row.intervalMs) : row.intervalMs;
  const nextCheckAt = Math.round(now + interval * (1 + (Math.random() * 2 - 1) * JITTER));
  return {
    ...{ key: row.key, text, before: row.checkedAt, seen: { ...seen, nextCheckAt, checkSeconds: seconds } },
    counted: { state: found.state, seconds, at: now },
    transitions: transitions.map(({ transition, isTold }): Outgoing => {
      return { transition, receivers: isTold ? chooseReceivers(transition, row.told) : [] };
    }),
  };
}

function tell(log: Log, { kind, label, from, to, remark, reason, mutedBy }: Transition): void {
  const state = to === null ? { remark } : { from, to };
  log(kind, { target: label, ...state, reason, ...(mutedBy === null ? {} : { mutedBy }) });
}
