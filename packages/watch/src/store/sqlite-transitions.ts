import type { Database } from './sqlite-module.ts';
import type { Outgoing } from './store.ts';

/** Writes transitions, and puts them into the outbox of whoever hears of them: within the step of the caller. */
export function createTransitionWriter(database: Database): (transitions: readonly Outgoing[]) => void {
  const insert = database.prepare(
    `INSERT INTO transition (id, at, kind, key, label, target_id, servername, from_state, to_state, remark, reason, muted_by, addresses, ends_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const count = database.prepare(
    'INSERT INTO transition_count (state, count) VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1',
  );
  const put = database.prepare('INSERT INTO outbox (receiver, kind, number, at) VALUES (?, ?, ?, ?)');
  const hear = database.prepare('INSERT OR REPLACE INTO heard (receiver, key, number, at) VALUES (?, ?, ?, ?)');
  return (transitions) => {
    for (const { transition: one, receivers } of transitions) {
      const { lastInsertRowid } = insert.run(
        ...[one.id, one.at, one.kind, one.key, one.label, one.targetId, one.servername, one.from, one.to],
        ...[one.remark, one.reason, one.mutedBy, JSON.stringify(one.addresses), one.endsAt],
      );
      const number = Number(lastInsertRowid);
      if (one.kind === 'changed' && one.to !== null) count.run(one.to);
      for (const receiver of receivers) {
        put.run(receiver, 'transition', number, one.at);
        if (one.key !== null && one.to !== null) hear.run(receiver, one.key, number, one.at);
      }
    }
  };
}
