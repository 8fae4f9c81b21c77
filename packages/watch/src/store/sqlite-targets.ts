import { rankOf } from '../states/states.ts';
import type { Mute } from '../types.ts';
import { daySumOf, sumDays } from './day-sums.ts';
import { keysOf, searchTextOf, searchTextOfSeen, TARGET_COLUMNS, toDue, toMute, withMute } from './rows.ts';
import { inOneStep } from './sqlite-file.ts';
import type { Database } from './sqlite-module.ts';
import { createTransitionWriter } from './sqlite-transitions.ts';
import type { Recorded, TargetStore, WatchedTarget } from './store.ts';

const WITH_MUTE = withMute('');
/** Targets that are written in one step while a pins file is read. */
const BATCH = 500;

export function createTargetStore(database: Database, now: () => number): TargetStore {
  const writeTransitions = createTransitionWriter(database);
  const NOT_ONE_OF = 't.key NOT IN (SELECT value FROM json_each(?))';
  const due = database.prepare(
    `SELECT ${TARGET_COLUMNS} FROM ${WITH_MUTE} WHERE t.next_check_at <= ? AND ${NOT_ONE_OF} ORDER BY t.next_check_at, t.number LIMIT ?`,
  );
  const answered = database.prepare(
    `SELECT ${TARGET_COLUMNS} FROM ${WITH_MUTE} WHERE t.observed IS NOT NULL
       AND t.observed NOT IN ('unreachable', 'no-such-name') AND ${NOT_ONE_OF} ORDER BY t.checked_at DESC LIMIT ?`,
  );
  const next = database.prepare('SELECT min(next_check_at) AS at FROM target');
  const update = database.prepare(
    `UPDATE target SET protocol = ?, state = ?, rank = ?, since = ?, observed = ?, reason = ?, remarks = ?, checked_at = ?,
       check_seconds = ?, next_check_at = ?, starts_at = ?, ends_at = ?, addresses = ?, told = ?, memory = ?, search_seen = ?
     WHERE key = ? AND text = ? AND checked_at IS ? RETURNING number`,
  );
  const presentedBy = database.prepare('SELECT public_key FROM presented WHERE target = ?');
  const forgetKeys = database.prepare('DELETE FROM presented WHERE target = ?');
  const keepKey = database.prepare('INSERT OR IGNORE INTO presented (public_key, target) VALUES (?, ?)');
  const presenters = database.prepare('SELECT target FROM presented WHERE public_key = ? LIMIT 3');
  const markShared = database.prepare(
    `UPDATE target SET remarks = json_insert(remarks, '$[#]', 'same-key') WHERE number = ? AND instr(remarks, '"same-key"') = 0`,
  );
  const sharer = database.prepare(
    `SELECT 1 FROM presented WHERE public_key = ? AND target <> ifnull((SELECT number FROM target WHERE key = ?), 0) LIMIT 1`,
  );
  const addToDay = database.prepare(
    `INSERT INTO day (target, day, state, checks, seconds_sum, seconds_max) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET checks = checks + excluded.checks, seconds_sum = seconds_sum + excluded.seconds_sum,
       seconds_max = max(seconds_max, excluded.seconds_max)`,
  );
  const keepWatcher = database.prepare('INSERT OR REPLACE INTO watcher (name, value) VALUES (?, ?)');

  const writeSeen = ({ key, text, before, seen }: Recorded): number | undefined => {
    const values = [
      ...[seen.protocol, seen.state, rankOf(seen.state), seen.since, seen.observed, seen.reason],
      ...[
        JSON.stringify(seen.remarks),
        seen.checkedAt,
        seen.checkSeconds,
        seen.nextCheckAt,
        seen.startsAt,
        seen.endsAt,
      ],
      ...[JSON.stringify(seen.addresses), seen.told, seen.memory, searchTextOfSeen(seen.addresses)],
    ];
    const row = update.get(...values, key, text, before);
    if (row === undefined) return undefined;
    const number = Number(row.number);
    const keys = keysOf(seen.addresses);
    const known = presentedBy.all(number).map(({ public_key }) => String(public_key));
    if (keys.length !== known.length || keys.some((one) => !known.includes(one))) {
      forgetKeys.run(number);
      for (const one of keys) {
        keepKey.run(one, number);
        const others = presenters.all(one).map(({ target }) => Number(target));
        if (others.length < 2) continue;
        // Where the second target presents a key, the first one hears of it too. Those that come later ask `shares`: it does not know yet what is
        // written in this same step.
        if (others.length === 2) for (const other of others) markShared.run(other);
        else if (!seen.remarks.includes('same-key')) markShared.run(number);
      }
    }
    return number;
  };

  return {
    async importTargets(targets, at) {
      database.exec('DELETE FROM incoming');
      const keep = database.prepare('INSERT INTO incoming VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
      let batch: WatchedTarget[] = [];
      const write = (): void => {
        inOneStep(database, () => {
          for (const { key, label, id, servername, note, line, pins, intervalMs, text } of batch) {
            const search = searchTextOf([label, id, servername, note]);
            keep.run(key, label, id, servername, note, line, JSON.stringify(pins), intervalMs, text, search);
          }
        });
        batch = [];
      };
      for await (const target of targets) {
        if (batch.push(target) === BATCH) write();
      }
      write();
      inOneStep(database, () => {
        database
          .prepare(
            `INSERT INTO target (key, label, id, servername, note, line, pins, interval_ms, text, search_file, next_check_at)
             SELECT key, label, id, servername, note, line, pins, interval_ms, text, search_file, ? FROM incoming WHERE true
             ON CONFLICT (key) DO UPDATE SET label = excluded.label, id = excluded.id, servername = excluded.servername,
               note = excluded.note, line = excluded.line, pins = excluded.pins, interval_ms = excluded.interval_ms,
               text = excluded.text, search_file = excluded.search_file,
               next_check_at = CASE WHEN text = excluded.text THEN min(next_check_at, ? + excluded.interval_ms) ELSE ? END`,
          )
          .run(at, at, at);
        const gone = 'SELECT number FROM target WHERE key NOT IN (SELECT key FROM incoming)';
        database.exec(`DELETE FROM presented WHERE target IN (${gone})`);
        database.exec(`DELETE FROM day WHERE target <> 0 AND target IN (${gone})`);
        database.exec('DELETE FROM heard WHERE key NOT IN (SELECT key FROM incoming)');
        database.exec(`DELETE FROM target WHERE number IN (${gone})`);
        database.exec('DELETE FROM incoming');
      });
    },
    async due(at, limit, without) {
      return due.all(now(), at, JSON.stringify([...without]), limit).map(toDue);
    },
    async answered(limit, without) {
      return answered.all(now(), JSON.stringify([...without]), limit).map(toDue);
    },
    async nextDueAt() {
      return (next.get()?.at ?? null) as number | null;
    },
    async clampDue(at) {
      database
        .prepare('UPDATE target SET next_check_at = ? + interval_ms WHERE next_check_at > ? + interval_ms')
        .run(at, at);
    },
    async allDue(at) {
      database.prepare('UPDATE target SET next_check_at = ? WHERE next_check_at > ?').run(at, at);
    },
    async record(checks) {
      return inOneStep(database, () => {
        const written: Recorded[] = [];
        for (const check of checks) {
          const number = writeSeen(check);
          if (number === undefined) continue;
          written.push(check);
          const sum = daySumOf(check);
          if (sum !== undefined) addToDay.run(number, ...sum);
          writeTransitions(check.transitions);
        }
        for (const sum of sumDays(written)) addToDay.run(0, ...sum);
        return new Set(written.map(({ key }) => key));
      });
    },
    async recordWatcher(change, transitions = []) {
      inOneStep(database, () => {
        for (const [name, value] of Object.entries(change)) keepWatcher.run(name, JSON.stringify(value));
        writeTransitions(transitions);
      });
    },
    async shares(key, publicKeys) {
      return publicKeys.some((one) => sharer.get(one, key) !== undefined);
    },
    async setMute({ key, until, reason, since }) {
      database
        .prepare('INSERT OR REPLACE INTO mute (key, until, reason, since) VALUES (?, ?, ?, ?)')
        .run(key, until, reason, since);
    },
    async removeMute(key) {
      return Number(database.prepare('DELETE FROM mute WHERE key = ?').run(key).changes) > 0;
    },
    async mutes(at): Promise<readonly Mute[]> {
      return database.prepare('SELECT * FROM mute WHERE until > ? ORDER BY until').all(at).map(toMute);
    },
  };
}
