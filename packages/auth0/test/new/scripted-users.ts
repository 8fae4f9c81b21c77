import type { TdsServerOptions } from '@certpin/testkit/tds';

/** Rows of the one table of a scripted SQL Server. */
export type UserRow = Record<string, string>;

/** The statements that generated scripts say, and no others. A bit is '1' or '', for the server says texts only. */
export function runOn(users: UserRow[]): NonNullable<TdsServerOptions['run']> {
  return (sql, values) => {
    const at = (mark: string): string => {
      const value = values[Number(mark.slice(2)) - 1] ?? '';
      return value === '0' ? '' : value;
    };
    const [, selected, by = '', mark = ''] = /^SELECT (.*) FROM users WHERE (\w+) = (@p\d+)$/.exec(sql) ?? [];
    if (selected !== undefined)
      return users.filter((user) => user[by] === at(mark)).map((user) => pick(user, selected));
    const [, names, marks = ''] = /^INSERT INTO users \((.*)\) VALUES \((.*)\)$/.exec(sql) ?? [];
    if (names !== undefined) {
      const cells = marks.split(', ').map(at);
      const user = Object.fromEntries(names.split(', ').map((name, index) => [name, cells[index] ?? '']));
      if (users.some(({ email }) => email === user.email)) return { error: 2627 };
      return users.push({ ...user, id: String(users.length + 1) }) && 1;
    }
    const [, changes, column = '', last = ''] = /^UPDATE users SET (.*) WHERE (\w+) = (@p\d+)$/.exec(sql) ?? [];
    if (changes !== undefined) {
      const found = users.filter((user) => user[column] === at(last));
      const pairs = changes.split(', ').map((change) => change.split(' = ') as [string, string]);
      for (const user of found) for (const [name, value] of pairs) user[name] = at(value);
      return found.length;
    }
    const [, only = ''] = /^DELETE FROM users WHERE id = (@p\d+)$/.exec(sql) ?? [];
    if (only === '') throw new Error(`an unknown statement: ${sql}`);
    const index = users.findIndex(({ id }) => id === at(only));
    if (index !== -1) users.splice(index, 1);
    return index === -1 ? 0 : 1;
  };
}

function pick(user: UserRow, names: string): UserRow {
  return Object.fromEntries(names.split(', ').map((name) => [name, user[name] ?? '']));
}
