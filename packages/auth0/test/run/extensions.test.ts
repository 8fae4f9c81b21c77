import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createContainer, type RunOptions, type RunResult, roleNames } from '../../src/index.ts';
import { triggers } from '../../src/run/triggers.ts';

const container = createContainer({ timeLimitMs: 10_000, configuration: { KEY: 'value' } });
after(container.close);
const folder = mkdtempSync(join(tmpdir(), 'certpin-runner-'));
after(() => rmSync(folder, { recursive: true }));

const codes = (remarks: RunResult['findings']): string[] => remarks.map(({ code }) => code);

describe('an Action', () => {
  const action = (body: string, options: RunOptions = {}, handler = 'onExecutePostLogin'): Promise<RunResult> =>
    container.run({ source: `exports.${handler} = async (event, api) => { ${body} };` }, options);

  for (const [trigger, { handlers, methods }] of Object.entries(triggers)) {
    it(`of ${trigger}: found out by its handlers, with its api`, async () => {
      for (const handler of handlers) {
        const api = methods.filter((method) => !/^(?:cache|redirect|rules|groups|roles)\./.test(method));
        const result = await action(
          `${api.map((method) => `api.${method}('x', 'y')`).join(';')}; console.log(event.secrets.KEY)`,
          { secrets: { KEY: 's' } },
          handler,
        );
        assert.deepEqual([result.kind, result.name, result.outcome], ['action', trigger, { type: 'returned' }]);
        assert.deepEqual(
          result.calls.map(({ method }) => method),
          api,
        );
        assert.deepEqual(result.console, [{ level: 'log', text: 's' }]);
      }
    });
  }

  it('that denies is a refusal, and says what the OAuth client sees', async () => {
    const denied = await action("api.access.deny('not on Sundays'); api.idToken.setCustomClaim('a', { b: 1 });");
    assert.equal(denied.status, 'refused');
    assert.deepEqual(denied.calls[1], { method: 'idToken.setCustomClaim', arguments: ['a', { b: 1 }] });
    assert.deepEqual(denied.client, { error: 'access_denied', error_description: 'not on Sundays', basis: 'emulated' });
    const exchange = await action("api.access.deny('invalid_scope', 'no');", {}, 'onExecuteCredentialsExchange');
    assert.deepEqual(exchange.client, { error: 'invalid_scope', error_description: 'no', basis: 'emulated' });
  });

  it('gets an event laid over a default', async () => {
    const event = { user: { email: 'eve@example.com' }, request: { ip: '192.0.2.9' } };
    const { console: lines } = await action(
      'console.log(event.user.email, event.user.user_id.split("|")[0], event.request.ip, event.client.client_id)',
      { event },
    );
    assert.equal(lines[0]?.text, 'eve@example.com auth0 192.0.2.9 client-id');
  });

  it('that throws fails, and the container goes on; module scope runs once', async () => {
    const source = {
      source: 'let n = 0; exports.onExecutePostLogin = async () => { n++; throw new Error(String(n)); };',
    };
    const first = await container.run(source);
    const second = await container.run(source);
    assert.deepEqual([first.status, first.container.ended], ['error', null]);
    assert.equal(second.outcome.type === 'exception' && second.outcome.error.message, '2');
    const broken = { source: "throw new Error('scope'); exports.onExecutePostLogin = async () => {};" };
    for (const result of [await container.run(broken), await container.run(broken)])
      assert.equal(result.outcome.type === 'exception' && result.outcome.error.message, 'scope');
    assert.equal((await action('await new Promise(() => {})')).findings[0]?.code, 'no-answer');
  });

  it('has a cache with its limits, which outlives the run', async () => {
    const { console: lines } = await action(`
      const code = (result) => result.code ?? result.type;
      console.log(code(api.cache.set('k', 'v')), code(api.cache.set('k'.repeat(65), 'v')), code(api.cache.set('k', 'v'.repeat(4097))));
      console.log(code(api.cache.set('k2', 'v', { ttl: 25 * 3600 * 1000 })), code(api.cache.set('k2', 'v', { expires_at: 1 })));
      console.log(code(api.cache.set('a', 'v'.repeat(4000))), code(api.cache.set('b', 'v'.repeat(4096))), code(api.cache.set('c', 'v'.repeat(4000))));
      for (let i = 0; i < 20; i++) console.log(code(api.cache.set('n' + i, '')));`);
    const text = lines.map((line) => line.text);
    assert.deepEqual(text.slice(0, 3), [
      'success CacheKeySizeExceeded CacheValueSizeExceeded',
      'InvalidExpiry ItemAlreadyExpired',
      'success success CacheSizeExceeded',
    ]);
    assert.deepEqual([text.filter((line) => line === 'success').length, text.at(-1)], [17, 'CacheSizeExceeded']);
    assert.equal(
      (await action("console.log(api.cache.get('k').value, api.cache.get('none'))")).console[0]?.text,
      'v undefined',
    );
  });

  it('has the signed token of a redirect, and takes only its own', async () => {
    const { console: lines, status } = await action(`
      const secret = 's';
      event.request.query.session_token = api.redirect.encodeToken({ secret, payload: { a: 1 } });
      console.log(api.redirect.validateToken({ secret }).a);
      api.redirect.validateToken({ secret: 'other' });`);
    assert.equal(lines[0]?.text, '1');
    assert.equal(status, 'error');
  });

  it('what methods answer can be said', async () => {
    const returns = { 'groups.hasGroupMembership': { hasGroupMembership: true } };
    const { console: lines } = await action(
      "console.log((await api.groups.hasGroupMembership(['a'])).hasGroupMembership)",
      { returns },
    );
    assert.equal(lines[0]?.text, 'true');
  });
});

describe('Rules', () => {
  const rule = (body: string) => ({ source: `function (user, context, callback) { ${body} }` });

  it('are a chain: each hands on its user and its context', async () => {
    const result = await container.run(
      [
        rule("user.n = 1; context.idToken['https://example.com/n'] = auth0.domain; callback(null, user, context);"),
        rule('user.n++; callback(null, user, context);'),
      ],
      { user: { email: 'ada@example.com' } },
    );
    assert.equal(result.status, 'success');
    const [user, context] = (result.outcome.type === 'callback' ? result.outcome.values : []) as [
      { n: number },
      { idToken: object },
    ];
    assert.deepEqual([user.n, context.idToken], [2, { 'https://example.com/n': 'example.auth0.com' }]);
    assert.equal(result.rules?.length, 2);
  });

  it('end with the first error', async () => {
    const { rules, status, client } = await container.run([
      rule("callback(new UnauthorizedError('no'));"),
      rule('callback(null, user, context);'),
    ]);
    assert.deepEqual([rules?.length, status, client?.error], [1, 'refused', 'unauthorized']);
  });

  it('with a semicolon after the function, or without the context in the callback, are told', async () => {
    const semicolon = { source: 'function (user, context, callback) { callback(null, user); };' };
    assert.deepEqual(codes((await container.run(semicolon, { as: 'rule' })).findings), [
      'trailing-semicolon',
      'rule-values',
    ]);
  });
});

describe('a Hook', () => {
  for (const [point, parameters, body] of [
    ['credentials-exchange', 'client, scope, audience, context, cb', 'cb(null, { ok: client.id })'],
    [
      'pre-user-registration',
      'user, context, cb',
      'cb(null, { user: { user_metadata: { s: context.webtask.secrets.S } } })',
    ],
    ['post-user-registration', 'user, context, cb', 'cb()'],
    ['post-change-password', 'user, context, cb', 'cb()'],
    ['send-phone-message', 'recipient, text, context, cb', 'cb()'],
    ['password-exchange', 'user, client, scope, audience, context, cb', 'cb(null, {})'],
  ] as const) {
    it(`of ${point}`, async () => {
      const source = `module.exports = function (${parameters}) { ${body}; };`;
      const result = await container.run({ source }, { as: `hook:${point}`, secrets: { S: 's' } });
      assert.deepEqual([result.kind, result.name, result.status, result.findings], ['hook', point, 'success', []]);
    });
  }

  it('keeps the own properties of its error', async () => {
    const source =
      "module.exports = (user, context, cb) => cb(new PreUserRegistrationError('closed', 'come back tomorrow'));";
    const { outcome, status } = await container.run({ source }, { as: 'hook:pre-user-registration' });
    assert.equal(status, 'refused');
    assert.equal(outcome.type === 'callback' && outcome.error?.friendlyMessage, 'come back tomorrow');
  });
});

describe('what a script is', () => {
  const write = (path: string, text: string): string => {
    const file = join(folder, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const anonymous = 'function (user, context, callback) { callback(null, user, context); }';

  it("is read from the Deploy CLI's names, the function's name and its parameters", async () => {
    const args = { email: 'e', password: 'p', id: '1', newEmail: 'f' };
    for (const [path, text, expected] of [
      ['database-connections/users/get_user.js', 'function (x, callback) { callback(null); }', 'database get_user'],
      ['rules/roles.js', anonymous, 'rule rule'],
      ['a.js', 'function addRoles(user, context, callback) { callback(null, user, context); }', 'rule rule'],
      ['b.js', 'function (id, callback) { callback(null); }', 'database delete'],
      ['c.js', 'function (email, newPassword, callback) { callback(null, true); }', 'database change_password'],
      ['d.js', 'const login = async (email, password, callback) => callback("no");', 'database login'],
      ['e.js', 'module.exports = function (recipient, text, context, cb) { cb(); };', 'hook send-phone-message'],
    ] as const) {
      const { kind, name } = await container.run(write(path, text), { args });
      assert.equal(`${kind} ${name}`, expected, path);
    }
    write('hooks/h.json', JSON.stringify({ triggerId: 'post-change-password' }));
    const hook = await container.run(write('hooks/h.js', 'module.exports = function (user, context, cb) { cb(); };'));
    assert.equal(hook.name, 'post-change-password');
  });

  it('is asked for where it may be two things, or none', async () => {
    const reject = (text: string, message: RegExp, as?: string): Promise<void> =>
      assert.rejects(container.run(write('x.js', text), as === undefined ? {} : { as }), {
        code: 'ERR_SCRIPT_ROLE',
        message,
      });
    await reject(anonymous, /x\.js may be rule, get_user, create or verify/);
    await reject(
      'module.exports = function (user, context, cb) {};',
      /hook:pre-user-registration, hook:post-user-registration or/,
    );
    await reject(
      'exports.onExecutePasswordReset = async (event, api) => {};',
      /x\.js exports onExecutePasswordReset, but no trigger has a function of this name/,
    );
    await reject('const x = 1;', /does not look like a script of Auth0/);
    await reject(
      anonymous,
      /post-user-registration is not a kind of script, or the name fits two kinds/,
      'post-user-registration',
    );
    await reject(
      'exports.onExecutePostLogin = async () => {};',
      /credentials-exchange exports onExecute/,
      'action:credentials-exchange',
    );
    assert.ok(roleNames.includes('hook:post-user-registration') && roleNames.includes('action:post-user-registration'));
  });

  it('that is TypeScript, JSON or an ES module is called so', async () => {
    for (const [name, text, what] of [
      [
        'login.ts',
        'function login(email: string, password: string, callback: any) { callback(null); }',
        /login\.ts is TypeScript/,
      ],
      ['login.js', 'async function login(email: string): Promise<void> {}', /login\.js is TypeScript/],
      [
        'database.json',
        '{ "name": "users", "strategy": "auth0", "options": {} }',
        /database\.json is JSON, not a script/,
      ],
      [
        'action.js',
        "import pg from 'pg'; export const onExecutePostLogin = async () => {};",
        /action\.js is an ES module/,
      ],
    ] as const)
      await assert.rejects(container.run(write(name, text)), (error: { message: string; hint?: string }) => {
        assert.match(error.message, what);
        assert.notEqual(error.hint, undefined);
        return true;
      });
  });

  it('that cannot be read is an error with the place', async () => {
    await assert.rejects(container.run(write('login.js', 'function login( {')), {
      code: 'ERR_SCRIPT_SYNTAX',
      message: /login\.js: .*\(1:/,
    });
    await assert.rejects(container.run(write('login.js', 'function login(a, b, c) { f(@@PEM@@) }')), {
      message: /marker @@PEM@@/,
    });
    await assert.rejects(container.run(join(folder, 'nothing.js')), {
      code: 'ERR_SCRIPT_UNREADABLE',
      message: 'nothing.js: no such file',
    });
  });
});
