import type { UserColumn } from '../options.ts';
import { type DatabaseTemplate, settle } from './template.ts';

const call = settle(
  'addUser',
  '() => callback(null)',
  '(error) => callback(error instanceof ValidationError ? error : conceal(error))',
);

/** What is known of a new user: expressions. */
const valuesOf = (has: (name: UserColumn) => boolean): ReadonlyMap<UserColumn, string> =>
  new Map<UserColumn, string>([
    ['email', 'user.email'],
    ['password', 'hash'],
    ...(has('email_verified') ? [['email_verified', 'false'] as const] : []),
    ...(has('nickname') ? [['nickname', 'nickname'] as const] : []),
  ]);

export const create: DatabaseTemplate = {
  key: 'create',
  name: 'create',
  parameters: ['user'],
  api: 'POST /users with email and password: 201, or 409 where the user exists.',
  sqlNeeds: ['change'],
  sql: ({ sql, bcrypt, isOtherError, table, column, has }) => {
    const values = valuesOf(has);
    const names = [...values.keys()].map(column).join(', ');
    const marks = [...values].map(() => '?').join(', ');
    return `${call}

async function addUser() {
  const bcrypt = ${bcrypt};
  const hash = await bcrypt.hash(user.password, 10);
${has('nickname') ? "  const [nickname] = user.email.split('@');\n" : ''}  try {
    await change(
      ${sql(`INSERT INTO ${table} (${names}) VALUES (${marks})`)},
      [${[...values.values()].join(', ')}],
    );
  } catch (error) {
    // The unique index decides: to look first would leave a gap for a second sign-up.
    if (${isOtherError}) throw error;
    throw new ValidationError('user_exists', 'The user already exists.');
  }
}`;
  },
  documentNeeds: ['insert'],
  documents: ({ bcrypt, isOtherError, field, has }) => {
    const fields = [...valuesOf(has)].map(([name, value]) => `      ${field(name, value)},\n`).join('');
    return `${call}

async function addUser() {
  const bcrypt = ${bcrypt};
  const hash = await bcrypt.hash(user.password, 10);
${has('nickname') ? "  const [nickname] = user.email.split('@');\n" : ''}  try {
    await insert({
${fields}    });
  } catch (error) {
    // The unique index decides: to look first would leave a gap for a second sign-up.
    if (${isOtherError}) throw error;
    throw new ValidationError('user_exists', 'The user already exists.');
  }
}`;
  },
  http: `${call}

async function addUser() {
  const { email, password } = user;
  const { status } = await request('POST', '/users', { email, password }, [201, 409]);
  if (status === 409) throw new ValidationError('user_exists', 'The user already exists.');
}`,
};
