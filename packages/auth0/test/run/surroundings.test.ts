import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  createContainer,
  type JsonObject,
  type RunOptions,
  type RunResult,
  refuseUnusedOptions,
} from '../../src/index.ts';
import { triggers } from '../../src/run/triggers.ts';

// What a script finds around it, by the platform's documentation: Auth0's pages on the event of each trigger, on the context of Rules,
// and on the parameters of Hooks.

const container = createContainer({ timeLimitMs: 10_000 });
after(container.close);

const GEOIP =
  'cityName continentCode countryCode countryCode3 countryName latitude longitude subdivisionCode subdivisionName timeZone';
const REQUEST = `hostname ip language method user_agent ${paths('geoip', GEOIP)}`;
const USER =
  'app_metadata created_at email email_verified family_name given_name last_password_reset name nickname phone_number phone_verified picture updated_at user_id user_metadata username';
const CLIENT = 'client.client_id client.metadata client.name';
const CONNECTION = 'connection.id connection.metadata connection.name connection.strategy';
const SIGN_UP =
  'acr_values locale login_hint prompt protocol redirect_uri requested_scopes response_mode response_type state ui_locales';
const BRAND = 'id friendly_name home_url logo_url support_email support_url';
const DEVICE = 'initial_asn initial_ip initial_user_agent last_asn last_ip last_user_agent';
const SESSION = `id authenticated_at clients cookie.mode created_at expires_at idle_expires_at last_interacted_at metadata updated_at user_id ${paths('device', DEVICE)}`;

function paths(object: string, names: string): string {
  return names
    .split(' ')
    .map((name) => `${object}.${name}`)
    .join(' ');
}

const events: Record<string, readonly string[]> = {
  'post-login': [
    ...[CLIENT, CONNECTION, paths('user', `${USER} enrolledFactors multifactor identities.0.connection`)],
    ...[paths('request', `${REQUEST} asn body query`), paths('session', SESSION), 'stats.logins_count tenant.id'],
    ...['authentication.methods.0.name authentication.riskAssessment.assessments.NewDevice.code authorization.roles'],
    ...['resource_server.identifier security_context.ja3 security_context.ja4'],
    paths('transaction', `${SIGN_UP} id correlation_id metadata`),
  ],
  'credentials-exchange': [
    ...[CLIENT, 'accessToken.customClaims accessToken.scope resource_server.identifier tenant.id'],
    ...[paths('request', `${REQUEST} body`), paths('transaction', 'correlation_id requested_scopes target_scopes')],
  ],
  'pre-user-registration': [
    ...[CLIENT, CONNECTION, 'tenant.id security_context.ja3', paths('request', `${REQUEST} body`)],
    paths(
      'user',
      'app_metadata email family_name given_name name nickname phone_number picture user_metadata username',
    ),
    paths('transaction', `${SIGN_UP} correlation_id`),
  ],
  'post-user-registration': [
    ...[CONNECTION, 'tenant.id security_context.ja3', paths('request', REQUEST), paths('user', USER)],
    paths('transaction', SIGN_UP),
  ],
  'post-change-password': [
    ...[CONNECTION, 'tenant.id transaction.correlation_id', paths('request', REQUEST)],
    paths('user', 'email email_verified last_password_reset phone_number phone_verified user_id username'),
  ],
  'send-phone-message': [
    ...[CLIENT, 'tenant.id security_context.ja4 transaction.correlation_id', paths('request', REQUEST)],
    ...[paths('user', `${USER} identities`), paths('message_options', 'action code message_type recipient text')],
  ],
  'password-reset-post-challenge': [
    ...[CLIENT, CONNECTION, 'authentication.methods.0.name authorization.roles stats.logins_count tenant.id'],
    ...[paths('request', `${REQUEST} body query`), paths('user', `${USER} enrolledFactors identities`)],
    paths('transaction', 'correlation_id locale login_hint state ui_locales'),
  ],
  'custom-token-exchange': [
    ...[CLIENT, 'resource_server.identifier tenant.id', paths('request', `${REQUEST} body`)],
    paths('transaction', 'requested_scopes requested_token_type subject_token subject_token_type'),
  ],
  'custom-email-provider': [
    ...[CLIENT, CONNECTION, paths('tenant', BRAND), 'transaction.correlation_id'],
    paths('request', `hostname ip query user_agent ${paths('geoip', GEOIP)}`),
    paths('notification', 'from html locale message_type subject text to'),
    paths(
      'user',
      'app_metadata email email_verified family_name given_name name nickname picture user_id user_metadata',
    ),
  ],
  'custom-phone-provider': [
    ...[CLIENT, CONNECTION, paths('tenant', BRAND), 'transaction.correlation_id', paths('request', REQUEST)],
    paths('notification', 'as_text as_voice code delivery_method from locale message_type recipient'),
    paths('user', `${USER} identities`),
  ],
  'event-stream': [
    'message.id message.type message.data.object.user_id message.source message.specversion message.time',
  ],
};

function missingOf(value: unknown, documented: readonly string[]): string[] {
  return documented
    .join(' ')
    .split(' ')
    .filter((path) => {
      let at: unknown = value;
      for (const name of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[name];
      return at === undefined;
    });
}

/** What a script printed as JSON. */
const printed = ({ console: lines }: RunResult): JsonObject => JSON.parse(lines.map(({ text }) => text).join(''));

describe('the event of an Action has every documented property of an ordinary transaction', () => {
  for (const [trigger, { handlers }] of Object.entries(triggers)) {
    it(trigger, async () => {
      const source = `exports.${handlers[0]} = async (event) => console.log(JSON.stringify(event));`;
      const event = printed(await container.run({ source }));
      const documented = events[trigger] ?? [];
      assert.deepEqual(missingOf(event, documented), []);
      const names = new Set(
        documented
          .join(' ')
          .split(' ')
          .map((path) => path.split('.')[0]),
      );
      const more = Object.keys(event).filter((name) => !names.has(name) && !/^(?:secrets|configuration)$/.test(name));
      assert.deepEqual(more, [], 'what the documentation does not know is not there');
    });
  }

  it('what is there only sometimes is not, and a script that does not look for it hears when it is', async () => {
    const action = (body: string, options: RunOptions = {}): Promise<RunResult> =>
      container.run({ source: `exports.onExecutePostLogin = async (event, api) => { ${body} };` }, options);
    const stumbles = await action('api.access.deny(event.organization.name);');
    assert.deepEqual(stumbles.warnings, [
      {
        code: 'advice',
        message:
          'event.organization exists only if the user comes through an organization: check for it first, and give one here with --event FILE',
      },
    ]);
    const given = await action('api.access.deny(event.organization.name);', {
      event: { organization: { name: 'acme' } },
    });
    assert.deepEqual(given.calls[0]?.arguments, ['acme']);
    const strange = await action('console.log(event.usr.email);');
    assert.equal(
      strange.warnings[0]?.message,
      'event.usr is not documented for action:post-login; give it here with --event FILE',
    );
    assert.deepEqual((await action('const a = undefined; a.b();')).warnings, [], 'something else is not blamed on it');
  });
});

describe('api of an Action', () => {
  it('the target scopes of credentials-exchange can be added to, taken from and cleared', async () => {
    const methods = ['addTargetScope', 'removeTargetScope', 'setTargetScopes', 'clearTargetScopes'];
    const calls = methods.map((name) => `api.transaction.${name}('a')`).join(';');
    const result = await container.run({
      source: `exports.onExecuteCredentialsExchange = async (event, api) => { ${calls} };`,
    });
    assert.deepEqual(
      result.calls.map(({ method }) => method),
      methods.map((name) => `transaction.${name}`),
    );
  });

  it('groups and roles answer with promises of lists', async () => {
    const source = `exports.onExecutePostLogin = async (event, api) => {
      const { roles } = await api.roles.getUserEffectiveRoles({ take: 1 });
      const { hasGroupMembership } = await api.groups.hasGroupMembership(['admins']);
      console.log(roles.length, (await api.groups.getUserGroups()).groups.length, hasGroupMembership);
    };`;
    assert.equal((await container.run({ source })).console[0]?.text, '0 0 false');
  });
});

describe('the surroundings of a Rule', () => {
  const rule = (body: string, options: RunOptions = {}): Promise<RunResult> =>
    container.run({ source: `function (user, context, callback) { ${body} }` }, { as: 'rule', ...options });

  it('the context has every documented property', async () => {
    const context = printed(await rule('console.log(JSON.stringify(context)); callback(null, user, context);'));
    const geoip =
      'city_name continent_code country_code country_code3 country_name latitude longitude subdivision_code subdivision_name time_zone';
    assert.deepEqual(
      missingOf(context, [
        'tenant clientID clientName clientMetadata connectionID connection connectionStrategy connectionMetadata',
        'connectionOptions.tenant_domain connectionOptions.domain_aliases samlConfiguration protocol stats.loginsCount',
        'riskAssessment.confidence sso.with_auth0 sso.with_dbconn sso.current_clients accessToken idToken sessionID',
        ...[paths('request', `userAgent ip hostname query body ${paths('geoip', geoip)}`), 'primaryUser'],
        'authentication.methods.0.name authentication.methods.0.timestamp authorization.roles',
      ]),
      [],
    );
  });

  it('the user has every documented property', async () => {
    const user = printed(await rule('console.log(JSON.stringify(user)); callback(null, user, context);'));
    assert.deepEqual(missingOf(user, [`${USER} identities.0.isSocial multifactor`]), []);
  });

  it('auth0.users updates metadata: by a promise or a callback, reported as calls, nothing is sent', async () => {
    const result = await rule(`
      auth0.users.updateAppMetadata(user.user_id, { seen: true })
        .then((known) => auth0.users.updateUserMetadata(user.user_id, { a: known.app_metadata.seen }, (error, updated) => {
          console.log(error, updated.user_metadata.a);
          callback(null, user, context);
        }))
        .catch(callback);`);
    assert.equal(result.status, 'success');
    assert.deepEqual(result.calls, [
      { method: 'auth0.users.updateAppMetadata', arguments: ['auth0|5f7c8ec7c33c6c004bbafe82', { seen: true }] },
      { method: 'auth0.users.updateUserMetadata', arguments: ['auth0|5f7c8ec7c33c6c004bbafe82', { a: true }] },
    ]);
    assert.equal(result.console[0]?.text, 'null true');
    assert.deepEqual([result.findings, result.warnings], [[], []]);
  });

  it('auth0.users refuses what the API would refuse, and what is not documented is told', async () => {
    const refused = await rule('auth0.users.updateAppMetadata(undefined, {}).catch(callback);');
    assert.equal(refused.outcome.type === 'callback' && refused.outcome.error?.name, 'TypeError');
    const strange = await rule('console.log(typeof auth0.users.get, auth0.domain); callback(null, user, context);');
    assert.deepEqual(
      strange.warnings.map(({ code }) => code),
      ['auth0-undocumented'],
    );
    const said = await rule(
      'auth0.users.updateAppMetadata("a", {}).then((x) => { console.log(x); callback(null, user, context); });',
      {
        returns: { 'auth0.users.updateAppMetadata': 'as said' },
      },
    );
    assert.equal(said.console[0]?.text, 'as said');
  });
});

describe('the arguments of a Hook have every documented property', () => {
  const CONTEXT = 'connection.id connection.name connection.tenant';
  const points: Record<string, readonly [parameters: string, documented: readonly string[]]> = {
    'credentials-exchange': [
      'client, scope, audience, context',
      ['client.name client.id client.tenant client.metadata scope audience context.webtask.secrets context.body'],
    ],
    'pre-user-registration': [
      'user, context',
      [
        paths('user', 'tenant username password email emailVerified phoneNumber phoneNumberVerified'),
        paths('context', `${CONTEXT} renderLanguage requestLanguage request.ip request.language webtask.secrets`),
      ],
    ],
    'post-user-registration': [
      'user, context',
      [
        paths(
          'user',
          'id tenant username email emailVerified phoneNumber phoneNumberVerified user_metadata app_metadata',
        ),
        paths('context', `${CONTEXT} requestLanguage webtask.secrets`),
      ],
    ],
    'post-change-password': [
      'user, context',
      [paths('user', 'id username email last_password_reset'), paths('context', `${CONTEXT} webtask.secrets`)],
    ],
    'send-phone-message': [
      'recipient, text, context',
      [
        'recipient text context.message_type context.action context.language context.code context.ip context.user_agent',
        paths('context', 'client.client_id client.name client.client_metadata webtask.secrets'),
        paths('context.user', 'user_id name email app_metadata user_metadata'),
      ],
    ],
  };
  for (const [point, [parameters, documented]] of Object.entries(points)) {
    it(point, async () => {
      const source = `module.exports = function (${parameters}, cb) { console.log(JSON.stringify({ ${parameters} })); cb(); };`;
      const given = printed(await container.run({ source }, { as: `hook:${point}` }));
      assert.deepEqual(missingOf(given, documented), []);
    });
  }
});

describe('who logs in', () => {
  it('is used by Rules, Hooks and Actions that have a user, and reaches the first Rule of a chain only', async () => {
    const args = { user: 'ada@example.com' };
    const rule = {
      source:
        'function (user, context, callback) { console.log(user.email, user.nickname); user.email = "eve@example.com"; callback(null, user, context); }',
    };
    const chain = await container.run([rule, rule], { args });
    assert.deepEqual(
      chain.console.map(({ text }) => text),
      ['ada@example.com ada', 'eve@example.com ada'],
    );
    const hook = { source: 'module.exports = function (user, context, cb) { console.log(user.email); cb(); };' };
    assert.equal(
      (await container.run(hook, { as: 'hook:post-change-password', args })).console[0]?.text,
      'ada@example.com',
    );
    const action = {
      source: 'exports.onExecutePostLogin = async (event) => console.log(event.user.email, event.user.name);',
    };
    assert.equal((await container.run(action, { args })).console[0]?.text, 'ada@example.com ada@example.com');
    assert.equal(
      (await container.run(action, { args, event: { user: { email: 'eve@example.com' } } })).console[0]?.text,
      'ada@example.com ada@example.com',
      'the option says more than the file',
    );
    const create = { source: 'function create(user, callback) { console.log(JSON.stringify(user)); callback(null); }' };
    const created = printed(
      await container.run(create, { args: { ...args, password: 'p', username: 'ada' }, user: { email: 'x' } }),
    );
    assert.deepEqual([created.email, created.username], ['ada@example.com', 'ada']);
  });
});

describe('options that do not apply are refused before anything runs', () => {
  const login = { source: 'function login(email, password, callback) { callback(null, { user_id: "1", email }); }' };
  const rule = { source: 'function addRoles(user, context, callback) { callback(null, user, context); }' };
  const hook = { source: 'module.exports = function (recipient, text, context, cb) { cb(); };' };
  const action = { source: 'exports.onExecutePostLogin = async () => {};' };
  const args = { email: 'a', password: 'b' };
  for (const [name, script, options, message] of [
    [
      'an argument that no script has',
      login,
      { args: { ...args, nope: 1 } },
      /^login takes no argument nope: it takes userNameOrEmail, password$/,
    ],
    ['secrets of a database script', login, { args, secrets: { A: 'b' } }, /^login takes no secrets$/],
    ['secrets of a Rule', rule, { secrets: { A: 'b' } }, /^a Rule takes no secrets$/],
    ['configuration of an Action', action, { configuration: { A: 'b' } }, /^action:post-login takes no configuration$/],
    [
      'configuration of a Hook',
      hook,
      { configuration: { A: 'b' } },
      /^hook:send-phone-message takes no configuration$/,
    ],
    ['the event of a database script', login, { args, event: {} }, /takes no event$/],
    [
      'the context of a function without a parameter for it',
      login,
      { args, context: {} },
      /^login takes no context: its function/,
    ],
    ['two names of one argument', login, { args: { ...args, user: 'c' } }, /^email and user are one argument of login/],
    ['the event of a Rule', rule, { event: {} }, /takes no event$/],
    ['the context of an Action', action, { context: {} }, /takes no context$/],
    ['the profile of a login', login, { args, user: {} }, /takes no profile/],
    ['the profile of a Hook without a user', hook, { user: {} }, /takes no profile/],
    ['the profile of an Action', action, { user: {} }, /takes no profile/],
    ['the handler of a login', login, { args, handler: 'onExecutePostLogin' }, /takes no handler/],
    ['what api answers a login', login, { args, returns: { a: 1 } }, /takes no returns/],
    ['auth0 of an Action', action, { auth0: { domain: 'a', accessToken: '', baseUrl: '' } }, /takes no auth0/],
  ] as const) {
    it(name, () => assert.throws(() => refuseUnusedOptions(script, options), { code: 'ERR_OPTION_INVALID', message }));
  }

  it('one set of options serves several scripts of a program; a name that no script has is mistyped', async () => {
    const shared = { args, secrets: { A: 'b' }, configuration: { A: 'b' } };
    assert.equal((await container.run(login, shared)).status, 'success');
    assert.equal((await container.run(action, shared)).status, 'success');
    await assert.rejects(container.run(login, { args: { ...args, emial: 'a' } }), {
      code: 'ERR_OPTION_INVALID',
      message: 'login takes no argument emial: it takes userNameOrEmail, password',
    });
  });
});
