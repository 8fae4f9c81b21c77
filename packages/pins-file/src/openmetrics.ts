import { outcomeOf, type Status } from './judge.ts';

/** Samples of one name. */
export interface MetricFamily {
  /** Of a counter: ends in `_total`. */
  readonly name: string;
  readonly help: string;
  /** Default: a gauge. */
  readonly type?: 'gauge' | 'counter';
  readonly samples: readonly MetricSample[];
}

interface MetricSample {
  /** An undefined value gives no label. */
  readonly labels: Readonly<Record<string, string | undefined>>;
  readonly value: number;
}

/**
 * OpenMetrics 1.0 text, or the older text format of Prometheus (0.0.4). With gauges only, both are the same text: a reader of the older
 * format treats `# EOF` as a comment.
 */
export function renderMetricFamilies(families: readonly MetricFamily[], format: 'openmetrics' | 'prometheus'): string {
  return [...families.map((family) => renderFamily(family, format)), '# EOF\n'].join('');
}

function renderFamily(
  { name, help, type = 'gauge', samples }: MetricFamily,
  format: 'openmetrics' | 'prometheus',
): string {
  const lines = samples.map(({ labels, value }) => {
    const given = Object.entries(labels).filter(([, text]) => text !== undefined);
    return `${name}{${given.map(([key, text]) => `${key}="${escaped(String(text))}"`).join(',')}} ${value}\n`;
  });
  // OpenMetrics names a counter without the ending of its samples.
  const family = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
  return `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n${lines.join('')}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** The measured values of a target. Times are milliseconds since 1970. undefined: not known. */
export interface MeasuredTarget {
  readonly file: string;
  readonly target: string;
  readonly servername: string | undefined;
  readonly id: string | undefined;
  readonly protocol: string | undefined;
  /** undefined: it was not asked yet. */
  readonly state: Status | 'rotated' | undefined;
  readonly checkedAt: number | undefined;
  readonly seconds: number | undefined;
  readonly startsAt: number | undefined;
  readonly endsAt: number | undefined;
  readonly certificates: readonly { readonly sha256: string; readonly publicKeySha256: string | undefined }[];
}

/** The metrics of targets, as in docs/reference/states.md. No label contains what a peer has chosen, except the two hashes. */
export function targetFamilies(targets: readonly MeasuredTarget[]): MetricFamily[] {
  const ofEach = (samples: (measured: MeasuredTarget) => readonly MetricSample[]): MetricSample[] =>
    targets.flatMap((measured) => {
      const { file, target, servername, id } = measured;
      return samples(measured).map(({ labels, value }) => ({
        labels: { file, target, servername, id, ...labels },
        value,
      }));
    });
  const known = (value: number | undefined): readonly MetricSample[] =>
    value === undefined ? [] : [{ labels: {}, value }];
  const seconds = (time: number | undefined): number | undefined => (time === undefined ? undefined : time / 1000);
  return [
    {
      name: 'certpin_target_info',
      help: 'A target, and its protocol.',
      samples: ofEach(({ protocol }) => [{ labels: { protocol }, value: 1 }]),
    },
    {
      name: 'certpin_target_state',
      help: 'The state of a target. The value is 1.',
      samples: ofEach(({ state }) => (state === undefined ? [] : [{ labels: { state }, value: 1 }])),
    },
    {
      name: 'certpin_target_holds',
      help: 'Whether the pin holds: 1 yes; 0 no, or the target could not be asked.',
      samples: ofEach(({ state }) => known(state === undefined ? undefined : holds(state) ? 1 : 0)),
    },
    {
      name: 'certpin_target_checked_timestamp_seconds',
      help: 'When the target was asked.',
      samples: ofEach(({ checkedAt }) => known(seconds(checkedAt))),
    },
    {
      name: 'certpin_target_check_duration_seconds',
      help: 'How long the target was asked.',
      samples: ofEach((measured) => known(measured.seconds)),
    },
    {
      name: 'certpin_certificate_not_before_timestamp_seconds',
      help: 'When the validity of the presented certificate begins; with several addresses, the latest time.',
      samples: ofEach(({ startsAt }) => known(seconds(startsAt))),
    },
    {
      name: 'certpin_certificate_not_after_timestamp_seconds',
      help: 'When the validity of the presented certificate ends; with several addresses, the earliest time.',
      samples: ofEach(({ endsAt }) => known(seconds(endsAt))),
    },
    {
      name: 'certpin_certificate_info',
      help: 'The presented certificate, by its SHA-256 and that of its key.',
      samples: ofEach(({ certificates }) => {
        const different = new Map(certificates.map((leaf) => [leaf.sha256, leaf]));
        return [...different.values()].map(({ sha256, publicKeySha256 }) => ({
          labels: { sha256, public_key_sha256: publicKeySha256 },
          value: 1,
        }));
      }),
    },
  ];
}

function holds(state: Status | 'rotated'): boolean {
  return state === 'rotated' || outcomeOf[state] === 'yes';
}
