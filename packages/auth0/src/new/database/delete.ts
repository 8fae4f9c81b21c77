import { type DatabaseTemplate, failed, settle } from './template.ts';

const call = settle('removeUser', '() => callback(null)', failed);

export const deleteUser: DatabaseTemplate = {
  key: 'delete',
  name: 'deleteUser',
  parameters: ['id'],
  api: 'DELETE /users/ID: 204, or 404 where there is none any more.',
  userId: 'taken apart',
  sqlNeeds: ['change'],
  sql: ({ sql, table, column }) => `${call}

async function removeUser() {
  await change(${sql(`DELETE FROM ${table} WHERE ${column('id')} = ?`)}, [toTableId(id)]);
}`,
  documentNeeds: ['remove'],
  documents: ({ field, idOf }) => `${call}

async function removeUser() {
  await remove({ ${field('id', idOf('toTableId(id)'))} });
}`,
  http: `${call}

async function removeUser() {
  const path = \`/users/\${encodeURIComponent(toTableId(id))}\`;
  await request('DELETE', path, undefined, [204, 404]);
}`,
};
