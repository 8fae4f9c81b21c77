import { type MeasuredTarget, type MetricFamily, renderMetricFamilies, targetFamilies } from '@certpin/pins-file';
import { isLate } from '../states/late.ts';
import type { PageStore } from '../store/store.ts';
import type { OutboxCount, TargetRow, WatcherRow } from '../types.ts';

interface Format {
  readonly format: 'openmetrics' | 'prometheus';
  /** Content-Type. */
  readonly type: string;
}

/** Prometheus asks for OpenMetrics. A person, curl and promtool get the older text format. */
export function negotiate(accept: string | undefined): Format {
  return /application\/openmetrics-text(?!\s*;[^,]*q=0(?:\.0+)?\s*(?:,|$))/i.test(accept ?? '')
    ? { format: 'openmetrics', type: 'application/openmetrics-text; version=1.0.0; charset=utf-8' }
    : { format: 'prometheus', type: 'text/plain; version=0.0.4; charset=utf-8' };
}

interface Wanted extends Format {
  /** With more targets than this, there are only sums: a metrics database pays for every name that it has ever seen. */
  readonly metricsTargets: number;
  readonly now: number;
}

/** The metrics of the watcher and of its targets, docs/reference/watch-pages.md. */
export async function watchMetrics(store: PageStore, { format, metricsTargets, now }: Wanted): Promise<string> {
  const [watcher, states, remarks, outbox, changes, muted, today] = await Promise.all([
    store.watcher(),
    store.countStates(),
    store.countRemarks(),
    store.outboxCounts(),
    store.countTransitions(),
    store.targets({ muted: true, limit: 1 }),
    store.dayTotals(new Date(now).toISOString().slice(0, 10)),
  ]);
  const file = watcher.pinsFile ?? '';
  const all = Object.values(states).reduce((sum, each) => sum + each, 0);
  const showsTargets = all <= metricsTargets;
  const targets: MeasuredTarget[] = [];
  if (showsTargets) for await (const row of store.eachTarget()) targets.push(measure(row, file));
  const by = (label: string, counts: Readonly<Partial<Record<string, number>>>): MetricFamily['samples'] =>
    Object.entries(counts).map(([name, value]) => ({ labels: { file, [label]: name }, value: value ?? 0 }));
  const one = (name: string, help: string, value: number | null): MetricFamily => ({
    name,
    help,
    samples: value === null ? [] : [{ labels: { file }, value }],
  });
  return renderMetricFamilies(
    [
      ...watcherFamilies(watcher, now, one),
      ...outboxFamilies(outbox),
      {
        name: 'certpin_watch_changes_total',
        help: 'Changes of state since the store was made, by the state after it.',
        type: 'counter',
        samples: by('state', changes),
      },
      {
        name: 'certpin_watch_checks_total',
        help: 'Checks by what they have found. Begins again at midnight UTC.',
        type: 'counter',
        samples: by('state', today.at(-1)?.found ?? {}),
      },
      one('certpin_watch_muted_targets', 'How many targets are muted.', muted.total),
      one(
        'certpin_watch_target_metrics',
        'Whether each target has metrics: 1; 0: there are too many.',
        showsTargets ? 1 : 0,
      ),
      { name: 'certpin_targets', help: 'How many targets are in a state.', samples: by('state', states) },
      { name: 'certpin_targets_remarked', help: 'How many targets have a remark.', samples: by('remark', remarks) },
      await endingFamily(store, now, file),
      ...targetFamilies(targets),
    ],
    format,
  );
}

type One = (name: string, help: string, value: number | null) => MetricFamily;

function watcherFamilies(watcher: WatcherRow, now: number, one: One): MetricFamily[] {
  const seconds = (time: number | null): number | null => (time === null ? null : time / 1000);
  const labels = { file: watcher.pinsFile ?? '', version: watcher.version ?? '' };
  return [
    { name: 'certpin_watch_info', help: 'The version of certpin that watches.', samples: [{ labels, value: 1 }] },
    one('certpin_watch_start_timestamp_seconds', 'When the watcher was started.', seconds(watcher.startedAt)),
    one('certpin_watch_checked_timestamp_seconds', 'When a check last ended.', seconds(watcher.checkedAt)),
    one('certpin_watch_interval_seconds', 'How often a target is asked.', seconds(watcher.intervalMs)),
    one('certpin_watch_caught_up_timestamp_seconds', 'When no target was due any more.', seconds(watcher.caughtUpAt)),
    one('certpin_watch_late', 'Whether checks are overdue for two intervals: 1.', isLate(watcher, now) ? 1 : 0),
    one(
      'certpin_watch_network_lost',
      'Whether the watcher itself reaches nobody.',
      watcher.networkLostAt === null ? 0 : 1,
    ),
    one('certpin_watch_pins_file_readable', 'Whether the pins file can be read.', watcher.fileError === null ? 1 : 0),
    one(
      'certpin_watch_pins_file_read_timestamp_seconds',
      'When the pins file was last read.',
      seconds(watcher.fileReadAt),
    ),
  ];
}

function outboxFamilies(outbox: readonly OutboxCount[]): MetricFamily[] {
  const each = (name: string, help: string, value: (one: OutboxCount) => number | null): MetricFamily => ({
    name,
    help,
    samples: outbox.flatMap((one) => {
      const known = value(one);
      return known === null ? [] : [{ labels: { receiver: one.receiver }, value: known }];
    }),
  });
  const seconds = (time: number | null): number | null => (time === null ? null : time / 1000);
  return [
    each('certpin_watch_notices_waiting', 'Notices that a receiver has not got yet.', ({ waiting }) => waiting),
    each('certpin_watch_notice_oldest_timestamp_seconds', 'Since when the oldest notice waits.', ({ oldestAt }) =>
      seconds(oldestAt),
    ),
    each('certpin_watch_notice_sent_timestamp_seconds', 'When the last notice was sent.', ({ lastSentAt }) =>
      seconds(lastSentAt),
    ),
    each(
      'certpin_watch_notice_failed_attempts',
      'How often the waiting notices were tried in vain.',
      ({ failedAttempts }) => failedAttempts,
    ),
  ];
}

const SPANS = [7, 14, 30, 90];
const DAY = 24 * 60 * 60 * 1000;

/** For users with too many targets to see each one. */
async function endingFamily(store: PageStore, now: number, file: string): Promise<MetricFamily> {
  const samples = SPANS.map(async (days) => {
    const { total } = await store.targets({ endsFrom: now, endsBefore: now + days * DAY, limit: 1 });
    return { labels: { file, within: `${days}d` }, value: total };
  });
  return {
    name: 'certpin_targets_ending',
    help: 'How many targets present a certificate that ends within a time.',
    samples: await Promise.all(samples),
  };
}

function measure(row: TargetRow, file: string): MeasuredTarget {
  return {
    file,
    target: row.label,
    servername: row.servername ?? undefined,
    id: row.id ?? undefined,
    protocol: row.protocol ?? undefined,
    state: row.state ?? undefined,
    checkedAt: row.checkedAt ?? undefined,
    seconds: row.checkSeconds ?? undefined,
    startsAt: row.startsAt ?? undefined,
    endsAt: row.endsAt ?? undefined,
    certificates: row.addresses.flatMap(({ certificate }) =>
      certificate === null
        ? []
        : [{ sha256: certificate.sha256, publicKeySha256: certificate.publicKeySha256 ?? undefined }],
    ),
  };
}
