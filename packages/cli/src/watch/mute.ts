import { findTargets, loadPinsFile } from '@certpin/pins-file';
import { UsageError } from '../failure.ts';
import { type ExitCode, type Io, printText } from '../io.ts';
import type { StoreFlags } from './flags.ts';
import { openStore } from './store.ts';
import { toMinute } from './words.ts';

interface MuteFlags extends StoreFlags {
  readonly until: string;
  readonly reason?: string;
}

/** @throws UsageError, ConfigError, StoreError, PinsFileError; CertpinError if a target is not in the file */
export async function muteTargets(
  names: readonly string[],
  { until, reason = '', ...flags }: MuteFlags,
  io: Io,
): Promise<ExitCode> {
  const now = Date.now();
  const end = readTime(until, now);
  const opened = await openStore(flags, io);
  if (opened === undefined) return 2;
  const { store, config } = opened;
  try {
    for (const { key, label } of findTargets(loadPinsFile(config.file), names)) {
      if (end === undefined) await store.removeMute(key);
      else await store.setMute({ key, until: end, reason: reason.slice(0, 500), since: now });
      printText(io, end === undefined ? `no longer muted: ${label}` : `muted until ${toMinute(end)}: ${label}`);
    }
    return 0;
  } finally {
    await store.close();
  }
}

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** undefined: now. @throws UsageError */
function readTime(text: string, now: number): number | undefined {
  if (text === 'now') return undefined;
  const [, count, unit = ''] = /^([1-9]\d{0,3})([mhd])$/.exec(text) ?? [];
  const time = count === undefined ? readDate(text) : now + Number(count) * (units[unit] ?? 0);
  if (time > now) return time;
  throw new UsageError('--until takes a time in the future (2h, 3d, 2027-03-01T06:00Z), or now', 'watch mute');
}

/** In UTC, so that it is the same time on every machine. */
function readDate(text: string): number {
  return /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
}
