import { type Frame, parameters, pinnedName } from '../frame.ts';
import type { SqlPieces } from './client.ts';
import { keptFunction } from './keep.ts';
import { databasePlace, databaseSettings, withinFunction } from './sql.ts';

const binding = 'const mysql = ';

export const mysql2: SqlPieces = {
  title: 'MySQL or MariaDB, with mysql2',
  settings: databaseSettings,
  binding,
  duplicateCode: 'ER_DUP_ENTRY',
  statement: (sql) => sql,
  functions: (frame, needs) => [
    ...(needs.includes('select') ? [select(frame)] : []),
    ...(needs.includes('change') ? [change(frame)] : []),
    getPool(frame),
    withinFunction,
  ],
};

const select = (frame: Frame): string => `async function select(${parameters(frame, 'sql', 'values')}) {
  const query = getPool(${parameters(frame)}).execute({ sql, values, timeout: 4000 });
  const [rows] = await within(8000, query);
  return rows;
}`;

const change = (frame: Frame): string => `async function change(${parameters(frame, 'sql', 'values')}) {
  const query = getPool(${parameters(frame)}).execute({ sql, values, timeout: 4000 });
  const [{ affectedRows }] = await within(8000, query);
  return affectedRows;
}`;

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
