import type { Queries } from './postgres-database.ts';
import { StoreError } from './store-error.ts';

/**
 * The owner of a schema owns what is in it. A trigger of theirs would run with the rights of whoever writes there. What they take out of the
 * outbox is told to nobody.
 *
 * @throws StoreError where a schema of the store, or of its queue, belongs to another role, of which this user is no member
 */
export async function refuseOthersSchemas(queries: Queries, name: string): Promise<void> {
  const { rows } = await queries.query(
    `SELECT nspname AS schema, pg_get_userbyid(nspowner) AS owner FROM pg_namespace
     WHERE nspname = ANY(?::text[]) AND NOT pg_has_role(current_user, nspowner, 'USAGE') ORDER BY nspname`,
    ['certpin', 'certpin_queue'],
  );
  const [found] = rows;
  if (found === undefined) return;
  const { schema, owner } = found;
  const todo = `ALTER SCHEMA ${schema} OWNER TO the user of certpin, or name another database`;
  throw new StoreError(`${name}: the schema ${schema} belongs to ${owner}, and not to this user: ${todo}`, false);
}
