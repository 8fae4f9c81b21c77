import { type Frame, parameters, pinnedName } from '../frame.ts';
import type { SqlPieces } from './client.ts';
import { keptFunction } from './keep.ts';
import { databasePlace, databaseSettings, sqlPieces } from './sql.ts';

const binding = 'const { Pool } = ';

export const pg: SqlPieces = sqlPieces({
  title: 'PostgreSQL',
  binding,
  isOtherError: "error.code !== '23505'",
  quotes: ['"', '"'],
  statement: (sql) => {
    let position = 0;
    return sql.replace(/\?/g, () => `$${++position}`);
  },
  select: (frame) => `const { rows } = await within(8000, getPool(${parameters(frame)}).query(sql, values));
return rows;`,
  change: (frame) => `const { rowCount } = await within(8000, getPool(${parameters(frame)}).query(sql, values));
return rowCount;`,
  others: (frame) => [getPool(frame)],
});

function getPool(frame: Frame): string {
  return keptFunction(
    {
      ...{ name: 'getPool', what: 'pool', settings: databaseSettings, place: databasePlace('pg') },
      secrets: ['DB_PASSWORD', 'DB_PINS'],
      required: [binding, 'pg'],
      make: `const pool = new Pool(
  ${pinnedName(frame)}(
    {
      host: DB_HOST,
      port: Number(DB_PORT),
      database: DB_NAME,
      user: DB_USER,
      password: DB_PASSWORD,
      max: 5,
      connectionTimeoutMillis: 5000,
      query_timeout: 4000,
    },
    { pins: DB_PINS, connectTimeoutMs: 4000 },
  ),
);
// Unheard, the loss of an idle connection would be an uncaught exception.
pool.on('error', (error) => console.error(\`an idle connection was lost: \${error.message}\`));`,
      end: 'if (known) known.pool.end().catch(() => {});',
    },
    frame,
  );
}
