import type { Message, State, TransitionKind } from '../types.ts';
import { clean, cleanForPeople } from './clean.ts';
import type { Form, OwnTrouble, Trouble } from './receiver.ts';
import { isTrouble } from './severity.ts';

/** An alert of Alertmanager's API v2. */
export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

/**
 * How long an alert lasts if it is not repeated. Alertmanager forgets alerts at a restart, so it is told every minute what is still true. A
 * watcher that is restarted or moved must not look like the end of a trouble.
 */
const STANDS_MS = 60 * 60 * 1000;

/** The names of docs/reference/states.md. The same rules work for Prometheus and for these alerts. */
const names: Readonly<Record<State, string | undefined>> = {
  holds: undefined,
  rotated: undefined,
  mixed: 'PinnedCertificatesDiffer',
  'ends-soon': 'PinnedCertificateEndsSoon',
  'no-such-name': 'PinnedServerUnreachable',
  unreachable: 'PinnedServerUnreachable',
  refused: 'CertificateNotThePinnedOne',
  'not-yet-valid': 'CertificateNotThePinnedOne',
  expired: 'CertificateNotThePinnedOne',
  drift: 'CertificateNotThePinnedOne',
  revoked: 'CertificateNotThePinnedOne',
};

/** Alerts about the watcher itself, by the kind of transition that ends them. */
const ownEnds: Readonly<Partial<Record<TransitionKind, OwnTrouble['kind']>>> = {
  'network-back': 'network-lost',
  'file-readable': 'file-unreadable',
};

const ownNames: Readonly<Record<OwnTrouble['kind'], string>> = {
  'network-lost': 'CertpinWatchReachesNobody',
  'file-unreadable': 'CertpinWatchPinsFileUnreadable',
};

export interface AlertsOptions {
  readonly form: Form;
  /** Which watcher it is. */
  readonly source: string;
  readonly now: number;
}

/** What the transitions of a message begin and end. A remark is not an alert. */
export function toAlerts(message: Message, { form, source, now }: AlertsOptions): readonly Alert[] {
  if (message.kind === 'test') return [toTestAlert(now)];
  // An alert is identified by its labels. If a target was several times in one state, the last time counts.
  const alerts = new Map<string, Alert>();
  const add = (alert: Alert): unknown => alerts.set(JSON.stringify(alert.labels), alert);
  // What has begun within this message, by what it is about. Its end is another transition, and knows nothing of the beginning.
  const begun = new Map<string, Trouble>();
  const ownBegun = new Map<string, OwnTrouble>();
  for (const { kind, from, to, key, label, at, reason, targetId, servername } of message.transitions) {
    const ended = ownEnds[kind];
    if (kind === 'network-lost' || kind === 'file-unreadable') {
      const own = { kind, since: at, reason };
      ownBegun.set(kind, own);
      add(toOwnAlert(own, source, now));
    } else if (ended !== undefined) {
      add(toOwnAlert(ownBegun.get(ended) ?? { kind: ended, since: at, reason: '' }, source, now, at));
      ownBegun.delete(ended);
    }
    if ((kind !== 'changed' && kind !== 'unmuted') || key === null || label === null) continue;
    const about = { key, label, targetId, servername, since: at };
    // What was muted has begun no alert, so the state that this receiver was told is the one that ends.
    const open =
      begun.get(key) ?? (from !== null && isTrouble(from) ? { ...about, state: from, reason: '' } : undefined);
    if (open !== undefined && open.state !== to) add(toAlert(open, form, now, at));
    begun.delete(key);
    if (to === null || !isTrouble(to)) continue;
    const trouble = { ...about, state: to, reason };
    begun.set(key, trouble);
    add(toAlert(trouble, form, now));
  }
  return [...alerts.values()];
}

export function toOwnAlert({ kind, since, reason }: OwnTrouble, source: string, now: number, endedAt?: number): Alert {
  return {
    labels: { alertname: ownNames[kind], severity: 'critical', watcher: source },
    annotations: reason === '' ? {} : { summary: clean(reason) },
    ...times(since, endedAt, now),
  };
}

/** @param endedAt default: it is still true */
export function toAlert(trouble: Trouble, form: Form, now: number, endedAt?: number): Alert {
  const { state, label, targetId, servername, since, reason } = trouble;
  return {
    labels: {
      alertname: names[state] ?? 'PinnedServer',
      severity: severityOf(state),
      state,
      // Only these labels, and none that a peer chose: Alertmanager distinguishes alerts by their labels. It drops empty labels.
      target: clean(label),
      target_id: clean(targetId ?? ''),
      servername: clean(servername ?? ''),
    },
    annotations:
      form === 'short' || reason === ''
        ? {}
        : { summary: clean(`${label}: ${state}`), description: cleanForPeople(reason) },
    ...times(since, endedAt, now),
  };
}

function severityOf(state: State): string {
  return names[state] === 'CertificateNotThePinnedOne' ? 'critical' : 'warning';
}

function times(since: number, endedAt: number | undefined, now: number): Pick<Alert, 'startsAt' | 'endsAt'> {
  // Alertmanager refuses a beginning after the end, and clocks jump.
  const startsAt = Math.min(since, now);
  return {
    startsAt: iso(startsAt),
    endsAt: iso(endedAt === undefined ? now + STANDS_MS : Math.max(endedAt, startsAt)),
  };
}

function toTestAlert(now: number): Alert {
  return {
    labels: { alertname: 'CertpinTest', severity: 'none' },
    annotations: { summary: 'test notice of certpin watch; nothing has happened' },
    startsAt: iso(now),
    endsAt: iso(now + 60_000),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
