/** A plain JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** The date of everything in these defaults. */
const then = '2026-01-01T00:00:00.000Z';

const identities: Json = [
  { connection: 'users', provider: 'auth0', user_id: '5f7c8ec7c33c6c004bbafe82', isSocial: false },
];

const user: JsonObject = {
  user_id: 'auth0|5f7c8ec7c33c6c004bbafe82',
  email: 'user@example.com',
  email_verified: true,
  username: 'user',
  name: 'user@example.com',
  nickname: 'user',
  given_name: 'Example',
  family_name: 'User',
  picture: 'https://example.com/user.png',
  phone_number: '+15550100',
  phone_verified: true,
  created_at: then,
  updated_at: then,
  last_password_reset: then,
  user_metadata: {},
  app_metadata: {},
};

/** For triggers that run at a login: the user's enrolled factors, and where the user comes from. */
const userAtLogin: JsonObject = { ...user, enrolledFactors: [], multifactor: [], identities };

const client: JsonObject = { client_id: 'client-id', name: 'Example application', metadata: {} };
const connection: JsonObject = { id: 'con_0000000000000001', name: 'users', strategy: 'auth0', metadata: {} };
const tenant: JsonObject = { id: 'example' };

const geoip: JsonObject = {
  ...{ cityName: 'Berlin', continentCode: 'EU', countryCode: 'DE', countryCode3: 'DEU', countryName: 'Germany' },
  ...{ latitude: 52.5, longitude: 13.4, subdivisionCode: 'BE', subdivisionName: 'Berlin', timeZone: 'Europe/Berlin' },
};

const request: JsonObject = {
  hostname: 'example.auth0.com',
  ip: '192.0.2.1',
  method: 'POST',
  language: 'en',
  user_agent: 'Mozilla/5.0',
  geoip,
};
const requestWithBody: JsonObject = { ...request, body: {} };

/** Providers also get the branding of the tenant. */
const brandedTenant: JsonObject = {
  ...{ ...tenant, friendly_name: 'Example', home_url: 'https://example.com', logo_url: 'https://example.com/logo.png' },
  ...{ support_email: 'support@example.com', support_url: 'https://example.com/support' },
};

const correlated: JsonObject = { correlation_id: 'correlation-id' };
const securityContext: JsonObject = { ja3: 'ja3-fingerprint', ja4: 'ja4-fingerprint' };
const locales: JsonObject = { locale: 'en', ui_locales: ['en'] };

/** Of a login or a sign-up with the authorization code flow. */
const signUpTransaction: JsonObject = {
  ...{ acr_values: [], ...locales, login_hint: 'user@example.com', prompt: [], protocol: 'oidc-basic-profile' },
  ...{ redirect_uri: 'https://example.com/callback', requested_scopes: ['openid', 'profile', 'email'] },
  ...{ response_mode: 'query', response_type: ['code'], state: 'state' },
};

/** Nothing speaks against the user. */
const riskAssessment: JsonObject = {
  confidence: 'high',
  version: '1',
  assessments: {
    ImpossibleTravel: { code: 'minimal_travel_from_last_login', confidence: 'high' },
    NewDevice: { code: 'match', confidence: 'high', details: { device: 'known', useragent: 'known' } },
    UntrustedIP: { code: 'not_found_on_deny_list', confidence: 'high', details: { ip: '192.0.2.1' } },
  },
};

const device: JsonObject = {
  ...{ initial_asn: '64496', initial_ip: '192.0.2.1', initial_user_agent: 'Mozilla/5.0' },
  ...{ last_asn: '64496', last_ip: '192.0.2.1', last_user_agent: 'Mozilla/5.0' },
};

const session: JsonObject = {
  ...{ id: 'session-id', user_id: 'auth0|5f7c8ec7c33c6c004bbafe82', clients: [{ client_id: 'client-id' }], device },
  ...{ created_at: then, authenticated_at: then, updated_at: then, last_interacted_at: then },
  ...{ expires_at: '2026-01-08T00:00:00.000Z', idle_expires_at: '2026-01-04T00:00:00.000Z' },
  ...{ cookie: { mode: 'persistent' }, metadata: {} },
};

const resourceServer: JsonObject = { identifier: 'https://api.example.com' };
/** What every trigger has. `configuration` is that of an Action from the marketplace. */
const settings: JsonObject = { secrets: {}, configuration: {} };

/**
 * The default event of an Action: the properties of Auth0's documentation, with meaningless values. Properties that exist only in some
 * transactions are in {@link sometimes}.
 */
export const defaultEvents: Readonly<Record<string, JsonObject>> = {
  'post-login': {
    ...{ ...settings, user: userAtLogin, client, connection, tenant, session, resource_server: resourceServer },
    authentication: { methods: [{ name: 'pwd', timestamp: then }], riskAssessment },
    authorization: { roles: [] },
    request: { ...requestWithBody, query: {}, asn: '64496' },
    security_context: securityContext,
    stats: { logins_count: 1 },
    transaction: { ...signUpTransaction, ...correlated, id: 'transaction-id', metadata: {} },
  },
  'credentials-exchange': {
    ...{ ...settings, client, tenant, request: requestWithBody, resource_server: resourceServer },
    accessToken: { customClaims: {}, scope: [] },
    transaction: { ...correlated, requested_scopes: [], target_scopes: [] },
  },
  'pre-user-registration': {
    ...{ ...settings, client, connection, tenant, request: requestWithBody, security_context: securityContext },
    transaction: { ...signUpTransaction, ...correlated },
    user: {
      ...{ email: 'user@example.com', username: 'user', name: 'user@example.com', nickname: 'user' },
      ...{ given_name: 'Example', family_name: 'User', picture: 'https://example.com/user.png' },
      ...{ phone_number: '+15550100', user_metadata: {}, app_metadata: {} },
    },
  },
  'post-user-registration': {
    ...{ ...settings, user, connection, tenant, request, security_context: securityContext },
    transaction: signUpTransaction,
  },
  'post-change-password': {
    ...{ ...settings, connection, tenant, request, transaction: correlated },
    user: {
      ...{ user_id: 'auth0|5f7c8ec7c33c6c004bbafe82', email: 'user@example.com', email_verified: true },
      ...{ username: 'user', phone_number: '+15550100', phone_verified: true, last_password_reset: then },
    },
  },
  'send-phone-message': {
    ...{ ...settings, client, tenant, request, security_context: securityContext, transaction: correlated },
    user: { ...user, identities },
    message_options: {
      ...{ action: 'second-factor-authentication', code: '123456', message_type: 'sms', recipient: '+15550100' },
      text: '123456 is your code',
    },
  },
  'password-reset-post-challenge': {
    ...{ ...settings, client, connection, tenant, request: { ...requestWithBody, query: {} } },
    user: { ...user, enrolledFactors: [], identities },
    authentication: { methods: [{ name: 'email', timestamp: then }] },
    authorization: { roles: [] },
    stats: { logins_count: 1 },
    transaction: { ...locales, ...correlated, login_hint: 'user@example.com', state: 'state' },
  },
  'custom-token-exchange': {
    ...{ ...settings, client, tenant, request: requestWithBody, resource_server: resourceServer },
    transaction: {
      ...{ subject_token: 'subject-token', subject_token_type: 'urn:example:token' },
      ...{ requested_token_type: 'urn:ietf:params:oauth:token-type:access_token', requested_scopes: [] },
    },
  },
  'custom-email-provider': {
    ...{ ...settings, user, client, connection, tenant: brandedTenant, transaction: correlated },
    request: { hostname: 'example.auth0.com', ip: '192.0.2.1', user_agent: 'Mozilla/5.0', query: {}, geoip },
    notification: {
      ...{ from: 'no-reply@example.com', to: 'user@example.com', subject: 'Verify your email', locale: 'en_US' },
      ...{ message_type: 'verify_email', html: '<p>Verify your email</p>', text: 'Verify your email' },
    },
  },
  'custom-phone-provider': {
    ...{ ...settings, client, connection, tenant: brandedTenant, request, transaction: correlated },
    user: { ...user, identities },
    notification: {
      ...{ message_type: 'otp_verify', recipient: '+15550100', from: '+15550101', delivery_method: 'text' },
      ...{ code: '123456', locale: 'en_US', as_text: '123456 is your code', as_voice: '1 2 3 4 5 6 is your code' },
    },
  },
  'event-stream': {
    ...settings,
    message: {
      ...{ id: 'evt_0000000000000001', type: 'user.created', source: 'urn:auth0:example', specversion: '1.0' },
      time: then,
      data: { object: userAtLogin },
    },
  },
};

/** Documented names of `event` and of a Rule's `context` that an ordinary transaction does not have, and when they exist. */
export const sometimes: Readonly<Record<string, string>> = {
  organization: 'the user comes through an organization',
  custom_domain: 'the request came to a custom domain',
  agent: 'an agent acts for the user',
  prompt: 'an Action has rendered a prompt',
  refresh_token: 'a refresh token is issued or used',
  session_transfer_token: 'the session was transferred',
  multifactor: 'a Rule has asked for another factor',
  redirect: 'a Rule redirects the user',
};

/** The user of a Rule. */
export const defaultUser: JsonObject = userAtLogin;

/** Rules have their own names for the request. */
const ruleRequest: JsonObject = {
  ...{ hostname: 'example.auth0.com', ip: '192.0.2.1', userAgent: 'Mozilla/5.0', method: 'POST', query: {}, body: {} },
  geoip: {
    ...{ city_name: 'Berlin', continent_code: 'EU', country_code: 'DE', country_code3: 'DEU' },
    ...{ country_name: 'Germany', latitude: 52.5, longitude: 13.4, subdivision_code: 'BE' },
    ...{ subdivision_name: 'Berlin', time_zone: 'Europe/Berlin' },
  },
};

export const defaultRuleContext: JsonObject = {
  ...{ tenant: 'example', clientID: 'client-id', clientName: 'Example application', clientMetadata: {} },
  ...{ connection: 'users', connectionID: 'con_0000000000000001', connectionStrategy: 'auth0' },
  connectionOptions: { tenant_domain: 'example.com', domain_aliases: [] },
  ...{ connectionMetadata: {}, protocol: 'oidc-basic-profile', samlConfiguration: {}, request: ruleRequest },
  ...{ stats: { loginsCount: 1 }, sso: { with_auth0: false, with_dbconn: false, current_clients: ['client-id'] } },
  authentication: { methods: [{ name: 'pwd', timestamp: 1_767_225_600_000 }] },
  ...{ authorization: { roles: [] }, accessToken: {}, idToken: {}, sessionID: 'session-id', riskAssessment },
  primaryUser: 'auth0|5f7c8ec7c33c6c004bbafe82',
};

/** `base` with the changes of `change`: objects are merged, and everything else is replaced. */
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
