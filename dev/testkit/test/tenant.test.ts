import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyLike, randomUUID, sign } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { stopClock } from '../src/clock.ts';
import {
  type FakeTenant,
  type FakeTenantOptions,
  type JsonObject,
  type LoginRecord,
  type RunContainer,
  startFakeTenant,
} from '../src/tenant/index.ts';

const PASSWORD_REALM = 'http://auth0.com/oauth/grant-type/password-realm';
const login = 'function login(email, password, callback) {}';
const options: JsonObject = {
  ...{ enabledDatabaseCustomization: true, customScripts: { login }, precedence: null },
  configuration: { PIN: 'old', PASSWORD: 'secret' },
};
const code = 'exports.onExecutePostLogin = async () => {};';

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked at as it came
  readonly body: any;
  readonly headers: Headers;
}

interface Stage extends FakeTenant {
  readonly users: string;
  readonly pins: string;
  readonly call: (method: string, path: string, body?: unknown, scopes?: readonly string[]) => Promise<Answer>;
  readonly askToken: (given: Readonly<Record<string, string>>) => Promise<Answer>;
  readonly logIn: (username: string, password?: string) => Promise<Answer>;
}

/** A tenant with a connection and an Action, closed with the test. */
async function start(context: TestContext, given: FakeTenantOptions = {}): Promise<Stage> {
  const tenant = await startFakeTenant(given);
  context.after(() => tenant.close());
  const users = tenant.addConnection({ name: 'users', display_name: 'Our users', realms: ['example.com'], options });
  const pins = tenant.addAction({ name: 'pins', code, secrets: { PIN: 'old', PASSWORD: 'secret' } });
  const send = async (path: string, init: RequestInit): Promise<Answer> => {
    const answer = await tenant.fetch(`https://${tenant.domain}${path}`, init);
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  const askToken: Stage['askToken'] = (fields) =>
    send('/oauth/token', { method: 'POST', body: new URLSearchParams(fields) });
  const { AUTH0_CLIENT_ID: client_id, AUTH0_CLIENT_SECRET: client_secret } = tenant.credentials;
  const client = { client_id, client_secret };
  return {
    ...tenant,
    users,
    pins,
    askToken: (fields) => askToken({ ...client, ...fields }),
    logIn: (username, password = 'right') =>
      askToken({ ...client, grant_type: PASSWORD_REALM, realm: 'users', username, password }),
    call: (method, path, body, scopes) =>
      send(`/api/v2/${path}`, {
        method,
        headers: { authorization: `Bearer ${tenant.issueToken(scopes)}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      }),
  };
}

function plainOptions(tenant: FakeTenant): JsonObject {
  return tenant.plaintext().connections.users?.options as JsonObject;
}

describe('the address of the fake tenant', () => {
  it('speaks TLS under its own CA, by its domain and by its real address', async (context) => {
    const tenant = await start(context);
    for (const origin of [`https://${tenant.domain}`, tenant.origin]) {
      assert.equal((await tenant.fetch(`${origin}/api/v2/clients`)).status, 401);
    }
    await assert.rejects(fetch(`${tenant.origin}/api/v2/clients`), /fetch failed/);
    await assert.rejects(tenant.fetch('https://other.eu.auth0.com/'), /fetch failed/);
    await assert.rejects(tenant.fetch(`http://${tenant.domain}/`), /fetch failed/);
    assert.equal(tenant.requests.length, 2);
  });
});

describe('tokens of the fake tenant', () => {
  it('are given for the secret of the client, for the Management API alone', async (context) => {
    const tenant = await start(context);
    const grant = { grant_type: 'client_credentials', audience: `https://${tenant.domain}/api/v2/` };
    const { status, body } = await tenant.askToken(grant);
    assert.deepEqual([status, body.token_type, body.expires_in], [200, 'Bearer', 86_400]);
    assert.ok(body.scope.split(' ').includes('update:connections_options'));
    const refused = async (given: Readonly<Record<string, string>>): Promise<unknown> => {
      const answer = await tenant.askToken({ ...grant, ...given });
      return [answer.status, answer.body.error];
    };
    assert.deepEqual(await refused({ client_secret: 'wrong' }), [401, 'access_denied']);
    assert.deepEqual(await refused({ client_id: 'other' }), [401, 'access_denied']);
    assert.deepEqual(await refused({ audience: 'https://other.eu.auth0.com/api/v2/' }), [403, 'access_denied']);
    assert.deepEqual(await refused({ grant_type: 'password' }), [403, 'unsupported_grant_type']);
  });

  it('are given for an assertion of the client, once, for five minutes at most', async (context) => {
    const tenant = await start(context);
    const ask = async (given: object = {}, key: KeyLike = tenant.privateKey): Promise<number> => {
      const now = Math.floor(Date.now() / 1000);
      const { AUTH0_CLIENT_ID: id } = tenant.credentials;
      const claims = { iss: id, sub: id, aud: `https://${tenant.domain}/`, iat: now, exp: now + 60, jti: randomUUID() };
      const { body, status } = await tenant.askToken({
        ...{ grant_type: 'client_credentials', audience: `https://${tenant.domain}/api/v2/` },
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertionOf({ ...claims, ...given }, key),
      });
      assert.equal(body.error, status === 200 ? undefined : 'invalid_client');
      return status;
    };
    assert.equal(await ask({ jti: 'first' }), 200);
    assert.equal(await ask({ jti: 'first' }), 401);
    assert.equal(await ask({ jti: undefined }), 401);
    assert.equal(await ask({ exp: Math.floor(Date.now() / 1000) + 600 }), 401);
    assert.equal(await ask({ exp: Math.floor(Date.now() / 1000) - 1 }), 401);
    assert.equal(await ask({ aud: `https://${tenant.domain}` }), 401);
    assert.equal(await ask({ sub: 'other' }), 401);
    assert.equal(await ask({}, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey), 401);
  });

  it('are refused once they ended, and where there is none', async (context) => {
    const tenant = await start(context);
    const token = tenant.issueToken();
    const url = `https://${tenant.domain}/api/v2/connections`;
    const ask = async (authorization: string): Promise<number> =>
      (await tenant.fetch(url, { headers: { authorization } })).status;
    assert.equal(await ask(`Bearer ${token}`), 200);
    tenant.expireTokens();
    assert.deepEqual([await ask(`Bearer ${token}`), await ask(''), await ask('Bearer abc')], [401, 401, 401]);
  });
});

describe('a connection of the fake tenant', () => {
  it('loses what a write leaves out: options and configuration are replaced whole', async (context) => {
    const tenant = await start(context);
    await tenant.call('PATCH', `connections/${tenant.users}`, { options: { configuration: { PIN: 'new' } } });
    assert.deepEqual(plainOptions(tenant), { configuration: { PIN: 'new' } });
    await tenant.call('PATCH', `connections/${tenant.users}`, { metadata: { team: 'a' } });
    assert.deepEqual(plainOptions(tenant), { configuration: { PIN: 'new' } });
  });

  it('shows ciphertext that is another one after each write, and the same between them', async (context) => {
    const tenant = await start(context);
    const read = async (): Promise<Record<string, string>> =>
      (await tenant.call('GET', `connections/${tenant.users}`)).body.options.configuration;
    const first = await read();
    assert.match(first.PIN ?? '', /^CkIKI[A-Za-z0-9+/]+=*$/);
    assert.deepEqual(await read(), first);
    await tenant.call('PATCH', `connections/${tenant.users}`, { options });
    assert.notEqual((await read()).PIN, first.PIN);
    assert.deepEqual(plainOptions(tenant), options);
  });

  it('shows keys in another order than they were sent', async (context) => {
    const tenant = await start(context);
    const { body } = await tenant.call('PATCH', `connections/${tenant.users}`, {
      options: { bbb: 1, aa: { dd: 1, c: 2 } },
    });
    assert.equal(JSON.stringify(body.options), '{"aa":{"c":2,"dd":1},"bbb":1}');
  });

  it('takes ciphertext that is sent back for what it stands for, of its own alone', async (context) => {
    const tenant = await start(context);
    const other = tenant.addConnection({ name: 'other', options });
    const { body: own } = await tenant.call('GET', `connections/${tenant.users}`);
    const { body: foreign } = await tenant.call('GET', `connections/${other}`);
    const sent = { PIN: own.options.configuration.PIN, PASSWORD: foreign.options.configuration.PASSWORD };
    await tenant.call('PATCH', `connections/${tenant.users}`, { options: { configuration: sent } });
    assert.deepEqual(plainOptions(tenant), { configuration: { ...sent, PIN: 'old' } });
  });

  it('or encrypts it twice', async (context) => {
    const tenant = await start(context, { ciphertext: 'encrypted-twice' });
    const { body } = await tenant.call('GET', `connections/${tenant.users}`);
    await tenant.call('PATCH', `connections/${tenant.users}`, { options: body.options });
    assert.deepEqual(plainOptions(tenant), body.options);
  });

  it('without the scopes of options: shows none, takes none', async (context) => {
    const tenant = await start(context);
    const scopes = ['read:connections', 'update:connections'];
    const { body } = await tenant.call('GET', `connections/${tenant.users}`, undefined, scopes);
    assert.equal('options' in body, false);
    const { status, body: error } = await tenant.call('PATCH', `connections/${tenant.users}`, { options: {} }, scopes);
    assert.deepEqual(
      [status, error],
      [403, { statusCode: 403, error: 'Forbidden', message: error.message, errorCode: 'insufficient_scope' }],
    );
    assert.deepEqual(plainOptions(tenant), options);
    const changed = await tenant.call('PATCH', `connections/${tenant.users}`, { display_name: 'New' }, scopes);
    assert.deepEqual([changed.status, changed.body.display_name, 'options' in changed.body], [200, 'New', false]);
  });

  for (const [realms, expected] of [
    ['kept', 'example.com'],
    ['renamed', 'users'],
  ] as const) {
    it(`gets its name for a display_name that is left out; its realms are ${realms}`, async (context) => {
      const tenant = await start(context, { realms });
      const { body } = await tenant.call('PATCH', `connections/${tenant.users}`, { options });
      assert.deepEqual([body.display_name, body.realms], ['users', [expected]]);
    });
  }

  const refused: readonly (readonly [string, JsonObject])[] = [
    ['attributes beside requires_username', { options: { attributes: {}, requires_username: false } }],
    ['attributes beside validation', { options: { attributes: {}, validation: {} } }],
    ['password_options beside passwordPolicy', { options: { password_options: {}, passwordPolicy: 'good' } }],
    ['a property that it does not know', { name: 'other' }],
    ['a number in configuration', { options: { configuration: { PORT: 5432 } } }],
    ['a script that is too long', { options: { customScripts: { login: 'x'.repeat(100_001) } } }],
    ['too much metadata', { metadata: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, 'v'])) }],
    ['metadata that is too long', { metadata: { key: 'v'.repeat(256) } }],
  ];
  for (const [what, sent] of refused) {
    it(`refuses ${what}, and stays as it was`, async (context) => {
      const tenant = await start(context);
      const before = tenant.plaintext();
      const { status, body } = await tenant.call('PATCH', `connections/${tenant.users}`, sent);
      assert.deepEqual([status, body.errorCode], [400, 'invalid_body']);
      assert.deepEqual(tenant.plaintext(), before);
    });
  }

  it('is made with the defaults of the tenant, which cannot all be written back', async (context) => {
    const tenant = await start(context);
    const { status, body } = await tenant.call('POST', 'connections', {
      ...{ name: 'scratch', strategy: 'auth0', options: { passwordPolicy: 'good' } },
    });
    assert.deepEqual([status, body.realms, body.enabled_clients], [201, ['scratch'], []]);
    assert.equal((await tenant.call('PATCH', `connections/${body.id}`, { options: body.options })).status, 400);
    assert.equal((await tenant.call('POST', 'connections', { name: 'scratch', strategy: 'auth0' })).status, 409);
    assert.equal((await tenant.call('DELETE', `connections/${body.id}`)).status, 202);
    assert.equal((await tenant.call('GET', `connections/${body.id}`)).status, 404);
  });

  it('is found in a list, by name, by pages up to 1,000, and by checkpoints', async (context) => {
    const tenant = await start(context);
    for (let index = 0; index < 3; index++) tenant.addConnection({ name: `more-${index}` });
    const names = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name);
    assert.deepEqual(names((await tenant.call('GET', 'connections?name=more-1')).body), ['more-1']);
    const page = (await tenant.call('GET', 'connections?page=1&per_page=3&include_totals=true')).body;
    assert.deepEqual([names(page.connections), page.start, page.total], [['more-2'], 3, 4]);
    assert.equal((await tenant.call('GET', 'connections?page=10&per_page=100')).status, 400);
    const first = (await tenant.call('GET', 'connections?take=3')).body;
    const second = (await tenant.call('GET', `connections?take=3&from=${first.next}`)).body;
    assert.deepEqual([names(second.connections), second.next], [['more-2'], undefined]);
    const [fields] = (await tenant.call('GET', 'connections?fields=id,name&name=users')).body;
    assert.deepEqual(fields, { id: tenant.users, name: 'users' });
  });
});

describe('an Action of the fake tenant', () => {
  const action = (tenant: FakeTenant) => tenant.plaintext().actions.pins ?? assert.fail('it is gone');

  it('never shows a secret; its array is replaced, and stays where it is left out', async (context) => {
    const tenant = await start(context);
    const path = `actions/actions/${tenant.pins}`;
    const { body } = await tenant.call('PATCH', path, { secrets: [{ name: 'PIN', value: 'new' }] });
    assert.deepEqual(Object.keys(body.secrets[0]), ['name', 'updated_at']);
    assert.deepEqual(action(tenant).draft.secrets, { PIN: 'new' });
    await tenant.call('PATCH', path, { code: '// new' });
    assert.deepEqual(action(tenant).draft.secrets, { PIN: 'new' });
    assert.deepEqual(action(tenant).deployed?.secrets, { PIN: 'old', PASSWORD: 'secret' });
  });

  for (const [nameOnlySecrets, left] of [
    ['kept', 'secret'],
    ['emptied', ''],
  ] as const) {
    it(`takes a secret of which only the name is sent: ${nameOnlySecrets}`, async (context) => {
      const tenant = await start(context, { nameOnlySecrets });
      const secrets = [{ name: 'PIN', value: 'new' }, { name: 'PASSWORD' }];
      await tenant.call('PATCH', `actions/actions/${tenant.pins}`, { secrets });
      assert.deepEqual(action(tenant).draft.secrets, { PIN: 'new', PASSWORD: left });
    });
  }

  it('runs what was deployed until the next version is built', async (context) => {
    const pass = stopClock(context);
    const tenant = await start(context, { buildMs: 600 });
    const path = `actions/actions/${tenant.pins}`;
    await tenant.call('PATCH', path, { code: '// new' });
    const early = await tenant.call('POST', `${path}/deploy`);
    assert.deepEqual([early.status, /must be in the 'built' state/.test(early.body.message)], [400, true]);
    const states = [(await tenant.call('GET', path)).body.status];
    while (states.at(-1) !== 'built') {
      pass(200);
      states.push((await tenant.call('GET', path)).body.status);
    }
    assert.deepEqual(states, ['pending', 'building', 'packaged', 'built']);
    const { body: version } = await tenant.call('POST', `${path}/deploy`);
    const { body: waiting } = await tenant.call('GET', path);
    assert.deepEqual([version.number, waiting.deployed_version.number, waiting.all_changes_deployed], [2, 1, false]);
    assert.equal(action(tenant).deployed?.code, code);
    pass(600);
    const { body: done } = await tenant.call('GET', path);
    assert.deepEqual([done.deployed_version.id, done.all_changes_deployed], [version.id, true]);
    const { body: back } = await tenant.call('POST', `${path}/versions/${waiting.deployed_version.id}/deploy`);
    pass(600);
    const { body: restored } = await tenant.call('GET', path);
    assert.deepEqual(
      [restored.deployed_version.id, restored.deployed_version.code, restored.code, restored.all_changes_deployed],
      [back.id, code, '// new', false],
    );
  });

  it('a build that fails: of the draft, which cannot be deployed; of a version, which is not run', async (context) => {
    const tenant = await start(context, {
      failBuilds: ({ code: text, of }) => text === '// no draft' || (of === 'version' && text === '// no version'),
    });
    const path = `actions/actions/${tenant.pins}`;
    assert.equal((await tenant.call('PATCH', path, { code: '// no draft' })).body.status, 'failed');
    assert.equal((await tenant.call('POST', `${path}/deploy`)).status, 400);
    assert.equal((await tenant.call('PATCH', path, { code: '// no version' })).body.status, 'built');
    const { body } = await tenant.call('POST', `${path}/deploy`);
    assert.deepEqual([body.status, body.errors.length], ['failed', 1]);
    assert.deepEqual((await tenant.call('GET', path)).body.deployed_version.number, 1);
    assert.equal(action(tenant).deployed?.code, code);
  });

  it('runs its draft, with the secrets that nobody is shown, where it is tested', async (context) => {
    const tenant = await start(context, { runAction: async (run) => ({ ...run }) });
    const path = `actions/actions/${tenant.pins}`;
    await tenant.call('PATCH', path, { code: '// new', secrets: [{ name: 'PIN', value: 'new' }] });
    const { body } = await tenant.call('POST', `${path}/test`, { payload: { user: 'ada' } });
    assert.deepEqual(body, { payload: { code: '// new', secrets: { PIN: 'new' }, payload: { user: 'ada' } } });
  });

  it('a draft that somebody has changed is told', async (context) => {
    const tenant = await start(context);
    const dirty = tenant.addAction({ name: 'dirty', code, draftCode: '// half' });
    const { body } = await tenant.call('GET', `actions/actions/${dirty}`);
    assert.deepEqual([body.code, body.deployed_version.code, body.all_changes_deployed], ['// half', code, false]);
  });

  const secret = (name: string, value: string) => ({ name, value });
  const refused: readonly (readonly [string, object])[] = [
    ['31 secrets', { secrets: Array.from({ length: 31 }, (_, index) => secret(`S${index}`, 'v')) }],
    ['a value of 4,097 characters', { secrets: [secret('PIN', 'x'.repeat(4097))] }],
    ['a name of 129 characters', { secrets: [secret('x'.repeat(129), 'v')] }],
    ['a name twice', { secrets: [secret('PIN', 'a'), secret('PIN', 'b')] }],
    ['code of more than 100 kB', { code: 'x'.repeat(100_001) }],
    ['a property that it does not know', { deployed: true }],
  ];
  for (const [what, sent] of refused) {
    it(`refuses ${what}, and stays as it was`, async (context) => {
      const tenant = await start(context);
      const before = tenant.plaintext();
      assert.equal((await tenant.call('PATCH', `actions/actions/${tenant.pins}`, sent)).status, 400);
      assert.deepEqual(tenant.plaintext(), before);
    });
  }
});

describe('a test in the way of the fake tenant', () => {
  it('answers before the write, or after it, or not at all', async (context) => {
    const tenant = await start(context);
    const path = `connections/${tenant.users}`;
    const patch = (pin: string): Promise<Answer> =>
      tenant.call('PATCH', path, { options: { configuration: { PIN: pin } } });
    const pin = (): unknown => (plainOptions(tenant).configuration as JsonObject).PIN;

    const endBefore = tenant.onRequest(async () => ({ status: 503 }));
    assert.equal((await patch('before')).status, 503);
    assert.equal(pin(), 'old');
    endBefore();

    const endAfter = tenant.onRequest(async (_, proceed) => {
      await proceed();
      return { status: 502 };
    });
    assert.equal((await patch('after')).status, 502);
    assert.equal(pin(), 'after');
    endAfter();

    for (const word of ['hang', 'hang-up'] as const) {
      const end = tenant.onRequest(async (_, proceed) => {
        await proceed();
        return word;
      });
      const signal = AbortSignal.timeout(1000);
      const sent = tenant.fetch(`https://${tenant.domain}/api/v2/${path}`, {
        ...{ method: 'PATCH', signal, body: JSON.stringify({ options: { configuration: { PIN: word } } }) },
        headers: { authorization: `Bearer ${tenant.issueToken()}`, 'content-type': 'application/json' },
      });
      await assert.rejects(sent, word === 'hang' ? { name: 'TimeoutError' } : /fetch failed/);
      assert.equal(pin(), word);
      end();
    }
    assert.deepEqual(
      tenant.requests.map(({ method, status }) => [method, status]),
      [503, 502, 0, 0].map((status) => ['PATCH', status]),
    );
  });

  it('lets another one write between a read and a write', async (context) => {
    const tenant = await start(context);
    tenant.onRequest(async ({ method, path }, proceed) => {
      const answer = await proceed();
      if (method === 'GET' && path.endsWith(tenant.users) && tenant.requests.length === 1) {
        await tenant.call('PATCH', `connections/${tenant.users}`, { options: { ...options, mfa: { active: true } } });
      }
      return answer;
    });
    const { body } = await tenant.call('GET', `connections/${tenant.users}`);
    assert.equal('mfa' in body.options, false);
    assert.equal('mfa' in plainOptions(tenant), true);
  });

  it('is told of the limit of requests by its headers', async (context) => {
    const pass = stopClock(context);
    const tenant = await start(context, { rateLimit: { requests: 2, windowMs: 1500 } });
    const ask = () => tenant.call('GET', 'connections');
    const left = [await ask(), await ask(), await ask()].map(({ status, headers }) => [
      status,
      headers.get('x-ratelimit-limit'),
      headers.get('x-ratelimit-remaining'),
    ]);
    assert.deepEqual(left, [
      [200, '2', '1'],
      [200, '2', '0'],
      [429, '2', '0'],
    ]);
    const { headers, body } = await ask();
    const reset = Number(headers.get('x-ratelimit-reset')) * 1000;
    assert.ok(reset > Date.now() - 1500 && reset < Date.now() + 3000, 'it says when, in seconds of the epoch');
    assert.equal(body.errorCode, 'too_many_requests');
    pass(1500);
    assert.equal((await ask()).status, 200);
  });
});

describe('a login over the fake tenant', () => {
  /** Containers that say which configuration they were started with. */
  function containers(): { run: RunContainer; open: () => number } {
    let open = 0;
    const run: RunContainer = (script, configuration) => {
      assert.equal(script, login);
      open++;
      return {
        login: async (email, password) =>
          password === 'right'
            ? { profile: { user_id: '1', email, pin: configuration.PIN } }
            : { error: 'invalid_grant', error_description: 'Wrong email or password.' },
        close: async () => void open--,
      };
    };
    return { run, open: () => open };
  }

  it('reaches the script of the connection, and says what it says', async (context) => {
    const heard: LoginRecord[] = [];
    const tenant = await start(context, {
      runContainer: containers().run,
      onLogin: (record) => void heard.push(record),
    });
    const { status, body } = await tenant.logIn('ada@example.com');
    assert.deepEqual([status, body.token_type], [200, 'Bearer']);
    const refused = await tenant.logIn('ada@example.com', 'wrong');
    assert.deepEqual([refused.status, refused.body.error], [403, 'invalid_grant']);
    assert.deepEqual(
      heard.map(({ connection, generation, result }) => [connection, generation, 'profile' in result]),
      [
        ['users', 1, true],
        ['users', 1, false],
      ],
    );
    assert.equal(
      tenant.requests.some(({ body: sent }) => JSON.stringify(sent)?.includes('right')),
      false,
    );
  });

  it('goes round over warm containers, which keep the old configuration for a while, some for longer', async (context) => {
    const heard: LoginRecord[] = [];
    const { run, open } = containers();
    const pass = stopClock(context);
    const tenant = await start(context, {
      ...{ runContainer: run, onLogin: (record) => void heard.push(record) },
      containers: { count: 4, livesMs: 1500, outliers: 1, outliersMs: 3500 },
    });
    const round = async (): Promise<unknown[]> => {
      heard.length = 0;
      for (let index = 0; index < 4; index++) await tenant.logIn('ada@example.com');
      return heard.map(({ generation, latest, outlier, result }) => {
        const pin = 'profile' in result ? result.profile.pin : undefined;
        return `${generation} of ${latest} ${pin}${outlier ? ' outlier' : ''}`;
      });
    };
    const old = ['1 of 1 old', '1 of 1 old', '1 of 1 old', '1 of 1 old outlier'];
    assert.deepEqual(await round(), old);
    await tenant.call('PATCH', `connections/${tenant.users}`, {
      options: { ...options, configuration: { PIN: 'new' } },
    });
    assert.equal((await round())[2], '1 of 2 old');
    pass(1500);
    const fresh = ['2 of 2 new', '2 of 2 new', '2 of 2 new'];
    assert.deepEqual(await round(), [...fresh, '1 of 2 old outlier']);
    pass(2000);
    assert.deepEqual(await round(), [...fresh, '2 of 2 new outlier']);
    assert.equal(open(), 4);
  });

  it('ends a container after so many logins; the one in its place begins with what stands in the tenant then', async (context) => {
    const heard: LoginRecord[] = [];
    const { run, open } = containers();
    const tenant = await start(context, {
      ...{ runContainer: run, onLogin: (record) => void heard.push(record) },
      containers: { count: 2, livesMs: 60_000, outliers: 1, outliersMs: 60_000, loginsEach: 2 },
    });
    for (let login = 0; login < 2; login++) await tenant.logIn('ada@example.com');
    await tenant.call('PATCH', `connections/${tenant.users}`, {
      options: { ...options, configuration: { PIN: 'new' } },
    });
    for (let login = 0; login < 4; login++) await tenant.logIn('ada@example.com');
    assert.deepEqual(
      heard.map(({ generation, outlier }) => [generation, outlier]),
      [
        [1, false],
        [1, true],
        [1, false],
        [1, true],
        [2, false],
        [1, true],
      ],
    );
    assert.equal(open(), 2);
  });

  it('is not over the script for a user who was imported', async (context) => {
    let asked = 0;
    const tenant = await start(context, { runContainer: containers().run, onLogin: () => void asked++ });
    await tenant.call('PATCH', `connections/${tenant.users}`, { options: { ...options, import_mode: true } });
    assert.equal((await tenant.logIn('ada@example.com')).status, 200);
    assert.equal((await tenant.logIn('ada@example.com')).status, 200);
    assert.equal((await tenant.logIn('ada@example.com', 'wrong')).status, 403);
    assert.equal(asked, 1);
  });

  it('says where the grant, the connection or a second factor is in the way', async (context) => {
    const runContainer = containers().run;
    const error = async (tenant: Stage, email = 'ada@example.com'): Promise<unknown> =>
      (await tenant.logIn(email)).body.error;
    assert.equal(await error(await start(context, { runContainer, mfa: true })), 'mfa_required');
    assert.equal(
      await error(await start(context, { runContainer, grants: ['client_credentials'] })),
      'unauthorized_client',
    );
    const tenant = await start(context, { runContainer });
    const clients = `connections/${tenant.users}/clients`;
    const client_id = tenant.credentials.AUTH0_CLIENT_ID;
    assert.deepEqual((await tenant.call('GET', clients)).body, { clients: [{ client_id }] });
    assert.equal((await tenant.call('PATCH', clients, [{ client_id, status: false }])).status, 204);
    assert.equal(await error(tenant), 'invalid_request');
  });
});

function assertionOf(claims: object, key: KeyLike): string {
  const text = [{ alg: 'RS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}
