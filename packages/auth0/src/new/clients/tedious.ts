import { type Frame, parameters, pinnedName, requireOf } from '../frame.ts';
import { indent } from '../text.ts';
import type { SqlPieces } from './client.ts';
import { databaseSettings, sqlPieces } from './sql.ts';

export const tedious: SqlPieces = sqlPieces({
  title: 'SQL Server, with tedious',
  binding: 'const { Connection, Request, TYPES } = ',
  isOtherError: '![2601, 2627].includes(error.number)',
  // The driver's own code is the same for all that happens to a socket.
  reported: 'error.cause || error',
  quotes: ['[', ']'],
  statement: (sql) => {
    let position = 0;
    return sql.replace(/\?/g, () => `@p${++position}`);
  },
  select: () => `const { rows } = await within(8000, query(sql, values));
return rows;`,
  change: () => `const { rowCount } = await within(8000, query(sql, values));
return rowCount;`,
  others: (frame) => [query(frame), connect(frame)],
});

const query = (frame: Frame): string => `async function query(${parameters(frame, 'sql', 'values')}) {
  const { Request, TYPES } = ${requireOf('tedious', frame)};
  const connection = await connect();
  try {
    return await new Promise((resolve, reject) => {
      const rows = [];
      const request = new Request(sql, (error, rowCount) => {
        if (error) reject(error);
        else resolve({ rows, rowCount });
      });
      request.on('row', (columns) => {
        const entries = columns.map(({ metadata, value }) => [metadata.colName, value]);
        rows.push(Object.fromEntries(entries));
      });
      values.forEach((value, index) => {
        const type = typeof value === 'boolean' ? TYPES.Bit : TYPES.NVarChar;
        request.addParameter(\`p\${index + 1}\`, type, value);
      });
      connection.execSql(request);
    });
  } finally {
    connection.close();
  }
}`;

function connect(frame: Frame): string {
  const body = `const { ${databaseSettings.join(', ')} } = readSettings();
const { Connection } = ${requireOf('tedious', frame)};
const connection = ${pinnedName(frame)}(
  Connection,
  {
    server: DB_HOST,
    authentication: { type: 'default', options: { userName: DB_USER, password: DB_PASSWORD } },
    options: { port: Number(DB_PORT), database: DB_NAME, requestTimeout: 4000 },
  },
  { pins: DB_PINS, connectTimeoutMs: 4000 },
);
return new Promise((resolve, reject) => {
  // Unheard, the loss of the connection would be an uncaught exception.
  connection.on('error', reject);
  connection.connect((error) => {
    if (error) reject(error);
    else resolve(connection);
  });
});`;
  return `// The driver has no pool: each query has a connection of its own.
function connect() {
${indent(body)}
}`;
}
