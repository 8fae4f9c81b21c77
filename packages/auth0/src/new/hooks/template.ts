import { namespace } from '../actions/template.ts';
import type { HookPoint } from '../options.ts';

interface HookWords {
  /** A statement with `?` for its values, quoted, in the driver's spelling. */
  readonly sql: (statement: string) => string;
}

/** A Hook, for one extension point. */
export interface HookTemplate {
  readonly point: HookPoint;
  /** Without the callback, which is the last one. */
  readonly parameters: readonly string[];
  readonly api: string;
  readonly table?: string;
  readonly top?: string;
  /** The call of the function below, without the secrets. */
  readonly work: readonly [name: string, ...values: string[]];
  readonly success: string;
  /** The error that the platform is handed: an expression. */
  readonly failure: string;
  /** The body of the function. */
  readonly http: string;
  readonly sql?: (words: HookWords) => string;
  readonly sqlNeed?: 'select' | 'change';
}

const plan = {
  api: 'GET /clients/CLIENT_ID: 200 and { "plan": … }, or 404.',
  table: 'clients (client_id, plan)',
  top: namespace,
  work: ['findPlan', 'client.id'] as const,
  http: `const path = \`/clients/\${encodeURIComponent(clientId)}\`;
const { data } = await request(secrets, 'GET', path, undefined, [200, 404]);
return (data && data.plan) || null;`,
  sqlNeed: 'select' as const,
  sql: ({ sql }: HookWords) => `const statement = ${sql('SELECT plan FROM clients WHERE client_id = ?')};
const [row] = await select(secrets, statement, [clientId]);
return row ? row.plan : null;`,
};

const serverError = 'new ServerError(UNAVAILABLE)';
const plainError = 'new Error(UNAVAILABLE)';

export const hookTemplates: Record<HookPoint, HookTemplate> = {
  'credentials-exchange': {
    point: 'credentials-exchange',
    parameters: ['client', 'scope', 'audience', 'context'],
    ...plan,
    success: `(plan) => cb(null, { scope, [\`\${NAMESPACE}/plan\`]: plan })`,
    failure: serverError,
  },
  'pre-user-registration': {
    point: 'pre-user-registration',
    parameters: ['user', 'context'],
    api: 'GET /invitations?email=…: 200, or 404 where there is none.',
    table: 'invitations (email)',
    work: ['isInvited', 'user.email'],
    success: `(invited) => cb(null, { user: { app_metadata: { invited } } })`,
    failure: 'new PreUserRegistrationError(UNAVAILABLE, UNAVAILABLE)',
    http: `const path = \`/invitations?email=\${encodeURIComponent(email)}\`;
const { status } = await request(secrets, 'GET', path, undefined, [200, 404]);
return status === 200;`,
    sqlNeed: 'select',
    sql: ({ sql }) => `const statement = ${sql('SELECT email FROM invitations WHERE email = ?')};
const rows = await select(secrets, statement, [email]);
return rows.length > 0;`,
  },
  'post-user-registration': {
    point: 'post-user-registration',
    parameters: ['user', 'context'],
    api: 'POST /registrations with user_id and email: 201.',
    table: 'registrations (user_id, email)',
    work: ['register', 'user.id', 'user.email'],
    success: '() => cb()',
    failure: plainError,
    http: `const registration = { user_id: id, email };
await request(secrets, 'POST', '/registrations', registration, [201]);`,
    sqlNeed: 'change',
    sql: ({ sql }) => `const statement = ${sql('INSERT INTO registrations (user_id, email) VALUES (?, ?)')};
await change(secrets, statement, [id, email]);`,
  },
  'post-change-password': {
    point: 'post-change-password',
    parameters: ['user', 'context'],
    api: 'POST /password-changes with user_id: 201.',
    table: 'password_changes (user_id)',
    work: ['tell', 'user.id'],
    success: '() => cb()',
    failure: plainError,
    http: `await request(secrets, 'POST', '/password-changes', { user_id: id }, [201]);`,
    sqlNeed: 'change',
    sql: ({ sql }) => `const statement = ${sql('INSERT INTO password_changes (user_id) VALUES (?)')};
await change(secrets, statement, [id]);`,
  },
  'send-phone-message': {
    point: 'send-phone-message',
    parameters: ['recipient', 'text', 'context'],
    api: 'POST /messages with to and text: 202.',
    work: ['send', 'recipient', 'text'],
    success: '() => cb()',
    failure: 'new SendPhoneMessageError(UNAVAILABLE, UNAVAILABLE)',
    http: `await request(secrets, 'POST', '/messages', { to: recipient, text }, [202]);`,
  },
  'password-exchange': {
    point: 'password-exchange',
    parameters: ['user', 'client', 'scope', 'audience', 'context'],
    ...plan,
    success: `(plan) => cb(null, { accessToken: { [\`\${NAMESPACE}/plan\`]: plan }, idToken: {} })`,
    failure: serverError,
  },
};
