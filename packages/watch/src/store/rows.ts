import type { Mute, OutboxCount, SeenAddress, State, StoredTransition, TargetRow, WatcherRow } from '../types.ts';
import type { DueTarget } from './store.ts';

export type Value = string | number | null;
/** A row of a database: text, numbers and nothing else, so one reader serves both. */
export type Row = Readonly<Record<string, Value>>;

/** Of a target, with its mute where there is one. */
export const TARGET_COLUMNS = 't.*, m.until AS mute_until, m.reason AS mute_reason, m.since AS mute_since';
/** Targets with their mutes. Its parameter is the time now: mutes that have ended do not count. @param schema with its dot, or nothing */
export function withMute(schema: '' | 'certpin.'): string {
  return `${schema}target t LEFT JOIN ${schema}mute m ON m.key = t.key AND m.until > ?`;
}

export function toTargetRow(row: Row): TargetRow {
  const text = (name: string): string | null => row[name] as string | null;
  const number = (name: string): number | null => row[name] as number | null;
  return {
    key: String(row.key),
    label: String(row.label),
    id: text('id'),
    servername: text('servername'),
    note: text('note'),
    line: Number(row.line),
    pins: JSON.parse(String(row.pins)),
    intervalMs: Number(row.interval_ms),
    protocol: text('protocol'),
    state: row.state as State | null,
    since: number('since'),
    observed: row.observed as State | null,
    reason: String(row.reason),
    remarks: JSON.parse(String(row.remarks)),
    checkedAt: number('checked_at'),
    checkSeconds: number('check_seconds'),
    nextCheckAt: Number(row.next_check_at),
    startsAt: number('starts_at'),
    endsAt: number('ends_at'),
    addresses: JSON.parse(String(row.addresses)),
    told: row.told as State | null,
    mute:
      typeof row.mute_until === 'number'
        ? toMute({ ...row, until: row.mute_until, reason: row.mute_reason ?? '', since: row.mute_since ?? 0 })
        : null,
  };
}

export function toDue(row: Row): DueTarget {
  return { row: toTargetRow(row), text: String(row.text), memory: row.memory as string | null };
}

export function toMute({ key, until, reason, since }: Row): Mute {
  return { key: String(key), until: Number(until), reason: String(reason), since: Number(since) };
}

export function toTransition(row: Row): StoredTransition {
  return {
    number: Number(row.number),
    id: String(row.id),
    at: Number(row.at),
    kind: row.kind as StoredTransition['kind'],
    key: row.key as string | null,
    label: row.label as string | null,
    targetId: row.target_id as string | null,
    servername: row.servername as string | null,
    from: row.from_state as State | null,
    to: row.to_state as State | null,
    remark: row.remark as StoredTransition['remark'],
    reason: String(row.reason),
    mutedBy: row.muted_by as StoredTransition['mutedBy'],
    addresses: JSON.parse(String(row.addresses)),
    endsAt: row.ends_at as number | null,
  };
}

/** What a search looks at, in lower case: upper and lower case are one there. */
export function searchTextOf(texts: readonly (string | null)[]): string {
  return texts
    .filter((text) => text !== null)
    .join('\n')
    .toLowerCase();
}

export function searchTextOfSeen(addresses: readonly SeenAddress[]): string {
  const texts = addresses.flatMap(({ address, certificate }) =>
    certificate === null
      ? [address]
      : [
          address,
          certificate.subject,
          certificate.issuer,
          ...certificate.names,
          certificate.sha256,
          certificate.publicKeySha256,
        ],
  );
  return searchTextOf([...new Set(texts)]);
}

/** The keys that were presented, each once. */
export function keysOf(addresses: readonly SeenAddress[]): readonly string[] {
  return [...new Set(addresses.flatMap(({ certificate }) => certificate?.publicKeySha256 ?? []))];
}

export function toOutboxCount(row: Row): OutboxCount {
  return {
    receiver: String(row.name),
    waiting: Number(row.count ?? 0),
    oldestAt: row.at as number | null,
    lastSentAt: row.last_sent_at as number | null,
    lastError: row.last_error as string | null,
    failedAttempts: Number(row.failed_attempts ?? 0),
  };
}

/** Nothing is known before a watcher has run. */
export const emptyWatcher: WatcherRow = {
  startedAt: null,
  version: null,
  pinsFile: null,
  checkedAt: null,
  caughtUpAt: null,
  passTargets: null,
  passSeconds: null,
  intervalMs: null,
  networkLostAt: null,
  fileReadAt: null,
  fileError: null,
};
