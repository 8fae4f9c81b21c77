import { states } from '../states/states.ts';
import type { Remark, State, WatcherRow } from '../types.ts';
import type { Database } from './postgres-database.ts';
import { countOutbox } from './postgres-outbox.ts';
import { readMutes } from './postgres-targets.ts';
import { conditionsOf, conditionsOfTransitions, orderOf, toDay, toDays } from './query.ts';
import { emptyWatcher, TARGET_COLUMNS, toTargetRow, toTransition, withMute } from './rows.ts';
import type { PageStore } from './store.ts';

const WITH_MUTE = withMute('certpin.');
/** Rows that are in memory at a time. */
const BATCH = 500;

/** What the pages, the metrics and `watch status` read. */
export function createPageStore(database: Database, now: () => number): PageStore {
  return {
    async target(key) {
      const sql = `SELECT ${TARGET_COLUMNS} FROM ${WITH_MUTE} WHERE t.key = ?`;
      const [row] = (await database.query(sql, now(), key)).rows;
      return row === undefined ? undefined : toTargetRow(row);
    },
    async targets(query) {
      const { where, values } = conditionsOf(query, 'strpos');
      const from = `FROM ${WITH_MUTE} ${where}`;
      const [counted] = (await database.query(`SELECT count(*) AS count ${from}`, now(), ...values)).rows;
      const { rows } = await database.query(
        `SELECT ${TARGET_COLUMNS} ${from} ORDER BY ${orderOf(query)} LIMIT ? OFFSET ?`,
        ...[now(), ...values, query.limit ?? 100, query.offset ?? 0],
      );
      return { total: Number(counted?.count), rows: rows.map(toTargetRow) };
    },
    async *eachTarget() {
      for (let after = 0; ; ) {
        const { rows } = await database.query(
          `SELECT ${TARGET_COLUMNS} FROM ${WITH_MUTE} WHERE t.number > ? ORDER BY t.number LIMIT ?`,
          ...[now(), after, BATCH],
        );
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
      const { rows } = await database.query('SELECT rank, count(*) AS count FROM certpin.target GROUP BY rank');
      for (const { rank, count } of rows) counts[states[Number(rank)] ?? 'unknown'] += Number(count);
      return counts;
    },
    async countRemarks() {
      const { rows } = await database.query(
        `SELECT r.value AS remark, count(*) AS count
         FROM (SELECT remarks FROM certpin.target WHERE remarks <> '[]') AS t, json_array_elements_text(t.remarks::json) AS r (value)
         GROUP BY r.value`,
      );
      return Object.fromEntries(rows.map(({ remark, count }) => [remark as Remark, Number(count)]));
    },
    async transitions(query) {
      const { where, values } = conditionsOfTransitions(query);
      const sql = `SELECT * FROM certpin.transition ${where} ORDER BY number DESC LIMIT ?`;
      return (await database.query(sql, ...values, query.limit ?? 100)).rows.map(toTransition);
    },
    async countTransitions() {
      const { rows } = await database.query('SELECT state, count FROM certpin.transition_count');
      return Object.fromEntries(rows.map(({ state, count }) => [state as State, Number(count)]));
    },
    async days(key, fromDay) {
      const sql = `SELECT d.* FROM certpin.day d JOIN certpin.target t ON t.number = d.target
         WHERE t.key = ? AND d.day >= ? ORDER BY d.day`;
      return toDays((await database.query(sql, key, toDay(fromDay))).rows);
    },
    async dayTotals(fromDay) {
      const sql = 'SELECT * FROM certpin.day WHERE target = 0 AND day >= ? ORDER BY day';
      return toDays((await database.query(sql, toDay(fromDay))).rows);
    },
    async sharing(key, publicKeys, limit) {
      const { rows } = await database.query(
        `SELECT DISTINCT t.key, t.label FROM certpin.presented p JOIN certpin.target t ON t.number = p.target
         WHERE p.public_key = ANY(?::text[]) AND t.key <> ? ORDER BY t.label LIMIT ?`,
        ...[publicKeys, key, limit],
      );
      return rows.map((row) => ({ key: String(row.key), label: String(row.label) }));
    },
    async watcher() {
      const { rows: known } = await database.query('SELECT name, value FROM certpin.watcher');
      const [{ at = null } = {}] = (await database.query('SELECT max(checked_at) AS at FROM certpin.target')).rows;
      return {
        ...emptyWatcher,
        checkedAt: at,
        ...Object.fromEntries(known.map(({ name, value }) => [name, JSON.parse(String(value))])),
      } as WatcherRow;
    },
    mutes: (at) => readMutes(database, at),
    outboxCounts: () => countOutbox(database),
  };
}
