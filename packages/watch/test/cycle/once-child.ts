// One cycle in a process of its own, which kills itself, as `kill -9` does, right behind so many statements of SQLite:
// `node --import tsx once-child.ts FOLDER STATE STATEMENTS`. From outside it would be a matter of time where the kill arrives.
import { join } from 'node:path';
import { systemClock } from '../../src/cycle/clock.ts';
import { runOnce } from '../../src/cycle/once.ts';
import { defaultHysteresis, type Hysteresis } from '../../src/states/hysteresis.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { loadSqlite } from '../../src/store/sqlite-module.ts';
import type { State } from '../../src/types.ts';
import { askAs } from './asked.ts';

const [folder = '', state = '', statements = ''] = process.argv.slice(2);
const store = openSqliteStore(join(folder, 'watch.db'), { watches: true });

let left = Number(statements);
type Methods = Record<string, (...values: unknown[]) => unknown>;
const { DatabaseSync, StatementSync } = loadSqlite() as unknown as Record<string, { prototype: Methods }>;
for (const [prototype, names] of [
  [DatabaseSync?.prototype, ['exec']],
  [StatementSync?.prototype, ['run', 'get', 'all']],
] as const) {
  for (const name of names) {
    const real = prototype?.[name];
    if (prototype === undefined || real === undefined) throw new Error(`there is no ${name}`);
    prototype[name] = function (this: unknown, ...values: unknown[]): unknown {
      const result = real.apply(this, values);
      if (--left === 0) process.kill(process.pid, 'SIGKILL');
      return result;
    };
  }
}

const once = Object.fromEntries(Object.keys(defaultHysteresis.up).map((name) => [name, 1])) as Hysteresis['up'];
await runOnce(
  {
    ...{ store, clock: systemClock, version: '0.0.0', pinsFile: join(folder, 'certpin.json') },
    ...{ log: () => undefined, hasFamily: () => true, rotating: () => new Set(), poke: () => undefined },
    ask: askAs(() => state as State),
    defaults: { intervalMs: undefined, expiresWithin: undefined },
    hysteresis: { up: once, down: once },
    ...{ concurrency: 32, timeoutMs: 2_000, retries: 0, recheckMs: 50 },
    keepDays: { transitions: 400, days: 90 },
    chooseReceivers: ({ kind }) => (kind === 'changed' ? ['all'] : []),
  },
  new AbortController().signal,
);
await store.close();
process.stdout.write(`${left}`);
