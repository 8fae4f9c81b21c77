import { existsSync } from 'node:fs';
import { ConfigError } from './config/config-error.ts';
import type { WatchConfig } from './config/read-config.ts';
import { createSecretReader } from './config/secret.ts';
import { nameOfStore } from './config/store-place.ts';
import { askEntry } from './cycle/ask.ts';
import { systemClock } from './cycle/clock.ts';
import { Cycle } from './cycle/cycle.ts';
import { withLookAhead } from './cycle/look-ahead.ts';
import { type OnceResult, runOnce } from './cycle/once.ts';
import type { CycleOptions } from './cycle/options.ts';
import { hasGlobalAddress } from './cycle/own-addresses.ts';
import { createRotationReader } from './cycle/rotations.ts';
import type { Log } from './log.ts';
import { createChooser } from './notices/choose.ts';
import { createReceivers } from './notices/create-receivers.ts';
import { createNotices, type Notices } from './notices/notices.ts';
import type { Receiver } from './notices/receiver.ts';
import { type Tried, tryReceivers } from './notices/try-receivers.ts';
import { openPostgresAt, openStoreAt } from './store/open.ts';
import type { Store } from './store/store.ts';
import { StoreError } from './store/store-error.ts';
import { planOf } from './workers/plan.ts';
import { type Sharing, share } from './workers/share.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The surroundings of a watcher. */
export interface WatchHost {
  readonly log: Log;
  readonly version: string;
  /** Ends it. */
  readonly stop: AbortSignal;
  /** Where secrets may be. */
  readonly env: Env;
  /** Calls back when the files must be read again. */
  readonly onReload: (reload: () => void) => void;
}

/**
 * Watches until it is stopped.
 *
 * @throws StoreError, PinsFileError, ConfigError: why it cannot begin
 */
export async function watch(config: WatchConfig, { stop, onReload, ...host }: WatchHost): Promise<void> {
  const { log } = host;
  await withParts(config, host, 'shards', async ({ options, notices, store, besides }) => {
    const cycle = new Cycle(options);
    await cycle.begin();
    const readSecret = createSecretReader(config.folder, host.env);
    // Who asks once, or reads the store, waits for no page.
    const { serveConfig } = await import('./server/serve-config.ts');
    const server = await serveConfig(config, { store, log, readSecret });
    onReload(() => {
      cycle.reload();
      server.reload();
    });
    log('started', {
      file: config.file,
      store: nameOfStore(config.store),
      receivers: config.receivers.map(({ name }) => name),
    });
    // If one of them ends with an error, the other ends too.
    const end = new AbortController();
    const both = AbortSignal.any([stop, end.signal]);
    const works = [cycle.run(both), notices.run(both), ...besides.map((run) => run(both))].map((work) =>
      work.catch((error: unknown) => {
        end.abort();
        throw error;
      }),
    );
    const all = await Promise.allSettled(works);
    await server.close();
    for (const ended of all) if (ended.status === 'rejected') throw ended.reason;
    log('stopped');
  });
}

/**
 * One cycle: every target once.
 *
 * @throws as {@link watch}
 */
export async function watchOnce(
  config: WatchConfig,
  { stop, ...host }: Omit<WatchHost, 'onReload'>,
): Promise<OnceResult> {
  return withParts(config, host, 'alone', async ({ options, notices }) => {
    const result = await runOnce(options, stop);
    await notices.flush(stop);
    return result;
  });
}

/**
 * Sends a test notice to each receiver, or only to the named ones.
 *
 * @throws (as a rejection) ConfigError
 */
export async function testNotices(config: WatchConfig, names: readonly string[], env: Env): Promise<readonly Tried[]> {
  const known = config.receivers.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined || known.length === 0) {
    const which = unknown === undefined ? '' : `no receiver is called ${unknown}; `;
    throw new ConfigError(`${which}the configuration has ${known.join(', ') || 'no receivers'}`);
  }
  const asked = config.receivers.filter(({ name }) => names.length === 0 || names.includes(name));
  return tryReceivers(await receiversOf({ ...config, receivers: asked }, env));
}

function receiversOf({ name, folder, receivers }: WatchConfig, env: Env): Promise<readonly Receiver[]> {
  const source = `urn:certpin:watch:${encodeURIComponent(name)}`;
  return createReceivers(receivers, { source, readSecret: createSecretReader(folder, env) });
}

/** The parts of a watcher. */
interface Parts {
  readonly options: CycleOptions;
  readonly notices: Notices;
  readonly store: Store;
  /** What else runs while it watches. */
  readonly besides: readonly ((stop: AbortSignal) => Promise<void>)[];
}

/** @param how `shards`: if several machines can use the store, they share the targets */
async function withParts<Result>(
  config: WatchConfig,
  { log, version, env }: Pick<WatchHost, 'log' | 'version' | 'env'>,
  how: 'shards' | 'alone',
  work: (parts: Parts) => Promise<Result>,
): Promise<Result> {
  const settings = config.receivers;
  const receivers = await receiversOf(config, env);
  const options = { watches: true, readSecret: createSecretReader(config.folder, env) };
  const { store: place } = config;
  const shared = 'postgres' in place ? await openPostgresAt(place.postgres, options) : undefined;
  const store = shared ?? (await openStoreAt(place, options));
  let sharing: Sharing | undefined;
  try {
    const rotating = createRotationReader(config.file, log);
    if (shared !== undefined && how === 'shards') {
      sharing = await share(shared, { log, plan: () => planOf(config, rotating()) });
    }
    const { intervalSeconds, expiresWithin } = config;
    const notices = createNotices({ store, receivers, settings, log });
    const options: CycleOptions = {
      ...{ log, version, clock: systemClock, pinsFile: config.file, ask: askEntry, hasFamily: hasGlobalAddress },
      store: sharing?.store ?? (how === 'alone' ? store : withLookAhead(store, systemClock)),
      onFailed: sharing?.passOver,
      defaults: { intervalMs: intervalSeconds === undefined ? undefined : intervalSeconds * 1_000, expiresWithin },
      ...{ hysteresis: config.hysteresis, concurrency: config.concurrency, retries: config.retries },
      ...{ timeoutMs: config.timeoutSeconds * 1_000, recheckMs: config.recheckSeconds * 1_000 },
      keepDays: { transitions: config.keepDays, days: config.keepDailyDays },
      chooseReceivers: createChooser(settings),
      rotating,
      poke: notices.poke,
    };
    return await work({ options, notices, store, besides: sharing?.runs ?? [] });
  } finally {
    try {
      await sharing?.close();
    } finally {
      await store.close();
    }
  }
}

/**
 * The store of a watcher, for a command that reads it, or mutes a target.
 *
 * @throws (as a rejection) StoreError if no watcher has run with it; ConfigError
 */
export async function openStore(config: WatchConfig, env: Env): Promise<Store> {
  const { store: place, folder } = config;
  if ('sqlite' in place && !existsSync(place.sqlite)) {
    throw new StoreError(`${nameOfStore(place)}: no watcher has run with this store`, false);
  }
  return openStoreAt(place, { watches: false, readSecret: createSecretReader(folder, env) });
}
