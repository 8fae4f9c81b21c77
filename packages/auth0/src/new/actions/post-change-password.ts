import { type ActionTemplate, handler } from './template.ts';

const why = '// The password is changed already, whatever happens here.';

export const postChangePassword: ActionTemplate = {
  trigger: 'post-change-password',
  version: 'v2',
  handler: 'onExecutePostChangePassword',
  purpose: 'tells that a password was changed, and not which',
  api: 'POST /password-changes with user_id: 201.',
  table: 'password_changes (user_id)',
  http: () =>
    handler(
      'onExecutePostChangePassword',
      'event',
      `const { user_id } = event.user;
await request(event.secrets, 'POST', '/password-changes', { user_id }, [201]);`,
      why,
    ),
  sqlNeed: 'change',
  sql: ({ sql }) =>
    handler(
      'onExecutePostChangePassword',
      'event',
      `const statement = ${sql('INSERT INTO password_changes (user_id) VALUES (?)')};
await change(event.secrets, statement, [event.user.user_id]);`,
      why,
    ),
};
