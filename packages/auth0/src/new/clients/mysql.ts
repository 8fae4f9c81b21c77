import { type Frame, parameters, pinnedName } from '../frame.ts';
import type { SqlPieces } from './client.ts';
import { keptFunction } from './keep.ts';
import { databasePlace, databaseSettings, sqlPieces } from './sql.ts';

const binding = 'const mysql = ';

export const mysql: SqlPieces = sqlPieces({
  title: 'MySQL or MariaDB, with mysql',
  binding,
  isOtherError: "error.code !== 'ER_DUP_ENTRY'",
  quotes: ['`', '`'],
  statement: (sql) => sql,
  select: (frame) => `return within(8000, query(${parameters(frame, 'sql', 'values')}));`,
  change: (frame) => `const { affectedRows } = await within(8000, query(${parameters(frame, 'sql', 'values')}));
return affectedRows;`,
  others: (frame) => [query(frame), getPool(frame)],
});

const query = (frame: Frame): string => `async function query(${parameters(frame, 'sql', 'values')}) {
  const pool = getPool(${parameters(frame)});
  return new Promise((resolve, reject) => {
    pool.query({ sql, values, timeout: 4000 }, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}`;

function getPool(frame: Frame): string {
  return keptFunction(
    {
      ...{ name: 'getPool', what: 'pool', settings: databaseSettings, place: databasePlace('mysql') },
      secrets: ['DB_PASSWORD', 'DB_PINS'],
      required: [binding, 'mysql'],
      make: `const config = ${pinnedName(frame)}(
  mysql,
  {
    host: DB_HOST,
    port: Number(DB_PORT),
    database: DB_NAME,
    user: DB_USER,
    password: DB_PASSWORD,
    connectionLimit: 5,
    connectTimeout: 5000,
    acquireTimeout: 5000,
    // An object among the values is one value, and never a piece of SQL.
    stringifyObjects: true,
  },
  { pins: DB_PINS, connectTimeoutMs: 4000 },
);
const pool = mysql.createPool(config);`,
      end: 'if (known) known.pool.end(() => {});',
    },
    frame,
  );
}
