import { states } from '../states/states.ts';
import type { Remark, State, WatcherRow } from '../types.ts';
import { conditionsOf, conditionsOfTransitions, orderOf, toDay, toDays } from './query.ts';
import { emptyWatcher, TARGET_COLUMNS, toMute, toTargetRow, toTransition, withMute } from './rows.ts';
import type { Database } from './sqlite-module.ts';
import { countOutbox } from './sqlite-outbox.ts';
import type { PageStore } from './store.ts';

const WITH_MUTE = withMute('');
/** Rows that are in memory at a time. */
const BATCH = 500;

/** What the pages, the metrics and `watch status` read. */
export function createPageStore(database: Database, now: () => number): PageStore {
  const one = database.prepare(`SELECT ${TARGET_COLUMNS} FROM ${WITH_MUTE} WHERE t.key = ?`);
  const next = database.prepare(
    `SELECT ${TARGET_COLUMNS} FROM ${WITH_MUTE} WHERE t.number > ? ORDER BY t.number LIMIT ?`,
  );
  return {
    async target(key) {
      const row = one.get(now(), key);
      return row === undefined ? undefined : toTargetRow(row);
    },
    async targets(query) {
      const { where, values } = conditionsOf(query, 'instr');
      const from = `FROM ${WITH_MUTE} ${where}`;
      const total = Number(database.prepare(`SELECT count(*) AS count ${from}`).get(now(), ...values)?.count);
      const rows = database
        .prepare(`SELECT ${TARGET_COLUMNS} ${from} ORDER BY ${orderOf(query)} LIMIT ? OFFSET ?`)
        .all(now(), ...values, query.limit ?? 100, query.offset ?? 0);
      return { total, rows: rows.map(toTargetRow) };
    },
    async *eachTarget() {
      for (let after = 0; ; ) {
        const rows = next.all(now(), after, BATCH);
        yield* rows.map(toTargetRow);
        if (rows.length < BATCH) return;
        after = Number(rows.at(-1)?.number);
      }
    },
    async countStates() {
      const counts = Object.fromEntries([...states, 'unknown'].map((state) => [state, 0])) as Record<
        State | 'unknown',
        number
      >;
      for (const { rank, count } of database.prepare('SELECT rank, count(*) AS count FROM target GROUP BY rank').all())
        counts[states[Number(rank)] ?? 'unknown'] += Number(count);
      return counts;
    },
    async countRemarks() {
      const rows = database
        .prepare(
          `SELECT r.value AS remark, count(*) AS count FROM target, json_each(remarks) r WHERE remarks <> '[]' GROUP BY r.value`,
        )
        .all();
      return Object.fromEntries(rows.map(({ remark, count }) => [remark as Remark, Number(count)]));
    },
    async transitions(query) {
      const { where, values } = conditionsOfTransitions(query);
      return database
        .prepare(`SELECT * FROM transition ${where} ORDER BY number DESC LIMIT ?`)
        .all(...values, query.limit ?? 100)
        .map(toTransition);
    },
    async countTransitions() {
      const rows = database.prepare('SELECT state, count FROM transition_count').all();
      return Object.fromEntries(rows.map(({ state, count }) => [state as State, Number(count)]));
    },
    async days(key, fromDay) {
      const rows = database
        .prepare(
          'SELECT d.* FROM day d JOIN target t ON t.number = d.target WHERE t.key = ? AND d.day >= ? ORDER BY d.day',
        )
        .all(key, toDay(fromDay));
      return toDays(rows);
    },
    async dayTotals(fromDay) {
      return toDays(
        database.prepare('SELECT * FROM day WHERE target = 0 AND day >= ? ORDER BY day').all(toDay(fromDay)),
      );
    },
    async sharing(key, publicKeys, limit) {
      return database
        .prepare(
          `SELECT DISTINCT t.key, t.label FROM presented p JOIN target t ON t.number = p.target
           WHERE p.public_key IN (SELECT value FROM json_each(?)) AND t.key <> ? ORDER BY t.label LIMIT ?`,
        )
        .all(JSON.stringify(publicKeys), key, limit)
        .map((row) => ({ key: String(row.key), label: String(row.label) }));
    },
    async watcher() {
      const known = database.prepare('SELECT name, value FROM watcher').all();
      const { at } = database.prepare('SELECT max(checked_at) AS at FROM target').get() ?? {};
      return {
        ...emptyWatcher,
        checkedAt: at ?? null,
        ...Object.fromEntries(known.map(({ name, value }) => [name, JSON.parse(String(value))])),
      } as WatcherRow;
    },
    async mutes(at) {
      return database.prepare('SELECT * FROM mute WHERE until > ? ORDER BY until').all(at).map(toMute);
    },
    outboxCounts: async () => countOutbox(database),
  };
}
