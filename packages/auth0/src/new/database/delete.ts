import { type DatabaseTemplate, failed, settle } from './template.ts';

const call = settle('removeUser', '() => callback(null)', failed);

const own = `  // Auth0 takes its own prefix away, and leaves the user_id of the profile.
  if (!id.startsWith(USER_ID_PREFIX)) throw new Error('this is no user of this connection');
  const userId = id.slice(USER_ID_PREFIX.length);`;

export const deleteUser: DatabaseTemplate = {
  key: 'delete',
  name: 'deleteUser',
  parameters: ['id'],
  api: 'DELETE /users/ID: 204, or 404 where there is none any more.',
  prefix: true,
  sqlNeeds: ['change'],
  sql: ({ sql }) => `${call}

async function removeUser() {
${own}
  await change(${sql('DELETE FROM users WHERE id = ?')}, [userId]);
}`,
  http: `${call}

async function removeUser() {
${own}
  const path = \`/users/\${encodeURIComponent(userId)}\`;
  await request('DELETE', path, undefined, [204, 404]);
}`,
};
