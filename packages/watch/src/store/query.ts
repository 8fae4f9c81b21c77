import { states } from '../states/states.ts';
import type { DayRow, State } from '../types.ts';
import type { Row, Value } from './rows.ts';
import type { TargetQuery, TransitionQuery } from './store.ts';

const DAY_MS = 86_400_000;

/** What differs between the databases in these queries: the function that finds a text in a text, from 1 on. */
type Find = 'instr' | 'strpos';

/** A part of a query, with a question mark for each value. */
export interface Conditions {
  readonly where: string;
  readonly values: readonly Value[];
}

function toWhere(conditions: readonly (readonly [sql: string, ...values: Value[]])[]): Conditions {
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([sql]) => sql).join(' AND ')}`;
  return { where, values: conditions.flatMap(([, ...values]) => values) };
}

export function conditionsOf(
  { search, states: wanted, remark, muted, endsFrom, endsBefore }: TargetQuery,
  find: Find,
): Conditions {
  const conditions: [string, ...Value[]][] = [];
  const words = (search ?? '').toLowerCase().trim();
  if (words !== '') conditions.push([`(${find}(t.search_file, ?) > 0 OR ${find}(t.search_seen, ?) > 0)`, words, words]);
  if (wanted !== undefined) {
    const ranks = wanted.map((state) => (state === 'unknown' ? -1 : states.indexOf(state)));
    conditions.push([`t.rank IN (${ranks.map(() => '?').join(', ')})`, ...ranks]);
  }
  if (remark !== undefined) conditions.push([`${find}(t.remarks, ?) > 0`, JSON.stringify(remark)]);
  if (muted !== undefined) conditions.push([`m.until IS ${muted ? 'NOT NULL' : 'NULL'}`]);
  if (endsFrom !== undefined) conditions.push(['t.ends_at >= ?', endsFrom]);
  if (endsBefore !== undefined) conditions.push(['t.ends_at < ?', endsBefore]);
  return toWhere(conditions);
}

export function conditionsOfTransitions({ key, from, before, beforeNumber, kinds }: TransitionQuery): Conditions {
  const conditions: [string, ...Value[]][] = [];
  if (key !== undefined) conditions.push(['key = ?', key]);
  if (from !== undefined) conditions.push(['at >= ?', from]);
  if (before !== undefined) conditions.push(['at < ?', before]);
  if (beforeNumber !== undefined) conditions.push(['number < ?', beforeNumber]);
  if (kinds !== undefined) conditions.push([`kind IN (${kinds.map(() => '?').join(', ')})`, ...kinds]);
  return toWhere(conditions);
}

const columns = { label: 't.label', ends: 't.ends_at', checked: 't.checked_at', since: 't.since' } as const;

/** The worst first; else the smallest first. */
export function orderOf({ sort = 'state', descending = false }: TargetQuery): string {
  if (sort === 'state') return descending ? 't.rank, t.label' : 't.rank DESC, t.label';
  const column = columns[sort];
  const way = descending ? 'DESC' : 'ASC';
  return sort === 'label' ? `${column} ${way}` : `${column} ${way} NULLS LAST, t.label`;
}

export function toDay(text: string): number {
  return Math.floor(Date.parse(`${text}T00:00Z`) / DAY_MS);
}

/** The states of a day together. */
export function toDays(rows: readonly Row[]): readonly DayRow[] {
  const found = new Map<number, DayRow>();
  for (const row of rows) {
    const day = Number(row.day);
    const known = found.get(day);
    const checks = Number(row.checks);
    found.set(day, {
      day: new Date(day * DAY_MS).toISOString().slice(0, 10),
      checks: (known?.checks ?? 0) + checks,
      found: { ...known?.found, [row.state as State]: checks },
      secondsSum: (known?.secondsSum ?? 0) + Number(row.seconds_sum),
      secondsMax: Math.max(known?.secondsMax ?? 0, Number(row.seconds_max)),
    });
  }
  return [...found.values()];
}
