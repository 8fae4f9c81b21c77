// A watcher of its own process, which is killed: `node --import tsx watcher-child.ts FOLDER`.
import { join } from 'node:path';
import { askEntry } from '../../src/cycle/ask.ts';
import { systemClock } from '../../src/cycle/clock.ts';
import { Cycle } from '../../src/cycle/cycle.ts';
import { withLookAhead } from '../../src/cycle/look-ahead.ts';
import { createLog } from '../../src/log.ts';
import { defaultHysteresis } from '../../src/states/hysteresis.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';

const [folder = ''] = process.argv.slice(2);
const store = openSqliteStore(join(folder, 'watch.db'), { watches: true });
const cycle = new Cycle({
  ...{
    store: withLookAhead(store, systemClock),
    clock: systemClock,
    ask: askEntry,
    hasFamily: () => true,
    version: '0.0.0',
    pinsFile: join(folder, 'certpin.json'),
  },
  log: createLog((line) => process.stderr.write(line)),
  defaults: { intervalMs: 150, expiresWithin: { milliseconds: 0 } },
  ...{ hysteresis: defaultHysteresis, concurrency: 8, timeoutMs: 2_000, retries: 0, recheckMs: 50 },
  keepDays: { transitions: 400, days: 90 },
  chooseReceivers: ({ kind }) => (kind === 'changed' ? ['all'] : []),
  ...{ rotating: () => new Set(), poke: () => undefined },
});
await cycle.begin();
process.stdout.write('watching\n');
await cycle.run(new AbortController().signal);
