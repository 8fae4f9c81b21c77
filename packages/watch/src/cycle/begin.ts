import type { Store } from '../store/store.ts';
import type { WatcherRow } from '../types.ts';
import type { CycleOptions } from './options.ts';
import { OwnNews } from './own-news.ts';
import { PinsWatch } from './pins-watch.ts';

/** What every run begins with. */
export interface Begun {
  /** What the store knew of the watcher. */
  readonly before: WatcherRow;
  readonly news: OwnNews;
  readonly pins: PinsWatch;
}

/**
 * Takes up what the store knows, and reads the pins file.
 *
 * @param isOnce it is a run of one cycle
 * @throws PinsFileError where the file cannot be read and the store has no earlier one; StoreError
 */
export async function begin(options: CycleOptions, isOnce: boolean): Promise<Begun> {
  const { store, clock, pinsFile, version } = options;
  const before = await store.watcher();
  const news = new OwnNews(options);
  const pins = new PinsWatch(options, news);
  await pins.begin(before, isOnce);
  await store.recordWatcher({ startedAt: clock.now(), pinsFile, version });
  await news.write();
  await store.clampDue(clock.now());
  return { before, news, pins };
}

/** How many targets are within reach, as far as is known: their silence says something. */
export async function countWitnesses(store: Pick<Store, 'countStates'>): Promise<number> {
  const { unreachable, 'no-such-name': nameless, ...others } = await store.countStates();
  const within = Object.values(others).reduce((sum, count) => sum + count, 0);
  return within === 0 ? unreachable + nameless : within;
}
