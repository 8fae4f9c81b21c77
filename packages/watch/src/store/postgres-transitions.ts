import { type Queries, toColumns } from './postgres-database.ts';
import type { Value } from './rows.ts';
import type { Outgoing } from './store.ts';

/** Writes transitions, and puts them into the outbox of whoever hears of them: within the step of the caller. One that is there stays one. */
export async function writeTransitions(step: Queries, outgoing: readonly Outgoing[]): Promise<void> {
  if (outgoing.length === 0) return;
  const { rows: made } = await step.query(
    `INSERT INTO certpin.transition (id, at, kind, key, label, target_id, servername, from_state, to_state, remark, reason, muted_by,
       addresses, ends_at)
     SELECT * FROM unnest(?::text[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[],
       ?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[])
     ON CONFLICT (id) DO NOTHING RETURNING id, number`,
    ...toColumns(
      14,
      outgoing.map(({ transition: one }) => [
        ...[one.id, one.at, one.kind, one.key, one.label, one.targetId, one.servername, one.from, one.to],
        ...[one.remark, one.reason, one.mutedBy, JSON.stringify(one.addresses), one.endsAt],
      ]),
    ),
  );
  const numbers = new Map(made.map(({ id, number }) => [String(id), Number(number)]));
  const waiting: Value[][] = [];
  const heard = new Map<string, Value[]>();
  const counts = new Map<string, number>();
  for (const { transition: one, receivers } of outgoing) {
    const number = numbers.get(one.id);
    if (number === undefined) continue;
    if (one.kind === 'changed' && one.to !== null) counts.set(one.to, (counts.get(one.to) ?? 0) + 1);
    for (const receiver of receivers) {
      waiting.push([receiver, 'transition', number, one.at]);
      if (one.key !== null && one.to !== null) {
        heard.set(`${receiver}\n${one.key}`, [receiver, one.key, number, one.at]);
      }
    }
  }
  await step.query(
    'INSERT INTO certpin.outbox (receiver, kind, number, at) SELECT * FROM unnest(?::text[], ?::text[], ?::bigint[], ?::bigint[])',
    ...toColumns(4, waiting),
  );
  await step.query(
    `INSERT INTO certpin.heard (receiver, key, number, at) SELECT * FROM unnest(?::text[], ?::text[], ?::bigint[], ?::bigint[])
     ON CONFLICT (receiver, key) DO UPDATE SET number = excluded.number, at = excluded.at`,
    ...toColumns(4, [...heard.values()]),
  );
  await step.query(
    `INSERT INTO certpin.transition_count AS c (state, count) SELECT * FROM unnest(?::text[], ?::bigint[])
     ON CONFLICT (state) DO UPDATE SET count = c.count + excluded.count`,
    ...toColumns(2, [...counts].sort()),
  );
}
