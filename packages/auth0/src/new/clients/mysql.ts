import { type Frame, parameters, pinnedName } from '../frame.ts';
import type { SqlPieces } from './client.ts';
import { keptFunction } from './keep.ts';
import { databasePlace, databaseSettings, withinFunction } from './sql.ts';

const binding = 'const mysql = ';

export const mysql: SqlPieces = {
  title: 'MySQL or MariaDB, with mysql',
  settings: databaseSettings,
  binding,
  duplicateCode: 'ER_DUP_ENTRY',
  statement: (sql) => sql,
  functions: (frame, needs) => [
    ...(needs.includes('select') ? [select(frame)] : []),
    ...(needs.includes('change') ? [change(frame)] : []),
    query(frame),
    getPool(frame),
    withinFunction,
  ],
};

const select = (frame: Frame): string => `async function select(${parameters(frame, 'sql', 'values')}) {
  return within(8000, query(${parameters(frame, 'sql', 'values')}));
}`;

const change = (frame: Frame): string => `async function change(${parameters(frame, 'sql', 'values')}) {
  const { affectedRows } = await within(8000, query(${parameters(frame, 'sql', 'values')}));
  return affectedRows;
}`;

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
