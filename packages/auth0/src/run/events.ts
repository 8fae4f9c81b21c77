/** A plain JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

const user: JsonObject = {
  user_id: 'auth0|5f7c8ec7c33c6c004bbafe82',
  email: 'user@example.com',
  email_verified: true,
  name: 'user@example.com',
  nickname: 'user',
  picture: 'https://example.com/user.png',
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
  user_metadata: {},
  app_metadata: {},
  identities: [{ connection: 'users', provider: 'auth0', user_id: '5f7c8ec7c33c6c004bbafe82', isSocial: false }],
};

const client: JsonObject = { client_id: 'client-id', name: 'Example application', metadata: {} };
const connection: JsonObject = { id: 'con_0000000000000001', name: 'users', strategy: 'auth0', metadata: {} };
const tenant: JsonObject = { id: 'example' };

const request: JsonObject = {
  hostname: 'example.auth0.com',
  ip: '192.0.2.1',
  method: 'POST',
  language: 'en',
  user_agent: 'Mozilla/5.0',
  geoip: { countryCode: 'DE', timeZone: 'Europe/Berlin' },
  query: {},
  body: {},
};

const transaction: JsonObject = {
  acr_values: [],
  locale: 'en',
  protocol: 'oidc-basic-profile',
  redirect_uri: 'https://example.com/callback',
  requested_scopes: ['openid', 'profile', 'email'],
  response_type: ['code'],
  state: 'state',
  ui_locales: [],
  metadata: {},
};

const resourceServer: JsonObject = { identifier: 'https://api.example.com' };
const signIn: JsonObject = { user, client, connection, tenant, request, transaction, secrets: {}, configuration: {} };

/** What an Action is called with where nothing else is said: the properties of Auth0's documentation, with values of no meaning. */
export const defaultEvents: Readonly<Record<string, JsonObject>> = {
  'post-login': {
    ...signIn,
    authentication: { methods: [{ name: 'pwd', timestamp: '2026-01-01T00:00:00.000Z' }] },
    authorization: { roles: [] },
    stats: { logins_count: 1 },
    resource_server: resourceServer,
    session: { id: 'session-id' },
  },
  'credentials-exchange': {
    ...{ client, tenant, request, secrets: {}, configuration: {}, resource_server: resourceServer },
    accessToken: { customClaims: {}, scope: [] },
    transaction: { requested_scopes: [] },
  },
  'pre-user-registration': { ...signIn, user: { email: 'user@example.com', user_metadata: {}, app_metadata: {} } },
  'post-user-registration': signIn,
  'post-change-password': { user, connection, tenant, request, secrets: {}, configuration: {} },
  'send-phone-message': {
    ...{ user, client, tenant, request, secrets: {}, configuration: {} },
    message_options: {
      ...{ action: 'second-factor-authentication', code: '123456', message_type: 'sms', recipient: '+15550100' },
      text: '123456 is your code',
    },
  },
  'password-reset-post-challenge': {
    ...signIn,
    authentication: { methods: [{ name: 'email', timestamp: '2026-01-01T00:00:00.000Z' }] },
  },
  'custom-token-exchange': {
    ...{ client, tenant, request, secrets: {}, configuration: {}, resource_server: resourceServer },
    transaction: {
      ...{ subject_token: 'subject-token', subject_token_type: 'urn:example:token' },
      requested_scopes: [],
    },
  },
  'custom-email-provider': {
    ...{ user, client, connection, tenant, request, secrets: {}, configuration: {} },
    notification: {
      ...{ from: 'no-reply@example.com', to: 'user@example.com', subject: 'Verify your email', locale: 'en_US' },
      ...{ message_type: 'verify_email', html: '<p>Verify your email</p>', text: 'Verify your email' },
    },
  },
  'custom-phone-provider': {
    ...{ user, client, connection, tenant, request, secrets: {}, configuration: {} },
    notification: {
      ...{ message_type: 'otp_verify', recipient: '+15550100', delivery_method: 'text', code: '123456', locale: 'en' },
      as_text: '123456 is your code',
    },
  },
  'event-stream': {
    secrets: {},
    message: {
      ...{ id: 'evt_0000000000000001', type: 'user.created', source: 'urn:auth0:example', specversion: '1.0' },
      time: '2026-01-01T00:00:00.000Z',
      data: { object: user },
    },
  },
};

/** The user of a Rule or a Hook, and its context. */
export const defaultUser: JsonObject = user;

export const defaultRuleContext: JsonObject = {
  ...{ tenant: 'example', clientID: 'client-id', clientName: 'Example application', connection: 'users' },
  ...{ connectionID: 'con_0000000000000001', connectionStrategy: 'auth0', protocol: 'oidc-basic-profile' },
  ...{ stats: { loginsCount: 1 }, sso: {}, samlConfiguration: {}, request, authorization: { roles: [] } },
  ...{ accessToken: {}, idToken: {}, sessionID: 'session-id' },
};

/** `change` laid over `base`: objects are joined, everything else is replaced. */
export function mergeJson(base: JsonObject, change: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...base };
  for (const [key, value] of Object.entries(change)) {
    const before = merged[key];
    merged[key] = isObject(before) && isObject(value) ? mergeJson(before, value) : value;
  }
  return merged;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
