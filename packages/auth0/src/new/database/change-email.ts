import { type DatabaseTemplate, failed, settle } from './template.ts';

const call = settle('setEmail', '(changed) => callback(null, changed)', failed);

export const changeEmail: DatabaseTemplate = {
  key: 'change_email',
  name: 'changeEmail',
  parameters: ['email', 'newEmail', 'verified'],
  caveat: (context) =>
    `It is set with the Management API or the Deploy CLI: saving the connection in the Dashboard deletes it.${
      context ? ' That it is given a context is not documented: try it in a test tenant.' : ''
    }`,
  api: 'PUT /users/email with email, newEmail and verified: 204, or 404.',
  sqlNeeds: ['change'],
  sql: ({ sql, table, column, has }) => `${call}

async function setEmail() {
  const statement = ${sql(`UPDATE ${table} SET ${column('email')} = ?${has('email_verified') ? `, ${column('email_verified')} = ?` : ''} WHERE ${column('email')} = ?`)};
  return (await change(statement, [newEmail, ${has('email_verified') ? 'verified === true, ' : ''}email])) > 0;
}`,
  documentNeeds: ['update'],
  documents: ({ field, has }) => `${call}

async function setEmail() {
  const addresses = { ${field('email', 'newEmail')}${has('email_verified') ? `, ${field('email_verified', 'verified === true')}` : ''} };
  return update({ ${field('email', 'email')} }, addresses);
}`,
  http: `${call}

async function setEmail() {
  const addresses = { email, newEmail, verified: verified === true };
  const { status } = await request('PUT', '/users/email', addresses, [204, 404]);
  return status === 204;
}`,
};
