import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createContainer, type RunOptions, type RunResult, runScript } from '../../src/index.ts';

const args = { email: 'ada@example.com', password: 'secret' };
const container = createContainer({ configuration: { DB_HOST: 'db.example.com' }, timeLimitMs: 10_000 });
after(container.close);

/** Runs a function as a login. */
const login = (source: string, options: RunOptions = {}): Promise<RunResult> =>
  container.run({ source, fileName: 'login.js' }, { args, ...options });

const codes = (remarks: RunResult['findings']): string[] => remarks.map(({ code }) => code);

describe('a custom database script', () => {
  const scripts: readonly (readonly [source: string, as: string, given: RunOptions, expected: readonly unknown[]])[] = [
    ['function login(a, b, callback) {}', 'login', { args }, ['ada@example.com', 'secret']],
    ['function getByEmail(email, callback) {}', 'get_user', { args }, ['ada@example.com']],
    ['function verify(email, callback) {}', 'verify', { args }, ['ada@example.com']],
    [
      'function changePassword(email, newPassword, callback) {}',
      'change_password',
      { args },
      ['ada@example.com', 'secret'],
    ],
    ['function remove(id, callback) {}', 'delete', { args: { id: '7' } }, ['7']],
    [
      'function changeEmail(email, newEmail, verified, callback) {}',
      'change_email',
      { args: { ...args, newEmail: 'new@example.com' } },
      ['ada@example.com', 'new@example.com', true],
    ],
    [
      'function (username, newUsername, callback) {}',
      'change_username',
      { args: { username: 'ada', newUsername: 'a' } },
      ['ada', 'a'],
    ],
  ];
  for (const [source, as, given, expected] of scripts) {
    it(`${as}: its arguments, without and with a context`, async () => {
      const answering = (text: string): string =>
        text.replace('{}', '{ callback(null, { user_id: "1", email: "e", all: [...arguments].slice(0, -1) }); }');
      const plain = await container.run({ source: answering(source) }, { as, ...given });
      assert.deepEqual((answerOf(plain) as { all: unknown }).all, expected);
      const withContext = answering(source.replace(', callback', ', context, callback'));
      const context = { organization: { id: 'org_1' } };
      const organized = await container.run({ source: withContext }, { as, ...given, context });
      assert.deepEqual((answerOf(organized) as { all: unknown }).all, [...expected, context]);
      assert.deepEqual([...plain.findings, ...organized.findings], []);
    });
  }

  it('create: the user of a sign-up form', async () => {
    const { outcome } = await container.run(
      { source: 'function create(user, callback) { console.log(JSON.stringify(user)); callback(null); }' },
      { args, user: { user_metadata: { lang: 'en' } } },
    );
    assert.deepEqual(outcome, { type: 'callback', error: null, values: [] });
  });

  it('what is missing among the arguments is an error before anything runs', async () => {
    await assert.rejects(login('function login(a, b, callback) {}', { args: { email: 'e' } }), {
      code: 'ERR_ARGUMENT_MISSING',
      argument: 'password',
    });
  });

  it('a wrong number of parameters, statements around the function, and a semicolon after it are told', async () => {
    const signature = await login('function login(email, callback) { callback(null, { user_id: "1", email }); }');
    assert.deepEqual([codes(signature.findings), signature.status], [['signature', 'uncaught'], 'error']);
    const statements = await login(
      'const id = "1";\nfunction login(email, password, callback) { callback(null, { user_id: id, email }); }',
    );
    assert.deepEqual([codes(statements.findings), statements.status], [['not-one-function'], 'success']);
    const semicolon = await login(
      'async (email, password, callback) => { callback(null, { user_id: "1", email }); };\n// end',
    );
    assert.deepEqual(
      [codes(semicolon.findings), codes(semicolon.warnings), semicolon.status],
      [[], ['trailing-semicolon'], 'success'],
    );
  });

  it('a script of more than 100 kB is told', async () => {
    const padding = `/* ${'x'.repeat(100_000)} */`;
    const { findings } = await login(
      `function login(email, password, callback) { ${padding} callback(null, { user_id: '1', email }); }`,
    );
    assert.deepEqual(codes(findings), ['too-large']);
  });

  it('a profile without user_id, and a login without a profile, are errors', async () => {
    const empty = await login('function login(email, password, callback) { callback(null); }');
    const nameless = await login('function login(email, password, callback) { callback(null, { email }); }');
    assert.deepEqual(
      [empty.status, codes(empty.findings), nameless.status, codes(nameless.findings)],
      ['error', ['profile'], 'error', ['profile']],
    );
  });

  it('configuration: there, and writing or missing something is told', async () => {
    const { outcome, warnings } = await login(
      'function login(email, password, callback) { configuration.X = 1; callback(null, { user_id: configuration.DB_HOST + configuration.NO, email }); }',
    );
    assert.equal((answerOf({ outcome }) as { user_id: string }).user_id, 'db.example.comundefined');
    assert.deepEqual(codes(warnings), ['configuration-written', 'configuration-unset']);
  });
});

describe('the errors of a database script', () => {
  const fail = (expression: string): Promise<RunResult> =>
    login(`function login(email, password, callback) { callback(${expression}); }`);

  it('a wrong password names the user in the log, an unknown user names nobody', async () => {
    const wrong = await fail("new WrongUsernameOrPasswordError('7', 'wrong email or password')");
    const { stack, ...error } = errorOf(wrong) as Record<string, unknown>;
    assert.deepEqual(error, {
      name: 'WrongUsernameOrPasswordError',
      message: 'wrong email or password',
      code: 'wrongusernameorpassword',
      user_id: '7',
    });
    assert.match(String(stack), /at login .*login\.js:1:\d+\)$/, 'no frame of the runner');
    assert.equal(wrong.status, 'refused');
    assert.deepEqual(wrong.log, { type: 'fp', user_id: 'auth0|7' });
    assert.deepEqual((await fail("new WrongUsernameOrPasswordError(null, 'no')")).log, { type: 'fu', user_id: null });
  });

  it('an ordinary error reaches the OAuth client, and loses what the platform does not keep', async () => {
    const result = await fail(
      "Object.assign(new Error('self signed certificate'), { code: 'X', statusCode: 500, cause: new Error('y') })",
    );
    assert.equal(result.status, 'error');
    assert.deepEqual(result.client, {
      error: 'invalid_grant',
      error_description: 'self signed certificate',
      basis: 'documented',
    });
    assert.deepEqual(Object.keys(errorOf(result) as object), ['name', 'message', 'code', 'stack']);
    assert.match(
      result.warnings.map(({ message }) => message).join(),
      /drops these properties of the error: statusCode, cause/,
    );
  });

  it('a string becomes a message; ValidationError and UnauthorizedError have their codes', async () => {
    assert.deepEqual(errorOf(await fail("'broken'")), { message: 'broken' });
    const fields = async (expression: string) => {
      const { code, description } = errorOf(await fail(expression)) as { code: string; description: string };
      return [code, description];
    };
    assert.deepEqual(await fields("new ValidationError('user_exists', 'there is one')"), [
      'user_exists',
      'there is one',
    ]);
    assert.deepEqual(await fields("new UnauthorizedError('later')"), ['unauthorized', 'later']);
  });
});

describe('the callback', () => {
  it('that is never called is told when nothing is left to do', async () => {
    const { outcome, findings, container: state } = await login('function login(email, password, callback) {}');
    assert.deepEqual([outcome, codes(findings)], [{ type: 'none', reason: 'drained' }, ['no-answer']]);
    assert.equal(state.ended, null);
  });

  it('that is called twice, or after the end of its run, is told', async () => {
    const twice = await login(
      "function login(email, password, callback) { callback('no'); callback(null, { user_id: '1', email }); }",
    );
    assert.deepEqual([twice.status, codes(twice.findings)], ['error', ['callback-twice']]);
    const late = await login("function login(email, password, callback) { callback('no'); global.later = callback; }");
    assert.deepEqual(codes(late.findings), []);
    const next = await login("function login(email, password, callback) { global.later(); callback('no'); }");
    assert.deepEqual(codes(next.findings), ['callback-late']);
  });

  it('at the time limit ends the container, and says whether the event loop was blocked', async () => {
    const run = (body: string) =>
      runScript({ source: `function login(email, password, callback) { ${body} }` }, { args, timeLimitMs: 1000 });
    const [waiting, blocking] = await Promise.all([
      run('console.log(1); setInterval(() => {}, 9)'),
      run('for (;;) console.log(1);'),
    ]);
    assert.deepEqual(
      [waiting.outcome, codes(waiting.findings)],
      [{ type: 'none', reason: 'time-limit' }, ['time-limit']],
    );
    assert.deepEqual([blocking.outcome, codes(blocking.findings)], [{ type: 'none', reason: 'blocked' }, ['blocked']]);
    assert.equal(waiting.container.ended, 'the time limit of 1 s');
    assert.deepEqual(waiting.console, [{ level: 'log', text: '1' }]);
    // As many lines as the pipe held when the container ended.
    assert.ok(blocking.console.length > 0 && blocking.console.length <= 500, `${blocking.console.length} lines`);
  });

  it('arrives, however much is printed before it', async () => {
    const body = "for (let line = 0; line < 5000; line++) console.log(line); callback(null, { user_id: '1', email });";
    const { status, findings, consoleDropped } = await login(`function login(email, password, callback) { ${body} }`);
    assert.deepEqual([status, findings, consoleDropped > 0], ['success', [], true]);
  });

  it('that is called a hundred times is one finding', async () => {
    const body = "for (let time = 0; time < 100; time++) callback('no');";
    assert.deepEqual(codes((await login(`function login(email, password, callback) { ${body} }`)).findings), [
      'callback-twice',
    ]);
  });

  it('is the only way to answer: the channel of the process is none', async () => {
    const body = "process.send?.({ type: 'callback', error: null, values: [{ user_id: '1' }] }); callback('no');";
    assert.equal((await login(`function login(email, password, callback) { ${body} }`)).status, 'error');
  });

  it('the last 500 lines of the console are kept, and the others counted', async () => {
    const body =
      'for (let line = 1; line <= 600; line++) { console.log(line); await new Promise(setImmediate); } callback(null);';
    const { console: lines, consoleDropped } = await login(
      `async function login(email, password, callback) { ${body} }`,
    );
    assert.deepEqual([lines.length, lines.at(-1)?.text, consoleDropped], [500, '600', 100]);
  });
});

describe('a container', () => {
  const count = `function login(email, password, callback) { global.n = (global.n || 0) + 1; callback(null, { user_id: String(global.n), email }); }`;
  const next = async (): Promise<unknown> => (answerOf(await login(count)) as { user_id: string }).user_id;

  it('keeps global, until it is reset', async () => {
    await container.reset();
    assert.deepEqual([await next(), await next()], ['1', '2']);
    await container.reset();
    assert.equal(await next(), '1');
  });

  for (const [name, body, code] of [
    ['an exception that is thrown', "throw new Error('boom');", 'uncaught'],
    ['an exception later', "setTimeout(() => { throw new Error('boom'); }); setTimeout(callback, 5000);", 'uncaught'],
    ['a rejected promise', "Promise.reject(new Error('boom')); setTimeout(callback, 5000);", 'uncaught'],
    ['an exception after the callback', "callback('no'); throw new Error('boom');", 'uncaught-late'],
    ['process.exit', 'process.exit();', 'exited'],
  ] as const) {
    it(`ends with ${name}`, async () => {
      await login(count);
      const result = await login(`function login(email, password, callback) { ${body} }`);
      assert.deepEqual(codes(result.findings), [code]);
      assert.notEqual(result.container.ended, null);
      assert.equal(await next(), '1', 'global is empty again');
    });
  }

  it('has nothing of the environment of the parent', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    process.env.RUNNER_TEST_SECRET = 'secret';
    try {
      const { outcome } = await runScript(
        {
          source:
            "function login(email, password, callback) { callback(null, { user_id: '1', email, names: Object.keys(process.env) }); }",
        },
        { args },
      );
      const { names } = answerOf({ outcome }) as { names: string[] };
      assert.deepEqual(
        names.filter((name) => /^NODE_|SECRET/.test(name)),
        [],
      );
      assert.ok(names.includes('PATH'));
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      delete process.env.RUNNER_TEST_SECRET;
    }
  });

  it('that is closed runs nothing', async () => {
    const closed = createContainer();
    await closed.close();
    await assert.rejects(closed.run({ source: count }, { args }), { code: 'ERR_CONTAINER_CLOSED' });
  });
});

describe('require', () => {
  const requiring = (request: string): Promise<RunResult> =>
    login(
      `function login(email, password, callback) { callback(null, { user_id: typeof require('${request}'), email }); }`,
    );

  it('a versioned name is the installed module, and another version is told', async () => {
    const result = await requiring('pg@8.7.1');
    assert.equal(result.status, 'success');
    assert.deepEqual(
      result.modules.map(({ request, name, wanted }) => [request, name, wanted]),
      [['pg@8.7.1', 'pg', '8.7.1']],
    );
    assert.match(result.warnings[0]?.message ?? '', /asks for pg@8\.7\.1; it ran with pg \d+\.\d+\.\d+/);
    assert.deepEqual(codes((await requiring('mysql2@1.5.3/promise')).warnings), ['module-version', 'module-removed']);
    assert.deepEqual(codes((await requiring('axios@0.22.0')).warnings), ['module-version', 'module-removed']);
    assert.deepEqual((await requiring('node:crypto')).warnings, []);
  });

  it('what is not installed says how it would be; a file beside the script is none', async () => {
    const missing = await requiring('no-such-module@1.0.0');
    assert.equal(missing.outcome.type, 'exception');
    assert.match(missing.warnings.map(({ message }) => message).join(), /npm install no-such-module@1\.0\.0/);
    assert.match((await requiring('./helper')).findings[0]?.message ?? '', /no files beside it/);
  });

  it('a version that the platform removed is named as removed, and nobody is told to install it', async () => {
    for (const request of ['aws-sdk@2.593.0', 'auth0@2.23.0', '@sentry/node@5.6.2', 'rethinkdb@2.0.0-1/lib']) {
      const { warnings, outcome } = await requiring(request);
      assert.equal(outcome.type, 'exception');
      assert.deepEqual(codes(warnings), ['module-removed'], request);
      assert.match(warnings[0]?.message ?? '', /has removed .* from node18 and node22: require a version that https:/);
    }
    assert.deepEqual(codes((await requiring('oracledb')).warnings), ['module-removed']);
    // A version that is not on the platform's list: nothing is claimed about it.
    assert.deepEqual(codes((await requiring('twilio@9.9.9')).warnings), ['module-missing', 'advice']);
  });

  it('certpin from npm is what these scripts cannot have there, though it is installed here', async () => {
    const { warnings, outcome } = await requiring('certpin/pg');
    assert.equal(outcome.type, 'callback');
    assert.deepEqual(codes(warnings), ['module-not-offered']);
    assert.match(warnings[0]?.message ?? '', /certpin auth0 block/);
  });

  it('TypeScript and JSON are named, in place of what the parser says', async () => {
    await assert.rejects(login('function login(email: string, password: string, callback) { callback(null); }'), {
      code: 'ERR_SCRIPT_SYNTAX',
      message:
        /script\.js is TypeScript, but Auth0 accepts only JavaScript$|login\.js is TypeScript, but Auth0 accepts only JavaScript$/,
    });
    await assert.rejects(login('{"options":{"customScripts":{"login":"./login.js"}}}'), {
      code: 'ERR_SCRIPT_SYNTAX',
      message: /is JSON, not a script$/,
    });
  });

  it('a global of the old platform is named', async () => {
    const { warnings } = await login('function login(email, password, callback) { mysql.createConnection({}); }');
    assert.match(warnings[0]?.message ?? '', /mysql is not a global since Node 16/);
  });
});

function answerOf({ outcome }: Pick<RunResult, 'outcome'>): unknown {
  assert.equal(outcome.type, 'callback', JSON.stringify(outcome));
  assert.equal(outcome.error, null);
  return outcome.values[0];
}

function errorOf({ outcome }: RunResult): unknown {
  assert.equal(outcome.type, 'callback', JSON.stringify(outcome));
  return outcome.error;
}

it('comments behind a semicolon are read in no time', () =>
  assert.rejects(login(`function login(email, password, callback) {}\n;${'/**/'.repeat(1000)} x y`), {
    code: 'ERR_SCRIPT_SYNTAX',
  }));

it('CAs that cannot be read are an error: Node would go on without them', () => {
  for (const trustedCaFile of ['no-such-file.pem', process.execPath])
    assert.throws(() => createContainer({ trustedCaFile }), { name: 'RunError', code: 'ERR_OPTION_INVALID' });
});
