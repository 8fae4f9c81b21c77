import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createSecureContext, createServer, type SecureContext } from 'node:tls';
import { type Minted, mint } from '@certpin/testkit';
import type { Postgres } from '@certpin/testkit/postgres';
import { readConfig, type WatchConfig } from '../../src/config/read-config.ts';
import { nameOfStore } from '../../src/config/store-place.ts';
import { systemClock } from '../../src/cycle/clock.ts';
import { PinsSource } from '../../src/cycle/pins-source.ts';
import { openPostgresStore, type PostgresStore } from '../../src/store/postgres.ts';
import { planOf } from '../../src/workers/plan.ts';
import { createPlanner, type Planner } from '../../src/workers/planner.ts';
import { openQueue } from '../../src/workers/queue.ts';
import { createDatabase } from '../store/database.ts';

/** One listener with many names. */
export interface Names {
  readonly certificate: Minted;
  readonly port: number;
  /** Resolves when so many handshakes wait at once. */
  readonly waiting: (count: number) => Promise<void>;
  /** Answers those that wait, and those that come; or at most so many of them. */
  readonly answer: (count?: number) => void;
  readonly answered: () => number;
}

export async function startNames(t: TestContext): Promise<Names> {
  const certificate = await mint();
  const context = createSecureContext({ key: certificate.keyPem, cert: certificate.chainPem });
  const held: ((error: null, context: SecureContext) => void)[] = [];
  const watchers = new Set<() => void>();
  let room = 0;
  let answered = 0;
  const pass = (): void => {
    while (room > 0 && held.length > 0) {
      room--;
      answered++;
      held.shift()?.(null, context);
    }
    for (const look of watchers) look();
  };
  const server = createServer({
    SNICallback: (_name, done) => {
      held.push(done);
      pass();
    },
  });
  server.on('secureConnection', (socket) => socket.on('error', () => undefined));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return {
    certificate,
    port: (server.address() as AddressInfo).port,
    waiting: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (held.length < count) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    answer: (count = Number.POSITIVE_INFINITY) => {
      room = count;
      pass();
    },
    answered: () => answered,
  };
}

/** A planner with a store, in which targets stand. */
export interface Stage {
  readonly store: PostgresStore;
  readonly planner: Planner;
  /** With which a worker begins. */
  readonly config: WatchConfig;
  readonly configFile: string;
  readonly env: NodeJS.ProcessEnv;
}

interface Planned {
  readonly names: Names;
  readonly count: number;
  /** Of every target. */
  readonly pins: readonly string[];
  readonly shardSize: number;
  /** When a worker that says nothing is taken for dead. By default not in a test: on a slow machine, none would be asked twice by that. */
  readonly heartbeatSeconds?: number;
}

export async function plan(
  t: TestContext,
  postgres: Postgres,
  { names, count, pins, shardSize, heartbeatSeconds = 600 }: Planned,
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-workers-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const pinsFile = join(folder, 'certpin.json');
  const targets = Array.from({ length: count }, (_, index) => ({
    ...{ target: `tls://127.0.0.1:${names.port}`, servername: `t${index}.example`, pins },
  }));
  writeFileSync(pinsFile, JSON.stringify({ version: 2, targets }));
  const { database, ...server } = await createDatabase(postgres);
  const configFile = join(folder, 'certpin.watch.json');
  const place = {
    postgres: { host: 'localhost', port: postgres.port, user: postgres.user, database: String(database) },
  };
  const receivers = [{ name: 'ops', kind: 'command', command: ['true'] }];
  const given = {
    store: nameOfStore(place),
    concurrency: 4,
    retries: 0,
    timeoutSeconds: 300,
    receivers,
    expiresWithin: '0d',
  };
  writeFileSync(configFile, JSON.stringify(given));
  const config = readConfig({ config: configFile, file: pinsFile });
  const store = await openPostgresStore({ ...server, database: String(database) }, { watches: true, name: 'store' });
  t.after(() => store.close());
  await new PinsSource(pinsFile, store, { intervalMs: undefined, expiresWithin: config.expiresWithin }).look(
    Date.now(),
    true,
  );
  const log = (): void => undefined;
  const queue = await openQueue(store.pool, {
    plans: true,
    log,
    patience: { heartbeatSeconds, monitorSeconds: 1 },
  });
  t.after(() => queue.close());
  const planner = createPlanner({
    ...{ store, queue, log, clock: systemClock, plan: () => ({ ...planOf(config, new Set()), shardSize }) },
  });
  return { store, planner, config, configFile, env: { ...process.env, PGPASSWORD: postgres.password } };
}
