import type { LookupFunction } from 'node:net';
import type { Log } from '../log.ts';
import type { ChooseReceivers } from '../notices/choose.ts';
import type { Hysteresis } from '../states/hysteresis.ts';
import type { HasFamily } from '../states/out-of-reach.ts';
import type { Store } from '../store/store.ts';
import type { askEntry } from './ask.ts';
import type { Clock } from './clock.ts';
import type { Defaults } from './definition.ts';
import type { PinsSource } from './pins-source.ts';

/** What a watcher is given: its store, its settings, and whom it tells. */
export interface CycleOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly pinsFile: string;
  /** A worker has none of its own: the planner reads the pins file. */
  readonly source?: Pick<PinsSource, 'look'> | undefined;
  readonly version: string;
  readonly defaults: Defaults;
  readonly hysteresis: Hysteresis;
  /** Targets that are asked at the same time. */
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly retries: number;
  /** When a target is asked again that was found in another state, and not often enough to say so. */
  readonly recheckMs: number;
  readonly keepDays: { readonly transitions: number; readonly days: number };
  readonly lookup?: LookupFunction | undefined;
  readonly ask: typeof askEntry;
  readonly hasFamily: HasFamily;
  /** The target of this key cannot be asked at all, and sits out for a while. */
  readonly onFailed?: ((key: string) => void) | undefined;
  /** Which receivers hear of a transition. */
  readonly chooseReceivers: ChooseReceivers;
  /** The targets whose rotation is under way: their keys in the pins file. */
  readonly rotating: () => ReadonlySet<string>;
  /** Something was put into the outbox. */
  readonly poke: () => void;
}
