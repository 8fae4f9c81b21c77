import { type Frame, parameters } from '../frame.ts';
import { indent } from '../text.ts';
import type { SqlPieces } from './client.ts';

/** What differs from driver to driver. */
interface Driver extends Pick<SqlPieces, 'title' | 'binding' | 'statement' | 'isOtherError' | 'reported'> {
  /** The characters before and after a name: `"`, a backtick, or brackets. */
  readonly quotes: readonly [string, string];
  /** The bodies of `select(sql, values)` and `change(sql, values)`. */
  readonly select: (frame: Frame) => string;
  readonly change: (frame: Frame) => string;
  /** The functions that these two call: the pool's among them. */
  readonly others: (frame: Frame) => readonly string[];
}

/** The settings of every database. */
export const databaseSettings = ['DB_HOST', 'DB_PORT', 'DB_NAME', 'DB_USER', 'DB_PASSWORD', 'DB_PINS'] as const;

/** Which pool it is: an expression. */
export const databasePlace = (client: string): string =>
  `\`${client} \${DB_USER}@\${DB_HOST}:\${DB_PORT}/\${DB_NAME}\``;

/** The limit for all calls together. */
const within = `function within(milliseconds, work) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(\`no answer in \${milliseconds} ms\`)), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}`;

/** The queue of a pool has no limit of its own. */
export const withinFunction: string = `// Waiting for a connection of the pool counts too. The platform ends a run after 20 s.
${within}`;

/** Without a pool. */
export const withinFunctionOfCalls: string = `// All calls of a run together. The platform ends a run after 20 s.
${within}`;

/** The pieces of every database's driver. */
export function sqlPieces({ select, change, others, quotes, ...driver }: Driver): SqlPieces {
  const bodies = { select, change };
  const [before, behind] = quotes;
  return {
    ...driver,
    identifier: (name) => (isPlain(name) ? name : `${before}${name}${behind}`),
    settings: databaseSettings,
    functions: (frame, needs) => [
      ...(['select', 'change'] as const)
        .filter((name) => needs.includes(name))
        .map(
          (name) =>
            `async function ${name}(${parameters(frame, 'sql', 'values')}) {\n${indent(bodies[name](frame))}\n}`,
        ),
      ...others(frame),
      withinFunction,
    ],
  };
}

/** Words of SQL that people use as names of tables or columns. Without quotes, they mean something else in one of our databases. */
const reserved: readonly string[] = [
  ...['user', 'group', 'order', 'table', 'column', 'key', 'keys', 'index', 'primary', 'unique', 'default', 'check'],
  ...['select', 'from', 'where', 'to', 'in', 'end', 'all', 'any', 'both', 'case', 'desc', 'asc', 'limit', 'offset'],
  ...['current_user', 'session_user', 'references', 'constraint', 'system', 'rank', 'groups', 'row', 'rows', 'values'],
];

/** PostgreSQL changes names without quotes to lower case. */
function isPlain(name: string): boolean {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !reserved.includes(name);
}
