import { type ActionTemplate, handler, namespace } from './template.ts';

const outcome = `if (!plan) {
  api.access.deny('invalid_request', 'This client is not known.');
  return;
}
api.accessToken.setCustomClaim(\`\${NAMESPACE}/plan\`, plan);`;

export const credentialsExchange: ActionTemplate = {
  trigger: 'credentials-exchange',
  version: 'v2',
  handler: 'onExecuteCredentialsExchange',
  purpose: "puts a client's plan into its token; a client that is not known gets none",
  api: 'GET /clients/CLIENT_ID: 200 and { "plan": … }, or 404.',
  table: 'clients (client_id, plan)',
  top: namespace,
  http: ({ unavailable }) =>
    handler(
      'onExecuteCredentialsExchange',
      'event, api',
      `const path = \`/clients/\${encodeURIComponent(event.client.client_id)}\`;
const { status, data } = await request(event.secrets, 'GET', path, undefined, [200, 404]);
const plan = status === 200 && data.plan;
${outcome}`,
      `api.access.deny('server_error', ${unavailable});`,
    ),
  sqlNeed: 'select',
  sql: ({ sql, unavailable }) =>
    handler(
      'onExecuteCredentialsExchange',
      'event, api',
      `const statement = ${sql('SELECT plan FROM clients WHERE client_id = ?')};
const [row] = await select(event.secrets, statement, [event.client.client_id]);
const plan = row && row.plan;
${outcome}`,
      `api.access.deny('server_error', ${unavailable});`,
    ),
};
