import { rankOf } from '../states/states.ts';
import type { Mute } from '../types.ts';
import { daySumOf, sumDays } from './day-sums.ts';
import { type Database, type Queries, toColumns } from './postgres-database.ts';
import { writeTransitions } from './postgres-transitions.ts';
import { keysOf, searchTextOf, searchTextOfSeen, TARGET_COLUMNS, toDue, toMute, type Value, withMute } from './rows.ts';
import type { DueTarget, Recorded, TargetStore, WatchedTarget } from './store.ts';

/** Targets that are written in one step while a pins file is read. */
const BATCH = 500;

export function createTargetStore(database: Database, now: () => number): TargetStore {
  const dueTargets = async (where: string, ...values: (Value | readonly Value[])[]): Promise<readonly DueTarget[]> => {
    const sql = `SELECT ${TARGET_COLUMNS} FROM ${withMute('certpin.')} WHERE ${where}`;
    return (await database.query(sql, now(), ...values)).rows.map(toDue);
  };
  return {
    async importTargets(targets, at) {
      await database.inOneStep(async (step) => {
        // Another one that reads a file into this database waits here, until this one has ended: half of a file would forget targets.
        await step.query('TRUNCATE certpin.incoming');
        let batch: WatchedTarget[] = [];
        for await (const target of targets) {
          if (batch.push(target) < BATCH) continue;
          await writeIncoming(step, batch);
          batch = [];
        }
        await writeIncoming(step, batch);
        await takeOver(step, at);
      }, 1); // the file is read once
    },
    due: (at, limit, without) =>
      dueTargets(
        't.next_check_at <= ? AND t.key <> ALL(?::text[]) ORDER BY t.next_check_at, t.number LIMIT ?',
        at,
        [...without],
        limit,
      ),
    answered: (limit, without) =>
      dueTargets(
        `t.checked_at IS NOT NULL AND t.observed IS NOT NULL AND t.observed NOT IN ('unreachable', 'no-such-name')
           AND t.key <> ALL(?::text[]) ORDER BY t.checked_at DESC LIMIT ?`,
        [...without],
        limit,
      ),
    async nextDueAt() {
      const { rows } = await database.query('SELECT min(next_check_at) AS at FROM certpin.target');
      return (rows[0]?.at ?? null) as number | null;
    },
    async clampDue(at) {
      await database.query(
        'UPDATE certpin.target SET next_check_at = ? + interval_ms WHERE next_check_at > ? + interval_ms',
        ...[at, at],
      );
    },
    async allDue(at) {
      await database.query('UPDATE certpin.target SET next_check_at = ? WHERE next_check_at > ?', at, at);
    },
    record: (checks) => database.inOneStep((step) => record(step, checks)),
    async recordWatcher(change, transitions = []) {
      const rows = Object.entries(change).map(([name, value]) => [name, JSON.stringify(value)]);
      await database.inOneStep(async (step) => {
        await step.query(
          `INSERT INTO certpin.watcher (name, value) SELECT * FROM unnest(?::text[], ?::text[])
           ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
          ...toColumns(2, rows),
        );
        await writeTransitions(step, transitions);
      });
    },
    shares: gathered((asked) => findSharers(database, asked)),
    async setMute({ key, until, reason, since }) {
      await database.query(
        `INSERT INTO certpin.mute (key, until, reason, since) VALUES (?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET until = excluded.until, reason = excluded.reason, since = excluded.since`,
        ...[key, until, reason, since],
      );
    },
    async removeMute(key) {
      return (await database.query('DELETE FROM certpin.mute WHERE key = ?', key)).count > 0;
    },
    mutes: (at) => readMutes(database, at),
  };
}

export async function readMutes(database: Queries, at: number): Promise<readonly Mute[]> {
  return (await database.query('SELECT * FROM certpin.mute WHERE until > ? ORDER BY until', at)).rows.map(toMute);
}

async function writeIncoming(database: Queries, batch: readonly WatchedTarget[]): Promise<void> {
  const rows = batch.map(({ key, label, id, servername, note, line, pins, intervalMs, text, isHere }) => [
    ...[key, label, id, servername, note, line, JSON.stringify(pins), intervalMs, text],
    searchTextOf([label, id, servername, note]),
    String(isHere),
  ]);
  await database.query(
    `INSERT INTO certpin.incoming SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[],
       ?::text[], ?::bigint[], ?::text[], ?::text[], ?::boolean[])`,
    ...toColumns(11, rows),
  );
}

const DEFINED = 'label, id, servername, note, line, pins, interval_ms, text, search_file, is_here';

/** What has been read becomes what is watched. A row that stays the same is not written. */
async function takeOver(step: Queries, at: number): Promise<void> {
  const columns = DEFINED.split(', ');
  const of = (table: string): string => columns.map((column) => `${table}.${column}`).join(', ');
  // Workers write the same rows, and in another order: one of both would be ended by the database.
  await step.query('LOCK TABLE certpin.target IN SHARE ROW EXCLUSIVE MODE');
  await step.query(
    `UPDATE certpin.target t SET ${columns.map((column) => `${column} = i.${column}`).join(', ')},
       next_check_at = CASE WHEN t.text = i.text THEN least(t.next_check_at, ?::bigint + i.interval_ms) ELSE ?::bigint END
     FROM certpin.incoming i
     WHERE t.key = i.key AND ((${of('t')}) IS DISTINCT FROM (${of('i')}) OR t.next_check_at > ?::bigint + i.interval_ms)`,
    ...[at, at, at],
  );
  await step.query(
    `INSERT INTO certpin.target (key, ${DEFINED}, next_check_at)
     SELECT i.key, ${of('i')}, ?::bigint FROM certpin.incoming i
     WHERE NOT EXISTS (SELECT FROM certpin.target t WHERE t.key = i.key) ORDER BY i.line, i.key`,
    at,
  );
  const gone = `SELECT t.number FROM certpin.target t WHERE NOT EXISTS (SELECT FROM certpin.incoming i WHERE i.key = t.key)`;
  await step.query(`DELETE FROM certpin.presented WHERE target IN (${gone})`);
  await step.query(`DELETE FROM certpin.day WHERE target <> 0 AND target IN (${gone})`);
  await step.query('DELETE FROM certpin.heard h WHERE NOT EXISTS (SELECT FROM certpin.incoming i WHERE i.key = h.key)');
  await step.query(`DELETE FROM certpin.target WHERE number IN (${gone})`);
  await step.query('TRUNCATE certpin.incoming');
}

async function record(step: Queries, all: readonly Recorded[]): Promise<ReadonlySet<string>> {
  // Of two checks of one target, the first is written: the other one came too late.
  const checks = [...new Map([...all].reverse().map((check) => [check.key, check])).values()].reverse();
  const numbers = await writeSeen(step, checks);
  const written = checks.filter(({ key }) => numbers.has(key));
  const numberOf = ({ key }: Recorded): number => numbers.get(key) ?? 0;
  await writeKeys(step, new Map(written.map((check) => [numberOf(check), keysOf(check.seen.addresses)])));
  await addToDays(step, written, numberOf);
  await writeTransitions(
    step,
    written.flatMap(({ transitions }) => transitions),
  );
  return new Set(numbers.keys());
}

/** @returns the numbers of those that were written, by their keys */
async function writeSeen(step: Queries, checks: readonly Recorded[]): Promise<ReadonlyMap<string, number>> {
  const rows = checks.map(({ key, text, before, seen }) => [
    ...[key, text, before, seen.protocol, seen.state, rankOf(seen.state), seen.since, seen.observed, seen.reason],
    ...[JSON.stringify(seen.remarks), seen.checkedAt, seen.checkSeconds, seen.nextCheckAt, seen.startsAt, seen.endsAt],
    ...[JSON.stringify(seen.addresses), seen.told, seen.memory, searchTextOfSeen(seen.addresses)],
  ]);
  const { rows: written } = await step.query(
    `UPDATE certpin.target t SET protocol = c.protocol, state = c.state, rank = c.rank, since = c.since, observed = c.observed,
       reason = c.reason, remarks = c.remarks, checked_at = c.checked_at, check_seconds = c.check_seconds,
       next_check_at = c.next_check_at, starts_at = c.starts_at, ends_at = c.ends_at, addresses = c.addresses, told = c.told,
       memory = c.memory, search_seen = c.search_seen
     FROM unnest(?::text[], ?::text[], ?::bigint[], ?::text[], ?::text[], ?::int[], ?::bigint[], ?::text[], ?::text[],
       ?::text[], ?::bigint[], ?::double precision[], ?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[])
       AS c (key, text, before, protocol, state, rank, since, observed, reason, remarks, checked_at, check_seconds,
         next_check_at, starts_at, ends_at, addresses, told, memory, search_seen)
     WHERE t.key = c.key AND t.text = c.text AND t.checked_at IS NOT DISTINCT FROM c.before
     RETURNING t.key, t.number`,
    ...toColumns(19, rows),
  );
  return new Map(written.map(({ key, number }) => [String(key), Number(number)]));
}

/** @param presented the keys of each target, by its number */
async function writeKeys(step: Queries, presented: ReadonlyMap<number, readonly string[]>): Promise<void> {
  const { rows } = await step.query(
    'SELECT target, public_key FROM certpin.presented WHERE target = ANY(?::bigint[])',
    [...presented.keys()],
  );
  const before = new Map<number, string[]>();
  for (const { target, public_key } of rows) {
    before.set(Number(target), [...(before.get(Number(target)) ?? []), String(public_key)]);
  }
  const changed = [...presented].filter(([number, keys]) => {
    const known = before.get(number) ?? [];
    return keys.length !== known.length || keys.some((key) => !known.includes(key));
  });
  if (changed.length === 0) return;
  const numbers = changed.map(([number]) => number);
  await step.query('DELETE FROM certpin.presented WHERE target = ANY(?::bigint[])', numbers);
  await step.query(
    `INSERT INTO certpin.presented (public_key, target) SELECT * FROM unnest(?::text[], ?::bigint[]) ON CONFLICT DO NOTHING`,
    ...toColumns(
      2,
      changed.flatMap(([number, keys]) => keys.map((key) => [key, number])),
    ),
  );
  // Where others begin to present the key of a target, it hears of it too. Of more than one, all know already.
  await step.query(
    `UPDATE certpin.target SET remarks = CASE remarks WHEN '[]' THEN '["same-key"]' ELSE left(remarks, -1) || ',"same-key"]' END
     WHERE strpos(remarks, '"same-key"') = 0 AND (
       number IN (SELECT p.target FROM certpin.presented p WHERE p.target = ANY(?::bigint[])
         AND EXISTS (SELECT FROM certpin.presented q WHERE q.public_key = p.public_key AND q.target <> p.target))
       OR number IN (SELECT o.first FROM unnest(?::text[]) AS k (public_key), LATERAL (
         SELECT min(target) AS first, count(*) AS count FROM (SELECT target FROM certpin.presented q
           WHERE q.public_key = k.public_key AND q.target <> ALL(?::bigint[]) LIMIT 2) AS known) AS o
         WHERE o.count = 1))`,
    ...[numbers, [...new Set(changed.flatMap(([, keys]) => keys))], numbers],
  );
}

/** The sum of all is the row that everybody writes: it comes last in this step, so nobody waits for it long. */
async function addToDays(
  step: Queries,
  checks: readonly Recorded[],
  numberOf: (check: Recorded) => number,
): Promise<void> {
  const add = async (rows: readonly Value[][]): Promise<void> => {
    await step.query(
      `INSERT INTO certpin.day AS d (target, day, state, checks, seconds_sum, seconds_max)
       SELECT * FROM unnest(?::bigint[], ?::int[], ?::text[], ?::bigint[], ?::double precision[], ?::double precision[])
       ON CONFLICT (target, day, state) DO UPDATE SET checks = d.checks + excluded.checks,
         seconds_sum = d.seconds_sum + excluded.seconds_sum, seconds_max = greatest(d.seconds_max, excluded.seconds_max)`,
      ...toColumns(6, rows),
    );
  };
  await add(
    checks.flatMap((check) => {
      const sum = daySumOf(check);
      return sum === undefined ? [] : [[numberOf(check), ...sum]];
    }),
  );
  await add(sumDays(checks).map((sum) => [0, ...sum]));
}

interface Asked {
  readonly key: string;
  readonly publicKeys: readonly string[];
}

/** @returns for each that is asked, whether another target presented one of its keys */
async function findSharers(database: Queries, asked: readonly Asked[]): Promise<readonly boolean[]> {
  const pairs = asked.flatMap(({ key, publicKeys }, index) => publicKeys.map((one) => [index, key, one]));
  if (pairs.length === 0) return asked.map(() => false);
  const { rows } = await database.query(
    `SELECT DISTINCT a.index FROM unnest(?::int[], ?::text[], ?::text[]) AS a (index, key, public_key)
     WHERE EXISTS (SELECT FROM certpin.presented p WHERE p.public_key = a.public_key
       AND p.target IS DISTINCT FROM (SELECT t.number FROM certpin.target t WHERE t.key = a.key))`,
    ...toColumns(3, pairs),
  );
  const found = new Set(rows.map(({ index }) => Number(index)));
  return asked.map((_, index) => found.has(index));
}

/** Questions of the same moment become one query: a check asks alone, and checks are written down together. */
function gathered(find: (asked: readonly Asked[]) => Promise<readonly boolean[]>): TargetStore['shares'] {
  let asked: Asked[] = [];
  let answers: Promise<readonly boolean[]> | undefined;
  return async (key, publicKeys) => {
    const index = asked.push({ key, publicKeys }) - 1;
    answers ??= Promise.resolve().then(() => {
      const all = asked;
      asked = [];
      answers = undefined;
      return find(all);
    });
    return (await answers)[index] ?? false;
  };
}
