import { type ActionTemplate, handler, namespace } from './template.ts';

const claims = `api.idToken.setCustomClaim(\`\${NAMESPACE}/roles\`, roles);
api.accessToken.setCustomClaim(\`\${NAMESPACE}/roles\`, roles);`;

export const postLogin: ActionTemplate = {
  trigger: 'post-login',
  version: 'v3',
  handler: 'onExecutePostLogin',
  purpose: "puts the user's roles into the tokens; without an answer nobody is let in",
  api: 'GET /users/USER_ID/roles: 200 and { "roles": […] }, or 404.',
  table: 'user_roles (user_id, role)',
  top: namespace,
  http: ({ unavailable }) =>
    handler(
      'onExecutePostLogin',
      'event, api',
      `const path = \`/users/\${encodeURIComponent(event.user.user_id)}/roles\`;
const { data } = await request(event.secrets, 'GET', path, undefined, [200, 404]);
const roles = (data && data.roles) || [];
${claims}`,
      `api.access.deny(${unavailable});`,
    ),
  sqlNeed: 'select',
  sql: ({ sql, unavailable }) =>
    handler(
      'onExecutePostLogin',
      'event, api',
      `const statement = ${sql('SELECT role FROM user_roles WHERE user_id = ?')};
const rows = await select(event.secrets, statement, [event.user.user_id]);
const roles = rows.map((row) => row.role);
${claims}`,
      `api.access.deny(${unavailable});`,
    ),
  directoryNeed: 'findRoles',
  directory: ({ unavailable }) =>
    handler(
      'onExecutePostLogin',
      'event, api',
      `const { email, email_verified } = event.user;
// Whoever has entered somebody else's address does not get that person's roles.
const roles = email && email_verified === true ? await findRoles(event.secrets, email) : [];
${claims}`,
      `api.access.deny(${unavailable});`,
    ),
};
