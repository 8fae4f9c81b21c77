import { type ActionTemplate, handler } from './template.ts';

const outcome = `if (!isInvited) api.access.deny('not_invited', 'To sign up, you need an invitation.');`;

export const preUserRegistration: ActionTemplate = {
  trigger: 'pre-user-registration',
  version: 'v2',
  handler: 'onExecutePreUserRegistration',
  purpose: 'lets those sign up who are invited; without an answer nobody',
  api: 'GET /invitations?email=…: 200, or 404 where there is none.',
  table: 'invitations (email)',
  http: ({ unavailable }) =>
    handler(
      'onExecutePreUserRegistration',
      'event, api',
      `const path = \`/invitations?email=\${encodeURIComponent(event.user.email)}\`;
const { status } = await request(event.secrets, 'GET', path, undefined, [200, 404]);
const isInvited = status === 200;
${outcome}`,
      `api.access.deny('unavailable', ${unavailable});`,
    ),
  sqlNeed: 'select',
  sql: ({ sql, unavailable }) =>
    handler(
      'onExecutePreUserRegistration',
      'event, api',
      `const statement = ${sql('SELECT email FROM invitations WHERE email = ?')};
const rows = await select(event.secrets, statement, [event.user.email]);
const isInvited = rows.length > 0;
${outcome}`,
      `api.access.deny('unavailable', ${unavailable});`,
    ),
  directoryNeed: 'findPerson',
  directory: ({ unavailable }) =>
    handler(
      'onExecutePreUserRegistration',
      'event, api',
      `// The address is not verified yet: it says who may sign up, and not who somebody is.
const { email } = event.user;
const isInvited = Boolean(email) && (await findPerson(event.secrets, email)) !== undefined;
${outcome}`,
      `api.access.deny('unavailable', ${unavailable});`,
    ),
};
