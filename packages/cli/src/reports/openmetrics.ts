import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type Judged, type MeasuredTarget, renderMetricFamilies, statuses, targetFamilies } from '@certpin/pins-file';
import { readVersion } from '../version.ts';

/** The outcome for a target, and when. */
export interface Timed {
  readonly judged: Judged;
  /** How long it took, in milliseconds. */
  readonly seconds: number;
  readonly checkedAt: Date;
}

export interface Finished {
  /** The pins file, as it was named. */
  readonly file: string;
  readonly targets: readonly Timed[];
  readonly completedAt: Date;
  readonly seconds: number;
}

/**
 * The metrics of a finished check, as in docs/reference/states.md. All of them are gauges, so a node exporter's textfile collector can read
 * them too.
 */
export function renderMetrics({ file, targets, completedAt, seconds }: Finished): string {
  return renderMetricFamilies(
    [
      {
        name: 'certpin_check_info',
        help: 'The version of certpin that has checked the pins file.',
        samples: [{ labels: { file, version: readVersion() }, value: 1 }],
      },
      {
        name: 'certpin_check_completed_timestamp_seconds',
        help: 'When the last check had asked every target.',
        samples: [{ labels: { file }, value: completedAt.getTime() / 1000 }],
      },
      {
        name: 'certpin_check_duration_seconds',
        help: 'How long the whole check took.',
        samples: [{ labels: { file }, value: seconds }],
      },
      {
        name: 'certpin_targets',
        help: 'How many targets are in a state.',
        samples: statuses.map((state) => {
          const value = targets.filter(({ judged }) => judged.status === state).length;
          return { labels: { file, state }, value };
        }),
      },
      ...targetFamilies(targets.map((timed) => measure(timed, file))),
    ],
    'openmetrics',
  );
}

function measure({ judged, seconds, checkedAt }: Timed, file: string): MeasuredTarget {
  const { addresses, entry, protocol, status } = judged;
  const leaves = (addresses ?? [judged]).flatMap(({ verdict }) => verdict?.presented[0]?.toJSON() ?? []);
  const time = (texts: readonly string[], pick: (...values: number[]) => number): number | undefined => {
    const read = texts.map((text) => Date.parse(text)).filter((value) => !Number.isNaN(value));
    return read.length === 0 ? undefined : pick(...read);
  };
  return {
    ...{ file, target: entry.label, servername: entry.servername, id: entry.id },
    ...{ protocol: protocol ?? undefined, state: status, checkedAt: checkedAt.getTime(), seconds },
    startsAt: time(
      leaves.map(({ validFrom }) => validFrom),
      Math.max,
    ),
    endsAt: time(
      leaves.map(({ validTo }) => validTo),
      Math.min,
    ),
    certificates: leaves.map(({ sha256, publicKeySha256 }) => ({
      sha256,
      publicKeySha256: publicKeySha256 ?? undefined,
    })),
  };
}

/** The path to which the metrics are written: a link is followed. @throws Node's error if that is not possible */
export function placeMetrics(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (path === '' || found?.isFile() === false) throw new Error('it is not a regular file');
  const place = found === undefined ? path : realpathSync(path);
  accessSync(dirname(place), constants.W_OK);
  return place;
}

/** A reader sees the old file or the new one. A half-written file has a name that no collector reads. */
export function writeMetrics(place: string, text: string): void {
  const draft = `${place}.${randomBytes(6).toString('hex')}.new`;
  const before = statSync(place, { throwIfNoEntry: false });
  try {
    const descriptor = openSync(draft, 'wx', 0o644);
    try {
      writeFileSync(descriptor, text);
      if (before !== undefined) fchmodSync(descriptor, before.mode & 0o7777);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
