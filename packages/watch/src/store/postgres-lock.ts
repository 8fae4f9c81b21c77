import type { Client, ClientConfig } from 'pg';
import { StoreError } from './store-error.ts';

/** The right to watch with this database: a lock that the server takes away when the connection ends, however it ends. */
export interface WatchLock {
  /**
   * Takes it again where the connection was lost.
   *
   * @throws StoreError which may pass: another watcher has it now
   */
  ensure(): Promise<void>;
  release(): Promise<void>;
}

/** A number that no other program will choose. */
const LOCK = "hashtextextended('certpin watch', 0)";

/** @throws StoreError where another watcher has it */
export async function lockDatabase(
  create: new (config: ClientConfig) => Client,
  config: ClientConfig,
  name: string,
): Promise<WatchLock> {
  let held: Client | undefined;
  const take = async (mayPass: boolean): Promise<void> => {
    const client = new create({
      ...config,
      ...{ connectionTimeoutMillis: 10_000, application_name: 'certpin watch' },
      // A connection that has gone without a word would be taken for the lock.
      ...{ keepAlive: true, keepAliveInitialDelayMillis: 30_000 },
    });
    const lost = (): void => {
      if (held === client) held = undefined;
    };
    client.on('error', lost).on('end', lost);
    try {
      await client.connect();
      // A machine that has lost its power says no farewell: its lock is free after a minute.
      await client.query(
        'SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3',
      );
      const { rows } = await client.query(`SELECT pg_try_advisory_lock(${LOCK}) AS taken`);
      if (rows[0]?.taken !== true) {
        throw new StoreError(`${name}: another certpin watch uses this store; end that one, or add --worker`, mayPass);
      }
      held = client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  };
  await take(false);
  return {
    async ensure() {
      if (held === undefined) await take(true);
    },
    async release() {
      await held?.end();
    },
  };
}
