import type { ReadSecret } from '../config/secret.ts';
import { nameOfStore, type PostgresPlace, type StorePlace } from '../config/store-place.ts';
import { openPostgresStore, type PostgresStore } from './postgres.ts';
import { toPgConfig } from './postgres-config.ts';
import { openSqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';

interface Options {
  readonly watches: boolean;
  readonly readSecret: ReadSecret;
}

/**
 * Opens the store that the configuration names.
 *
 * @throws (as a rejection) StoreError, ConfigError
 */
export async function openStoreAt(place: StorePlace, options: Options): Promise<Store> {
  if ('sqlite' in place) return openSqliteStore(place.sqlite, options);
  return openPostgresAt(place.postgres, options);
}

/** @throws as {@link openStoreAt} */
export async function openPostgresAt(place: PostgresPlace, { watches, readSecret }: Options): Promise<PostgresStore> {
  return openPostgresStore(toPgConfig(place, readSecret), { watches, name: nameOfStore({ postgres: place }) });
}
