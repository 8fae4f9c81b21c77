import { randomUUID } from 'node:crypto';
import type { Message, NoticeKind, OutboxCount } from '../types.ts';
import { isAhead, isWrong } from './outbox-times.ts';
import { type Row, toOutboxCount, toTransition } from './rows.ts';
import { inOneStep } from './sqlite-file.ts';
import type { Database } from './sqlite-module.ts';
import type { OutboxStore } from './store.ts';

export function createOutboxStore(database: Database): OutboxStore {
  const open = database.prepare('SELECT * FROM message WHERE receiver = ? AND done_at IS NULL ORDER BY number LIMIT 1');
  const lease = database.prepare('UPDATE message SET lease_until = ? WHERE number = ?');
  const first = database.prepare('SELECT kind, at FROM outbox WHERE receiver = ? ORDER BY at, number LIMIT 1');
  const loose = database.prepare(
    'SELECT number, at FROM outbox WHERE receiver = ? AND kind = ? ORDER BY number LIMIT ?',
  );
  const make = database.prepare(
    `INSERT INTO message (id, receiver, kind, created_at, due_at, lease_until, attempts) VALUES (?, ?, ?, ?, ?, ?, 0) RETURNING *`,
  );
  const join = database.prepare('INSERT INTO message_row (message, number) VALUES (?, ?)');
  const take = database.prepare('DELETE FROM outbox WHERE receiver = ? AND kind = ? AND number = ?');
  const transitionsOf = database.prepare(
    'SELECT t.* FROM message_row r JOIN transition t ON t.number = r.number WHERE r.message = ? ORDER BY t.number',
  );
  const done = database.prepare('UPDATE message SET done_at = ? WHERE id = ? AND done_at IS NULL RETURNING receiver');
  const keepReceiver = database.prepare('INSERT OR IGNORE INTO receiver (name) VALUES (?)');

  const toMessage = (row: Row): Message => ({
    id: String(row.id),
    receiver: String(row.receiver),
    kind: row.kind as NoticeKind,
    transitions: transitionsOf.all(row.number as number).map(toTransition),
    attempts: Number(row.attempts),
    createdAt: Number(row.created_at),
  });

  return {
    async claimMessage({ receiver, now, leaseUntil, max, ripeAt }) {
      return inOneStep(database, () => {
        const waiting = open.get(receiver);
        if (waiting !== undefined) {
          if (isAhead(waiting.due_at, now) || isAhead(waiting.lease_until, now)) return undefined;
          lease.run(leaseUntil, waiting.number as number);
          return toMessage(waiting);
        }
        const oldest = first.get(receiver);
        if (oldest === undefined || ripeAt <= 0) return undefined;
        if (Number(oldest.at) > ripeAt && !isWrong(oldest.at, now)) return undefined;
        const kind = String(oldest.kind);
        const rows = loose.all(receiver, kind, max);
        const createdAt = Math.min(...rows.map(({ at }) => Number(at)));
        const made = make.get(randomUUID(), receiver, kind, createdAt, now, leaseUntil) as Row;
        for (const { number } of rows) {
          join.run(made.number as number, number as number);
          take.run(receiver, kind, number as number);
        }
        return toMessage(made);
      });
    },
    async markSent(id, at) {
      inOneStep(database, () => {
        const receiver = done.get(at, id)?.receiver as string | undefined;
        if (receiver === undefined) return;
        keepReceiver.run(receiver);
        database.prepare('UPDATE receiver SET last_sent_at = ?, last_error = NULL WHERE name = ?').run(at, receiver);
      });
    },
    async markFailed(id, { dueAt, error }) {
      inOneStep(database, () => {
        const row = database
          .prepare(
            'UPDATE message SET attempts = attempts + 1, due_at = ?, lease_until = 0 WHERE id = ? AND done_at IS NULL RETURNING receiver',
          )
          .get(dueAt, id);
        if (row !== undefined) keepError(database, String(row.receiver), error);
      });
    },
    async dropReceiversExcept(receivers) {
      return inOneStep(database, () => {
        const others = `receiver NOT IN (SELECT value FROM json_each(?))`;
        const names = JSON.stringify(receivers);
        const loosened = Number(database.prepare(`DELETE FROM outbox WHERE ${others}`).run(names).changes);
        const inMessages = database
          .prepare(
            `SELECT count(*) AS count FROM message_row r JOIN message m ON m.number = r.message WHERE m.done_at IS NULL AND m.${others}`,
          )
          .get(names)?.count;
        database.prepare(`UPDATE message SET done_at = 0 WHERE done_at IS NULL AND ${others}`).run(names);
        database.prepare(`DELETE FROM heard WHERE ${others}`).run(names);
        database.prepare('DELETE FROM receiver WHERE name NOT IN (SELECT value FROM json_each(?))').run(names);
        for (const name of receivers) keepReceiver.run(name);
        return loosened + Number(inMessages);
      });
    },
    async nextMessageAt(receiver) {
      const waiting = open.get(receiver);
      if (waiting !== undefined) return Math.max(Number(waiting.due_at), Number(waiting.lease_until));
      return (first.get(receiver)?.at ?? null) as number | null;
    },
    async enqueue(rows, now) {
      const put = database.prepare('INSERT OR IGNORE INTO outbox (receiver, kind, number, at) VALUES (?, ?, ?, ?)');
      const inMessage = database.prepare(
        `SELECT 1 FROM message_row r JOIN message m ON m.number = r.message
         WHERE r.number = ? AND m.receiver = ? AND m.kind = ? AND m.done_at IS NULL`,
      );
      const hear = database.prepare('UPDATE heard SET at = ? WHERE receiver = ? AND number = ?');
      inOneStep(database, () => {
        for (const { receiver, number, kind } of rows) {
          if (inMessage.get(number, receiver, kind) !== undefined) continue;
          put.run(receiver, kind, number, now);
          hear.run(now, receiver, number);
        }
      });
    },
    async remindersDue(receiver, { states, before, now, limit }) {
      return database
        .prepare(
          `SELECT n.* FROM heard h JOIN target t ON t.key = h.key JOIN transition n ON n.number = h.number
           WHERE h.receiver = ? AND h.at < ? AND t.state = t.told AND t.state = n.to_state
             AND t.state IN (SELECT value FROM json_each(?))
             AND NOT EXISTS (SELECT 1 FROM mute m WHERE m.key = t.key AND m.until > ?)
           ORDER BY h.at LIMIT ?`,
        )
        .all(receiver, before, JSON.stringify(states), now, limit)
        .map(toTransition);
    },
    outboxCounts: async () => countOutbox(database),
  };
}

function keepError(database: Database, receiver: string, error: string): void {
  database
    .prepare(
      `INSERT INTO receiver (name, last_error, failed_attempts) VALUES (?, ?, 1)
       ON CONFLICT DO UPDATE SET last_error = excluded.last_error, failed_attempts = failed_attempts + 1`,
    )
    .run(receiver, error);
}

export function countOutbox(database: Database): readonly OutboxCount[] {
  const rows = database
    .prepare(
      `WITH waiting AS (
         SELECT receiver, count(*) AS count, min(at) AS at FROM outbox GROUP BY receiver
         UNION ALL
         SELECT m.receiver, count(*), min(m.created_at) FROM message m JOIN message_row r ON r.message = m.number
           WHERE m.done_at IS NULL GROUP BY m.receiver
       ), summed AS (SELECT receiver, sum(count) AS count, min(at) AS at FROM waiting GROUP BY receiver),
       names AS (SELECT name FROM receiver UNION SELECT receiver FROM summed)
       SELECT names.name, summed.count, summed.at, v.last_sent_at, v.last_error, v.failed_attempts FROM names
         LEFT JOIN summed ON summed.receiver = names.name LEFT JOIN receiver v ON v.name = names.name
       ORDER BY names.name`,
    )
    .all();
  return rows.map(toOutboxCount);
}
