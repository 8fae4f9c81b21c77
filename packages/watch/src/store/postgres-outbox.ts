import { randomUUID } from 'node:crypto';
import type { Message, NoticeKind, OutboxCount } from '../types.ts';
import { isAhead, isWrong } from './outbox-times.ts';
import { type Database, type Queries, toColumns } from './postgres-database.ts';
import { type Row, toOutboxCount, toTransition } from './rows.ts';
import type { OutboxStore } from './store.ts';

export function createOutboxStore(database: Database): OutboxStore {
  return {
    claimMessage: (asked) =>
      database.inOneStep(async (step) => {
        // One sender at a time, also where two processes have the receiver.
        await step.query('SELECT pg_advisory_xact_lock(hashtextextended(?, 0))', `certpin receiver ${asked.receiver}`);
        return claim(step, asked);
      }),
    async markSent(id, at) {
      await database.inOneStep(async (step) => {
        const receiver = await end(step, id, at);
        if (receiver === undefined) return;
        await step.query(
          `INSERT INTO certpin.receiver (name, last_sent_at) VALUES (?, ?)
           ON CONFLICT (name) DO UPDATE SET last_sent_at = excluded.last_sent_at, last_error = NULL`,
          ...[receiver, at],
        );
      });
    },
    async markFailed(id, { dueAt, error }) {
      await database.inOneStep(async (step) => {
        const { rows } = await step.query(
          `UPDATE certpin.message SET attempts = attempts + 1, due_at = ?, lease_until = 0 WHERE id = ? AND done_at IS NULL RETURNING receiver`,
          ...[dueAt, id],
        );
        const [row] = rows;
        if (row !== undefined) await keepError(step, String(row.receiver), error);
      });
    },
    dropReceiversExcept: (receivers) =>
      database.inOneStep(async (step) => {
        const loose = await step.query('DELETE FROM certpin.outbox WHERE receiver <> ALL(?::text[])', receivers);
        const { rows } = await step.query(
          `SELECT count(*) AS count FROM certpin.message_row r JOIN certpin.message m ON m.number = r.message
           WHERE m.done_at IS NULL AND m.receiver <> ALL(?::text[])`,
          receivers,
        );
        await step.query(
          'UPDATE certpin.message SET done_at = 0 WHERE done_at IS NULL AND receiver <> ALL(?::text[])',
          receivers,
        );
        await step.query('DELETE FROM certpin.heard WHERE receiver <> ALL(?::text[])', receivers);
        await step.query('DELETE FROM certpin.receiver WHERE name <> ALL(?::text[])', receivers);
        await step.query(
          'INSERT INTO certpin.receiver (name) SELECT unnest(?::text[]) ON CONFLICT DO NOTHING',
          receivers,
        );
        return loose.count + Number(rows[0]?.count);
      }),
    async nextMessageAt(receiver) {
      const waiting = await openMessage(database, receiver);
      if (waiting !== undefined) return Math.max(Number(waiting.due_at), Number(waiting.lease_until));
      return ((await oldestLoose(database, receiver))?.at ?? null) as number | null;
    },
    async enqueue(rows, now) {
      const columns = toColumns(
        3,
        rows.map(({ receiver, number, kind }) => [receiver, number, kind]),
      );
      await database.inOneStep(async (step) => {
        const { rows: put } = await step.query(
          `INSERT INTO certpin.outbox (receiver, number, kind, at)
           SELECT DISTINCT a.receiver, a.number, a.kind, ?::bigint FROM unnest(?::text[], ?::bigint[], ?::text[]) AS a (receiver, number, kind)
           WHERE NOT EXISTS (SELECT FROM certpin.message_row r JOIN certpin.message m ON m.number = r.message
             WHERE r.number = a.number AND m.receiver = a.receiver AND m.kind = a.kind AND m.done_at IS NULL)
           ON CONFLICT (receiver, kind, number) DO UPDATE SET at = certpin.outbox.at RETURNING receiver, number`,
          ...[now, ...columns],
        );
        await step.query(
          `UPDATE certpin.heard h SET at = ? FROM unnest(?::text[], ?::bigint[]) AS a (receiver, number)
           WHERE h.receiver = a.receiver AND h.number = a.number`,
          now,
          ...toColumns(
            2,
            put.map(({ receiver = null, number = null }) => [receiver, number]),
          ),
        );
      });
    },
    async remindersDue(receiver, { states, before, now, limit }) {
      const { rows } = await database.query(
        `SELECT n.* FROM certpin.heard h JOIN certpin.target t ON t.key = h.key JOIN certpin.transition n ON n.number = h.number
         WHERE h.receiver = ? AND h.at < ? AND t.state = t.told AND t.state = n.to_state AND t.state = ANY(?::text[])
           AND NOT EXISTS (SELECT FROM certpin.mute m WHERE m.key = t.key AND m.until > ?)
         ORDER BY h.at LIMIT ?`,
        ...[receiver, before, states, now, limit],
      );
      return rows.map(toTransition);
    },
    outboxCounts: () => countOutbox(database),
  };
}

type Claim = Parameters<OutboxStore['claimMessage']>[0];

async function claim(step: Queries, { receiver, now, leaseUntil, max, ripeAt }: Claim): Promise<Message | undefined> {
  const waiting = await openMessage(step, receiver);
  if (waiting !== undefined) {
    if (isAhead(waiting.due_at, now) || isAhead(waiting.lease_until, now)) return undefined;
    await step.query('UPDATE certpin.message SET lease_until = ? WHERE number = ?', leaseUntil, Number(waiting.number));
    return toMessage(step, waiting);
  }
  const oldest = await oldestLoose(step, receiver);
  if (oldest === undefined || ripeAt <= 0) return undefined;
  if (Number(oldest.at) > ripeAt && !isWrong(oldest.at, now)) return undefined;
  const kind = String(oldest.kind);
  const { rows } = await step.query(
    `DELETE FROM certpin.outbox WHERE receiver = ? AND kind = ? AND number IN (
       SELECT number FROM certpin.outbox WHERE receiver = ? AND kind = ? ORDER BY number LIMIT ?) RETURNING number, at`,
    ...[receiver, kind, receiver, kind, max],
  );
  const createdAt = Math.min(...rows.map(({ at }) => Number(at)));
  const made = await step.query(
    `INSERT INTO certpin.message (id, receiver, kind, created_at, due_at, lease_until, attempts) VALUES (?, ?, ?, ?, ?, ?, 0) RETURNING *`,
    ...[randomUUID(), receiver, kind, createdAt, now, leaseUntil],
  );
  const [message] = made.rows;
  if (message === undefined) return undefined;
  await step.query(
    'INSERT INTO certpin.message_row (message, number) SELECT ?::bigint, unnest(?::bigint[])',
    ...[Number(message.number), rows.map(({ number }) => Number(number))],
  );
  return toMessage(step, message);
}

async function openMessage(queries: Queries, receiver: string): Promise<Row | undefined> {
  const sql = 'SELECT * FROM certpin.message WHERE receiver = ? AND done_at IS NULL ORDER BY number LIMIT 1';
  return (await queries.query(sql, receiver)).rows[0];
}

async function oldestLoose(queries: Queries, receiver: string): Promise<Row | undefined> {
  const sql = 'SELECT kind, at FROM certpin.outbox WHERE receiver = ? ORDER BY at, number LIMIT 1';
  return (await queries.query(sql, receiver)).rows[0];
}

async function toMessage(queries: Queries, row: Row): Promise<Message> {
  const { rows } = await queries.query(
    `SELECT t.* FROM certpin.message_row r JOIN certpin.transition t ON t.number = r.number WHERE r.message = ? ORDER BY t.number`,
    Number(row.number),
  );
  return {
    id: String(row.id),
    receiver: String(row.receiver),
    kind: row.kind as NoticeKind,
    transitions: rows.map(toTransition),
    attempts: Number(row.attempts),
    createdAt: Number(row.created_at),
  };
}

/** @returns the receiver of the message; undefined: it had ended before */
async function end(step: Queries, id: string, at: number): Promise<string | undefined> {
  const { rows } = await step.query(
    'UPDATE certpin.message SET done_at = ? WHERE id = ? AND done_at IS NULL RETURNING receiver',
    ...[at, id],
  );
  return rows[0]?.receiver as string | undefined;
}

async function keepError(step: Queries, receiver: string, error: string): Promise<void> {
  await step.query(
    `INSERT INTO certpin.receiver AS r (name, last_error, failed_attempts) VALUES (?, ?, 1)
     ON CONFLICT (name) DO UPDATE SET last_error = excluded.last_error, failed_attempts = r.failed_attempts + 1`,
    ...[receiver, error],
  );
}

export async function countOutbox(queries: Queries): Promise<readonly OutboxCount[]> {
  const { rows } = await queries.query(
    `WITH waiting AS (
       SELECT receiver, count(*) AS count, min(at) AS at FROM certpin.outbox GROUP BY receiver
       UNION ALL
       SELECT m.receiver, count(*), min(m.created_at) FROM certpin.message m JOIN certpin.message_row r ON r.message = m.number
         WHERE m.done_at IS NULL GROUP BY m.receiver
     ), summed AS (SELECT receiver, sum(count) AS count, min(at) AS at FROM waiting GROUP BY receiver),
     names AS (SELECT name FROM certpin.receiver UNION SELECT receiver FROM summed)
     SELECT names.name, summed.count, summed.at, v.last_sent_at, v.last_error, v.failed_attempts FROM names
       LEFT JOIN summed ON summed.receiver = names.name LEFT JOIN certpin.receiver v ON v.name = names.name
     ORDER BY names.name`,
  );
  return rows.map(toOutboxCount);
}
