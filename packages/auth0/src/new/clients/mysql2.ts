import { type Frame, parameters, pinnedName } from '../frame.ts';
import type { SqlPieces } from './client.ts';
import { keptFunction } from './keep.ts';
import { databasePlace, databaseSettings, sqlPieces } from './sql.ts';

const binding = 'const mysql = ';

export const mysql2: SqlPieces = sqlPieces({
  title: 'MySQL or MariaDB, with mysql2',
  binding,
  isOtherError: "error.code !== 'ER_DUP_ENTRY'",
  quotes: ['`', '`'],
  statement: (sql) => sql,
  select: (frame) => `const query = getPool(${parameters(frame)}).execute({ sql, values, timeout: 4000 });
const [rows] = await within(8000, query);
return rows;`,
  change: (frame) => `const query = getPool(${parameters(frame)}).execute({ sql, values, timeout: 4000 });
const [{ affectedRows }] = await within(8000, query);
return affectedRows;`,
  others: (frame) => [getPool(frame)],
});

function getPool(frame: Frame): string {
  return keptFunction(
    {
      ...{ name: 'getPool', what: 'pool', settings: databaseSettings, place: databasePlace('mysql2') },
      secrets: ['DB_PASSWORD', 'DB_PINS'],
      required: [binding, 'mysql2'],
      make: `const config = ${pinnedName(frame)}(
  {
    host: DB_HOST,
    port: Number(DB_PORT),
    database: DB_NAME,
    user: DB_USER,
    password: DB_PASSWORD,
    connectionLimit: 5,
    connectTimeout: 5000,
  },
  { pins: DB_PINS, connectTimeoutMs: 4000 },
);
const pool = mysql.createPool(config).promise();`,
      end: 'if (known) known.pool.end().catch(() => {});',
    },
    frame,
  );
}
