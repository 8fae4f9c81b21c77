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
import { type Judged, outcomeOf, statuses } from '@certpin/pins-file';
import { readVersion } from '../version.ts';

/** What became of a target, and when. */
export interface Timed {
  readonly judged: Judged;
  /** How long it was asked. */
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

interface Sample {
  readonly labels: Readonly<Record<string, string | undefined>>;
  readonly value: number;
}

/**
 * The metrics of a finished check, docs/states.md. OpenMetrics text of gauges alone: what reads the older format of Prometheus (a node
 * exporter's textfile collector) reads it too. No label holds what a peer has chosen, but for the two hashes.
 */
export function renderMetrics({ file, targets, completedAt, seconds }: Finished): string {
  const ofEach = (samples: (timed: Timed) => readonly Sample[]): Sample[] =>
    targets.flatMap((timed) => {
      const { label: target, servername, id } = timed.judged.entry;
      return samples(timed).map(({ labels, value }) => ({
        labels: { file, target, servername, id, ...labels },
        value,
      }));
    });
  const one = (value: number, labels: Sample['labels'] = {}): Sample[] => [{ labels, value }];
  const leaves = ({ addresses, ...judged }: Judged) =>
    (addresses ?? [judged]).flatMap(({ verdict }) => verdict?.presented[0]?.toJSON() ?? []);
  const time = (times: readonly string[], pick: (...values: number[]) => number): Sample[] => {
    const read = times.map((text) => Date.parse(text) / 1000).filter((value) => !Number.isNaN(value));
    return read.length === 0 ? [] : one(pick(...read));
  };
  return [
    family('certpin_check_info', 'The version of certpin that has checked the pins file.', [
      { labels: { file, version: readVersion() }, value: 1 },
    ]),
    family('certpin_check_completed_timestamp_seconds', 'When every target had been asked, the last time.', [
      { labels: { file }, value: completedAt.getTime() / 1000 },
    ]),
    family('certpin_check_duration_seconds', 'How long the whole check took.', [{ labels: { file }, value: seconds }]),
    family(
      'certpin_targets',
      'How many targets are in a state.',
      statuses.map((state) => {
        const value = targets.filter(({ judged }) => judged.status === state).length;
        return { labels: { file, state }, value };
      }),
    ),
    family(
      'certpin_target_info',
      'A target, and how it comes to TLS.',
      ofEach(({ judged: { protocol } }) => one(1, { protocol: protocol ?? undefined })),
    ),
    family(
      'certpin_target_state',
      'The state that a target is in: the one with the value 1.',
      ofEach(({ judged: { status } }) => one(1, { state: status })),
    ),
    family(
      'certpin_target_holds',
      'Whether the pin holds: 1 yes; 0 no, or it could not be asked.',
      ofEach(({ judged: { status } }) => one(outcomeOf[status] === 'yes' ? 1 : 0)),
    ),
    family(
      'certpin_target_checked_timestamp_seconds',
      'When the target was asked.',
      ofEach(({ checkedAt }) => one(checkedAt.getTime() / 1000)),
    ),
    family(
      'certpin_target_check_duration_seconds',
      'How long the target was asked.',
      ofEach(({ seconds: taken }) => one(taken)),
    ),
    family(
      'certpin_certificate_not_before_timestamp_seconds',
      'When the validity of the presented certificate begins; of several addresses, the last of all.',
      ofEach(({ judged }) =>
        time(
          leaves(judged).map(({ validFrom }) => validFrom),
          Math.max,
        ),
      ),
    ),
    family(
      'certpin_certificate_not_after_timestamp_seconds',
      'When the validity of the presented certificate ends; of several addresses, the first of all.',
      ofEach(({ judged }) =>
        time(
          leaves(judged).map(({ validTo }) => validTo),
          Math.min,
        ),
      ),
    ),
    family(
      'certpin_certificate_info',
      'The presented certificate, by its SHA-256 and that of its key.',
      ofEach(({ judged }) => {
        const different = new Map(leaves(judged).map((leaf) => [leaf.sha256, leaf]));
        return [...different.values()].flatMap(({ sha256, publicKeySha256 }) =>
          one(1, { sha256, public_key_sha256: publicKeySha256 ?? undefined }),
        );
      }),
    ),
    '# EOF\n',
  ].join('');
}

function family(name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels, value }) => {
    const given = Object.entries(labels).filter(([, text]) => text !== undefined);
    return `${name}{${given.map(([key, text]) => `${key}="${escaped(String(text))}"`).join(',')}} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** Where the metrics are going to be written: a link is followed. @throws Node's error where that cannot be done */
export function placeMetrics(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (path === '' || found?.isFile() === false) throw new Error('it is no regular file');
  const place = found === undefined ? path : realpathSync(path);
  accessSync(dirname(place), constants.W_OK);
  return place;
}

/** Who reads meanwhile sees the old file or the new one. Half of one lies beside it under a name that no collector reads. */
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
