import type * as Watch from '@certpin/watch';
import type { Io } from '../io.ts';
import type { StoreFlags } from './flags.ts';
import { loadWatch } from './load.ts';

export interface OpenedStore extends Pick<typeof Watch, 'isLate'> {
  readonly store: Watch.Store;
  readonly config: Watch.WatchConfig;
}

/** The store of a watcher that has run. undefined: the reason was printed. @throws ConfigError, StoreError */
export async function openStore(flags: StoreFlags, io: Io): Promise<OpenedStore | undefined> {
  const watch = await loadWatch(io);
  if (watch === undefined) return undefined;
  const config = watch.readConfig(flags);
  return { config, isLate: watch.isLate, store: await watch.openStore(config, io.env) };
}
