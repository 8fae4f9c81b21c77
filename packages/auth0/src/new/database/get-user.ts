import { type DatabaseTemplate, failed, settle } from './template.ts';

const call = settle('findUser', '(profile) => callback(null, profile)', failed);

export const getUser: DatabaseTemplate = {
  key: 'get_user',
  name: 'getUser',
  parameters: ['email'],
  api: 'GET /users?email=…: 200 and the user, or 404.',
  userId: 'made',
  sqlNeeds: ['select'],
  sql: ({ sql, table, column, profileColumns }) => `${call}

// Without a user, the profile is null.
async function findUser() {
  const [user] = await select(
    ${sql(`SELECT ${profileColumns} FROM ${table} WHERE ${column('email')} = ?`)},
    [email],
  );
  return user ? toProfile(user) : null;
}`,
  documentNeeds: ['find'],
  documents: ({ field }) => `${call}

// Without a user, the profile is null.
async function findUser() {
  const user = await find({ ${field('email', 'email')} });
  return user ? toProfile(user) : null;
}`,
  http: `${call}

// Without a user, the profile is null.
async function findUser() {
  const path = \`/users?email=\${encodeURIComponent(email)}\`;
  const { status, data } = await request('GET', path, undefined, [200, 404]);
  return status === 200 ? toProfile(data) : null;
}`,
};
