import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ListenOptions } from '../../src/server/listen-options.ts';
import { serveWatch, type WatchServer } from '../../src/server/serve.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import type { Recorded, Store, WatchedTarget } from '../../src/store/store.ts';
import type { SeenAddress, SeenCertificate, State, Transition } from '../../src/types.ts';

export const NOW: number = Date.UTC(2027, 2, 15, 12, 30);
export const DAY: number = 24 * 60 * 60 * 1000;

/** A target, as a pins file and a check leave it in the store. */
export interface Made extends Partial<WatchedTarget> {
  readonly label: string;
  readonly state?: State;
  readonly seen?: Partial<Recorded['seen']>;
  /** What was found on each day before today, the newest first. */
  readonly days?: readonly State[];
}

let count = 0;

/** 64 hex digits that no other call gives. */
export function hash(): string {
  count += 1;
  return count.toString(16).toUpperCase().padStart(64, 'A');
}

export function makeCertificate(given: Partial<SeenCertificate> = {}): SeenCertificate {
  return {
    sha256: hash(),
    publicKeySha256: hash(),
    subject: 'CN=db.example.com',
    issuer: 'CN=db.example.com',
    names: ['DNS:db.example.com'],
    validFrom: NOW - 100 * DAY,
    validTo: NOW + 265 * DAY,
    ...given,
  };
}

export function makeAddress(given: Partial<SeenAddress> = {}): SeenAddress {
  const certificate = makeCertificate();
  return {
    address: '192.0.2.10',
    state: 'holds',
    reason: '265 days left',
    certificate,
    pin: certificate.sha256,
    ...given,
  };
}

/** A real store in a file of its own. */
export async function makeStore(t: TestContext, targets: readonly Made[], now: number = NOW): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-pages-'));
  const store = openSqliteStore(join(folder, 'watch.db'), { watches: true, now: () => now });
  t.after(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const watched = targets.map(({ state: _state, seen: _seen, days: _days, ...given }, line): WatchedTarget => {
    const pins = given.pins ?? [hash(), hash()];
    const own = {
      id: null,
      servername: null,
      note: null,
      isHere: false,
      line,
      intervalMs: 3_600_000,
      text: `{"target":${line}}`,
      pins,
    };
    return { key: keyOf(given), ...own, ...given };
  });
  await store.importTargets(all(watched), now);
  for (const [index, { state = 'holds', seen = {}, days = [], ...given }] of targets.entries()) {
    const target = watched[index] as WatchedTarget;
    const addresses = seen.addresses ?? [makeAddress({ state, pin: target.pins[0] ?? null })];
    const [certificate] = addresses.flatMap((address) => address.certificate ?? []);
    const check: Recorded = {
      key: keyOf(given),
      text: target.text,
      before: null,
      seen: {
        ...{ protocol: 'postgres', state, since: now - 3 * 3_600_000, observed: state, told: state, memory: '{}' },
        ...{ reason: state === 'holds' ? '265 days left' : `it is ${state}`, remarks: [], checkSeconds: 0.12 },
        ...{ checkedAt: now - 300_000, nextCheckAt: now + 3_300_000, addresses },
        ...{ startsAt: certificate?.validFrom ?? null, endsAt: certificate?.validTo ?? null },
        ...seen,
      },
      counted: { state, seconds: 0.12, at: now - 300_000 },
      transitions: [],
    };
    await store.record([check]);
    for (const [day, found] of days.entries()) {
      const counted = { state: found, seconds: 0.12, at: now - (day + 1) * DAY };
      await store.record([{ ...check, before: check.seen.checkedAt, counted }]);
    }
  }
  await store.recordWatcher({
    ...{ startedAt: now - 10 * DAY, version: '1.2.3', pinsFile: join(folder, 'certpin.json'), checkedAt: now - 60_000 },
    ...{ caughtUpAt: now - 60_000, fileReadAt: now - 10 * DAY, intervalMs: 3_600_000 },
  });
  return store;
}

function keyOf({ key, label, servername }: Pick<Made, 'key' | 'label' | 'servername'>): string {
  return key ?? `${label} ${servername ?? ''}`.trim();
}

async function* all<Value>(values: readonly Value[]): AsyncIterable<Value> {
  yield* values;
}

/** Writes a change of state into the store, as the cycle does. */
export async function addTransition(store: Store, given: Partial<Transition>): Promise<void> {
  const transition: Transition = {
    ...{ id: randomUUID(), at: NOW - DAY, kind: 'changed', key: null, label: null, targetId: null },
    ...{
      servername: null,
      from: 'holds',
      to: 'drift',
      remark: null,
      reason: '',
      mutedBy: null,
      addresses: [],
      endsAt: null,
    },
    ...given,
  };
  await store.recordWatcher({}, [{ transition, receivers: [] }]);
}

/** The server of the pages on a free port, on loopback and open, unless `listen` says otherwise. */
export async function serve(
  t: TestContext,
  store: Store,
  listen: Partial<ListenOptions> = {},
  now: () => number = () => NOW,
): Promise<WatchServer & { readonly errors: unknown[] }> {
  const errors: unknown[] = [];
  const server = await serveWatch({
    ...{ store, timeZone: 'UTC', metricsTargets: 10_000, now },
    listen: { host: '127.0.0.1', port: 0, ...listen },
    onError: (error) => errors.push(error),
  });
  t.after(server.close);
  return { ...server, errors };
}
