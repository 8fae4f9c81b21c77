import { type ActionTemplate, handler } from './template.ts';

const why = '// The user is there already, whatever happens here.';

export const postUserRegistration: ActionTemplate = {
  trigger: 'post-user-registration',
  version: 'v2',
  handler: 'onExecutePostUserRegistration',
  purpose: 'tells of a new user',
  api: 'POST /registrations with user_id and email: 201.',
  table: 'registrations (user_id, email)',
  http: () =>
    handler(
      'onExecutePostUserRegistration',
      'event',
      `const { user_id, email } = event.user;
await request(event.secrets, 'POST', '/registrations', { user_id, email }, [201]);`,
      why,
    ),
  sqlNeed: 'change',
  sql: ({ sql }) =>
    handler(
      'onExecutePostUserRegistration',
      'event',
      `const statement = ${sql('INSERT INTO registrations (user_id, email) VALUES (?, ?)')};
await change(event.secrets, statement, [event.user.user_id, event.user.email]);`,
      why,
    ),
};
