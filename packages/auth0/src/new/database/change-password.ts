import { type DatabaseTemplate, failed, settle } from './template.ts';

const call = settle('setPassword', '(changed) => callback(null, changed)', failed);

export const changePassword: DatabaseTemplate = {
  key: 'change_password',
  name: 'changePassword',
  parameters: ['email', 'newPassword'],
  api: 'PUT /users/password with email and password: 204, or 404.',
  sqlNeeds: ['change'],
  sql: ({ sql, bcrypt, table, column }) => `${call}

async function setPassword() {
  const bcrypt = ${bcrypt};
  const hash = await bcrypt.hash(newPassword, 10);
  const statement = ${sql(`UPDATE ${table} SET ${column('password')} = ? WHERE ${column('email')} = ?`)};
  return (await change(statement, [hash, email])) > 0;
}`,
  documentNeeds: ['update'],
  documents: ({ bcrypt, field }) => `${call}

async function setPassword() {
  const bcrypt = ${bcrypt};
  const hash = await bcrypt.hash(newPassword, 10);
  return update({ ${field('email', 'email')} }, { ${field('password', 'hash')} });
}`,
  http: `${call}

async function setPassword() {
  const credentials = { email, password: newPassword };
  const { status } = await request('PUT', '/users/password', credentials, [204, 404]);
  return status === 204;
}`,
};
