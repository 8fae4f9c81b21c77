import type * as Watch from '@certpin/watch';
import { type ExitCode, type Io, printError, printJson, printSummary, printText, printWarning } from '../io.ts';
import type { StoreFlags } from './flags.ts';
import { openStore } from './store.ts';
import { counted, oneLine, outcomeOfState, toMinute } from './words.ts';

interface StatusFlags extends StoreFlags {
  readonly problems?: true;
  readonly json?: true;
}

/** Rows that are read at a time. */
const PAGE = 500;

/** What a watcher knows. @throws ConfigError, StoreError */
export async function printStatus({ problems, json, ...flags }: StatusFlags, io: Io): Promise<ExitCode> {
  const opened = await openStore(flags, io);
  if (opened === undefined) return 2;
  const { store, isLate } = opened;
  try {
    const watcher = await store.watcher();
    if (watcher.fileReadAt === null) {
      printError(io, 'no watcher has run with this store');
      return 2;
    }
    const found = { no: 0, unasked: 0, unknown: 0 };
    for (let offset = 0; ; offset += PAGE) {
      const { rows } = await store.targets({ limit: PAGE, offset });
      for (const row of rows) {
        const outcome = row.state === null ? 'unknown' : outcomeOfState(row.state);
        if (outcome !== 'yes') found[outcome]++;
        if (problems && row.state === 'holds') continue;
        if (json) printJson(io, toJson(row));
        else printText(io, lineOf(row));
        await io.stdoutReady();
      }
      if (rows.length < PAGE || io.stdoutClosed()) break;
    }
    const isStale = isLate(watcher, Date.now());
    if (!json) await printAround(store, watcher, isStale, io);
    if (found.no > 0) return 1;
    const isEmpty = (await store.targets({ limit: 1 })).total === 0;
    const isBlind = isStale || isEmpty || watcher.networkLostAt !== null || watcher.fileError !== null;
    return isBlind || found.unasked > 0 || found.unknown > 0 ? 2 : 0;
  } finally {
    await store.close();
  }
}

function lineOf({ state, label, reason, since, mute, observed }: Watch.TargetRow): string {
  const sinceWhen = since === null ? '' : `since ${toMinute(since)}`;
  const next = observed !== null && observed !== state ? `; the last check found: ${observed}` : '';
  const quiet = mute === null ? '' : `; muted until ${toMinute(mute.until)}: ${mute.reason}`;
  return `${(state ?? 'unknown').padEnd(13)}  ${oneLine(label)}  ${sinceWhen.padEnd(23)}  ${oneLine(`${reason}${next}${quiet}`)}`.trimEnd();
}

async function printAround(store: Watch.Store, watcher: Watch.WatcherRow, isStale: boolean, io: Io): Promise<void> {
  const counts = Object.entries(await store.countStates());
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const checked = watcher.checkedAt === null ? 'no check has ended yet' : `last check ${toMinute(watcher.checkedAt)}`;
  printSummary(io, [...counted(total, counts), checked].join(', '));
  if (watcher.fileError !== null) printWarning(io, `${watcher.fileError}; the last good one stays`);
  if (watcher.networkLostAt !== null)
    printWarning(io, `the watcher reaches no server since ${toMinute(watcher.networkLostAt)}`);
  if (total === 0) printWarning(io, 'there is no target in the pins file: nothing is watched');
  if (isStale) printWarning(io, 'checks are overdue: is the watcher running?');
  for (const { receiver, waiting, lastError } of await store.outboxCounts()) {
    if (waiting > 0) printWarning(io, `${receiver}: ${waiting} waiting${lastError === null ? '' : `, ${lastError}`}`);
  }
}

function toJson(row: Watch.TargetRow): unknown {
  const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  const { key: _, label: target, since, checkedAt, nextCheckAt, startsAt, endsAt, mute, addresses, ...others } = row;
  return {
    target,
    ...others,
    since: time(since),
    checkedAt: time(checkedAt),
    nextCheckAt: time(nextCheckAt),
    startsAt: time(startsAt),
    endsAt: time(endsAt),
    mute: mute === null ? null : { until: time(mute.until), since: time(mute.since), reason: mute.reason },
    addresses: addresses.map(({ certificate, ...one }) => ({
      ...one,
      certificate:
        certificate === null
          ? null
          : { ...certificate, validFrom: time(certificate.validFrom), validTo: time(certificate.validTo) },
    })),
  };
}
