import { type DatabaseTemplate, settle } from './template.ts';

const call = settle(
  'authenticate',
  '(profile) => callback(null, profile)',
  '(error) => callback(error instanceof WrongUsernameOrPasswordError ? error : conceal(error))',
);

export const login: DatabaseTemplate = {
  key: 'login',
  name: 'login',
  parameters: ['userNameOrEmail', 'password'],
  api: 'POST /login with email and password: 200 and the user, or 401.',
  userId: 'made',
  top: ({ isDatabase }) =>
    isDatabase
      ? `// The hash of a password that nobody knows. Where there is no such user it is checked instead, so
// that an unknown address takes as long as a wrong password.
const NOBODY = '$2b$10$J3wZS8xVVKlKpdJ3xQXiGeZG.3Jn0f9gFgH4K.S6p/ncl5zybD14O';`
      : '',
  sqlNeeds: ['select'],
  sql: ({ sql, bcrypt, table, column, profileColumns }) => `${call}

async function authenticate() {
  const bcrypt = ${bcrypt};
  const [user] = await select(
    ${sql(`SELECT ${profileColumns} FROM ${table} WHERE ${column('email')} = ?`)},
    [userNameOrEmail],
  );
  const hash = user && user.password;
  const matches = await bcrypt.compare(password, hash || NOBODY);
  if (!hash || !matches) {
    const userId = user ? toProfile(user).user_id : null;
    throw new WrongUsernameOrPasswordError(userId, 'Wrong email or password.');
  }
  return toProfile(user);
}`,
  documentNeeds: ['find'],
  documents: ({ bcrypt, field, of }) => `${call}

async function authenticate() {
  const bcrypt = ${bcrypt};
  const user = await find({ ${field('email', 'userNameOrEmail')} });
  const hash = user && ${of('user', 'password')};
  const matches = await bcrypt.compare(password, hash || NOBODY);
  if (!hash || !matches) {
    const userId = user ? toProfile(user).user_id : null;
    throw new WrongUsernameOrPasswordError(userId, 'Wrong email or password.');
  }
  return toProfile(user);
}`,
  http: `${call}

async function authenticate() {
  const credentials = { email: userNameOrEmail, password };
  const { status, data } = await request('POST', '/login', credentials, [200, 401]);
  if (status === 401) throw new WrongUsernameOrPasswordError(null, 'Wrong email or password.');
  return toProfile(data);
}`,
};
