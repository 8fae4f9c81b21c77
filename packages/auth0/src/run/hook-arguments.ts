import type { Json, JsonObject } from './events.ts';

// The arguments of Hooks, as the starter code of each extension point documents them.

const then = '2026-01-01T00:00:00.000Z';

const known: JsonObject = {
  ...{ tenant: 'example', username: 'user', email: 'user@example.com', emailVerified: true },
  ...{ phoneNumber: '+15550100', phoneNumberVerified: true, user_metadata: {}, app_metadata: {} },
};

/** A user without `auth0|` before its id. */
const registered: JsonObject = { ...known, id: '5f7c8ec7c33c6c004bbafe82' };

/** The default `user` of the extension points that have one. */
export const hookUsers: Readonly<Record<string, JsonObject>> = {
  'pre-user-registration': { ...known, emailVerified: false, phoneNumberVerified: false, password: 'example-password' },
  'post-user-registration': registered,
  'post-change-password': {
    ...{ id: '5f7c8ec7c33c6c004bbafe82', username: 'user', email: 'user@example.com', last_password_reset: then },
  },
  'password-exchange': registered,
};

const request: JsonObject = {
  ...{ hostname: 'example.auth0.com', ip: '192.0.2.1', language: 'en', user_agent: 'Mozilla/5.0' },
  geoip: { country_code: 'DE', country_name: 'Germany', city_name: 'Berlin', time_zone: 'Europe/Berlin' },
};

const atConnection: JsonObject = {
  connection: { id: 'con_0000000000000001', name: 'users', tenant: 'example' },
  ...{ requestLanguage: 'en', renderLanguage: 'en', request },
};

/** The `context` of each, without `webtask.secrets`. */
export const hookContexts: Readonly<Record<string, JsonObject>> = {
  'credentials-exchange': { body: {}, request },
  'pre-user-registration': atConnection,
  'post-user-registration': atConnection,
  'post-change-password': atConnection,
  'send-phone-message': {
    ...{ message_type: 'sms', action: 'second-factor-authentication', language: 'en', code: '123456' },
    ...{ ip: '192.0.2.1', user_agent: 'Mozilla/5.0' },
    client: { client_id: 'client-id', name: 'Example application', client_metadata: {} },
    user: {
      ...{ user_id: 'auth0|5f7c8ec7c33c6c004bbafe82', name: 'user@example.com', email: 'user@example.com' },
      ...{ user_metadata: {}, app_metadata: {} },
    },
  },
  'password-exchange': { body: {}, request },
};

/** The other arguments of a Hook. */
export const hookArguments: Readonly<Record<string, Json>> = {
  client: { id: 'client-id', name: 'Example application', tenant: 'example', metadata: {} },
  scope: [],
  audience: 'https://api.example.com',
  recipient: '+15550100',
  text: '123456 is your code',
};
