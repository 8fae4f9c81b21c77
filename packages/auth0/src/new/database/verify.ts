import { type DatabaseTemplate, failed, settle } from './template.ts';

const call = settle('markVerified', '(verified) => callback(null, verified)', failed);

export const verify: DatabaseTemplate = {
  key: 'verify',
  name: 'verify',
  parameters: ['email'],
  api: 'POST /users/verify with email: 204, or 404.',
  sqlNeeds: ['change'],
  sql: ({ sql, table, column }) => `${call}

async function markVerified() {
  const statement = ${sql(`UPDATE ${table} SET ${column('email_verified')} = ? WHERE ${column('email')} = ?`)};
  return (await change(statement, [true, email])) > 0;
}`,
  documentNeeds: ['update'],
  documents: ({ field }) => `${call}

async function markVerified() {
  return update({ ${field('email', 'email')} }, { ${field('email_verified', 'true')} });
}`,
  http: `${call}

async function markVerified() {
  const { status } = await request('POST', '/users/verify', { email }, [204, 404]);
  return status === 204;
}`,
};
