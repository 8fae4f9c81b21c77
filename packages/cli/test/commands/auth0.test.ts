import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, longOnly, mint, startHttpsServer } from '@certpin/testkit';
import { certpin, PASSWORD, type TranscriptOptions } from '../transcript.ts';

const folder = mkdtempSync(join(tmpdir(), 'certpin-cli-auth0-'));
after(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

/** A named pipe out of which the password can be read once; whoever reads again gets nothing, as of `<(…)`. */
function passwordPipe(t: TestContext): string {
  const pipe = join(mkdtempSync(join(folder, 'pipe-')), 'password');
  execFileSync('mkfifo', [pipe]);
  const writer = spawn('sh', ['-c', 'printf "%s\\n" "$0" > "$1"; while :; do : > "$1"; done', PASSWORD, pipe]);
  t.after(() => writer.kill('SIGKILL'));
  return pipe;
}

/** stdout, stderr and the exit code, with what differs from run to run left out. */
async function transcript(argv: readonly string[], options: TranscriptOptions = {}): Promise<string> {
  const { stdout, stderr, code } = await certpin(['auth0', ...argv], options);
  const steady = stdout.replace(/Node\.js v[\d.]+, \d+ ms/g, 'Node.js, ms').replaceAll(folder, 'FOLDER');
  return `${steady}${stderr.replace(/^(?=.)/gm, '2> ').replaceAll(folder, 'FOLDER')}exit ${code}`;
}

const login = write(
  'login.js',
  `function login(email, password, callback) {
  console.log('pins: %s', configuration.PINS);
  if (password === '${PASSWORD}') return callback(null, { user_id: 'x|1', email });
  callback(new WrongUsernameOrPasswordError('x|1', 'wrong email or password'));
}`,
);

describe('certpin auth0 run', () => {
  it('a login that succeeds, with the password of the environment', async () => {
    const env = { PW: PASSWORD, PINS: 'AB' };
    assert.equal(
      await transcript(['run', login, '--user', 'ada@example.com', '--password-env', 'PW', '--config', 'PINS'], {
        env,
      }),
      `login.js (login), Node.js, ms
success: callback(null, {"user_id":"x|1","email":"ada@example.com"})
  console.log: pins: AB
exit 0`,
    );
  });

  it('a login that is refused: what the client sees, what the tenant logs', async () => {
    assert.equal(
      await transcript(['run', login, '--user', 'ada@example.com', '--arg', 'password=no', '--config', 'PINS=AB']),
      `login.js (login), Node.js, ms
refused: WrongUsernameOrPasswordError [wrongusernameorpassword]: wrong email or password
  OAuth client: invalid_grant: wrong email or password (emulated)
  tenant log: fp, auth0|x|1
  console.log: pins: AB
exit 1`,
    );
  });

  it('asks for the password once, and says what to give where there is nobody to ask', async () => {
    const asked = await transcript(['run', login, '-u', 'ada@example.com', '--config', 'PINS=AB', '--times', '2'], {
      typed: PASSWORD,
    });
    assert.equal(asked.match(/2> password for ada@example\.com/g)?.length, 1, asked);
    assert.match(asked, /exit 0$/);
    assert.equal(
      await transcript(['run', login, '-u', 'ada@example.com']),
      `2> certpin: error: login needs password, and there is no terminal to ask: --password-env NAME, or --password-file FILE
2> certpin: hint: certpin auth0 run --help
exit 2`,
    );
  });

  it('one JSON object for each run; global is kept, unless each run is cold', async () => {
    const counter = write(
      'get_user.js',
      'function getUser(email, callback) { global.n = (global.n || 0) + 1; callback(null, { user_id: String(global.n), email }); }',
    );
    const ids = async (...flags: string[]): Promise<string[]> => {
      const { stdout } = await certpin(['auth0', 'run', counter, '-u', 'ada', '--times', '2', '--json', ...flags]);
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).outcome.values[0].user_id);
    };
    assert.deepEqual(
      [await ids(), await ids('--cold')],
      [
        ['1', '2'],
        ['1', '1'],
      ],
    );
  });

  it('a password is read once, be it out of a pipe', async (t) => {
    const argv = ['run', login, '-u', 'ada', '--config', 'PINS=AB', '--password-file', passwordPipe(t)];
    assert.match(await transcript(argv), /^success: .*\n.*\nexit 0$/m);
  });

  it('a script that changes between two runs is the one that was read first', async () => {
    const file = join(folder, 'delete.js');
    const text = (name: string, more: string): string =>
      `function remove(id, callback) { console.log('${name}'); ${more} callback(null); }`;
    const change = `require('fs').writeFileSync(${JSON.stringify(file)}, ${JSON.stringify(text('second', ''))});`;
    write('delete.js', text('first', change));
    const said = await transcript(['run', file, '--arg', 'id=1', '--times', '2', '--cold']);
    assert.deepEqual(said.match(/console\.log: \w+/g), ['console.log: first', 'console.log: first']);
  });

  it('an Action with its event and its secrets; a chain of Rules', async () => {
    const action = write(
      'action.js',
      "exports.onExecutePostLogin = async (event, api) => { if (event.secrets.S === 's') api.access.deny(event.user.email); };",
    );
    assert.equal(
      await transcript(['run', action, '--event', write('event.json', '{"user":{"email":"eve"}}'), '--secret', 'S=s']),
      `action.js (action post-login), Node.js, ms
refused: the Action ended; calls of api: 1
  api: access.deny("eve")
  OAuth client: access_denied: eve (emulated)
exit 1`,
    );
    const rule = write(
      'rule.js',
      'function (user, context, callback) { user.n = (user.n || 0) + 1; callback(null, { n: user.n }, {}); }',
    );
    const chain = await transcript(['run', rule, rule, '--as', 'rule', '--profile', write('user.json', '{"n":1}')]);
    assert.match(chain, /success: callback\(null, \{"n":3\}, \{\}\)\n.*exit 0$/s);
  });

  it('what cannot be run: exit 2, with what helps', async () => {
    for (const [argv, stderr] of [
      [['run', join(folder, 'none.js')], '2> certpin: error: none.js: no such file\n'],
      [
        ['run', login, '-u', 'a', '--arg', 'password=b', '--node', '11'],
        '2> certpin: error: there is no Node.js 11 here\n2> certpin: hint: npm install --save-dev node@11',
      ],
      [
        ['run', login, '--times', 'x'],
        '2> certpin: error: --times takes a number from 1 to 1000\n2> certpin: hint: certpin auth0 run --help',
      ],
      [
        ['run', login, '--config', 'NO_SUCH'],
        '2> certpin: error: --config NO_SUCH: no value, and no such environment variable\n',
      ],
      [
        ['run', login, '--config-file', '/nowhere/config.json'],
        '2> certpin: error: /nowhere/config.json: no such file\n',
      ],
      // A connection string in the place of a file is not repeated.
      [['run', login, '--config-file', 'postgres://u:secret@h/d'], '2> certpin: error: --config-file: no such file\n'],
      [['run', login, '--event', login], '2> certpin: error: --event: the file is not a JSON object\n'],
      [['run'], "2> certpin: error: missing required argument 'script'\n2> certpin: hint: certpin auth0 run --help"],
      [['rum', login], "2> certpin: error: unknown command 'rum'; did you mean run?\n"],
    ] as const) {
      const said = await transcript(argv);
      assert.ok(said.startsWith(stderr) && said.endsWith('exit 2'), said);
    }
  });

  it('what the script does not take is refused, and nothing runs', async () => {
    const rule = write(
      'one-rule.js',
      'function f(user, context, callback) { console.log(user.email); callback(null, user, context); }',
    );
    const action = write(
      'an-action.js',
      'exports.onExecutePostLogin = async (event) => console.log(event.user.email);',
    );
    const hook = write(
      'a-hook.js',
      'module.exports = function (recipient, text, context, cb) { console.log("ran"); cb(); };',
    );
    const getUser = write('get_user.js', 'function getUser(email, callback) { console.log("ran"); callback(null); }');
    const remove = write('delete.js', 'function remove(id, callback) { console.log("ran"); callback(null); }');
    const json = write('some.json', '{}');
    const refused = [
      [['run', rule, '--arg', 'nope=1'], 'a Rule takes no argument nope: it takes user'],
      [['run', rule, rule, '--secret', 'A=b'], 'a Rule takes no secrets'],
      [['run', rule, '--password-env', 'PW'], 'a Rule takes no argument password: it takes user'],
      [['run', rule, '--handler', 'x'], 'a Rule takes no handler: it is not an Action'],
      [['run', rule, '--event', json], 'a Rule takes no event'],
      [['run', login, '--secret', 'A=b'], 'login takes no secrets'],
      [['run', login, '--profile', json], 'login takes no profile of a user'],
      [['run', login, '-u', 'a', '--arg', 'email=b'], 'email and user are one argument of login: give one of them'],
      [['run', getUser, '-u', 'a', '--arg', 'password=b'], 'get_user takes no argument password: it takes email'],
      [['run', remove, '-u', 'a'], 'delete takes no argument user: it takes id'],
      [['run', action, '--arg', 'a=b'], 'action:post-login takes no argument a: it takes user'],
      [['run', action, '--config', 'A=b'], 'action:post-login takes no configuration'],
      [['run', action, '--context', json], 'action:post-login takes no context'],
      [
        ['run', hook, '--as', 'hook:send-phone-message', '-u', 'a'],
        'hook:send-phone-message takes no argument user: it takes recipient, text',
      ],
      [['prove', login, '--secret', 'A=b'], 'login takes no secrets'],
      [['prove', getUser, '-u', 'a', '--arg', 'password=b'], 'get_user takes no argument password: it takes email'],
    ] as const;
    for (const [argv, message] of refused) {
      const said = await transcript(argv, { env: { PW: PASSWORD } });
      assert.ok(
        said.startsWith(`2> certpin: error: ${message}\n`) && said.endsWith('exit 2'),
        `${argv.join(' ')}\n${said}`,
      );
    }
    const twice = await transcript(['run', login, '-u', 'a', '--password-env', 'PW', '--arg', 'password=b'], {
      env: { PW: PASSWORD },
    });
    assert.match(twice, /--arg password and the option of that name are the same argument/);
    for (const script of [rule, action]) {
      assert.match(
        await transcript(['run', script, '--user', 'ada@example.com']),
        /console\.log: ada@example\.com\nexit 0$/,
      );
    }
  });

  it('the settings of connections, Actions and Hooks as the Deploy CLI keeps them; what are none is told', async () => {
    const action = write(
      'secretive.js',
      'exports.onExecutePostLogin = async (event) => console.log(JSON.stringify(event.secrets));',
    );
    const hook = write(
      'hooked.js',
      'module.exports = function (user, context, cb) { console.log(JSON.stringify(context.webtask.secrets)); cb(); };',
    );
    const settings = {
      login: write(
        'conf.js',
        'function login(email, password, callback) { console.log(JSON.stringify([configuration.A, configuration.PORT, configuration.B])); callback("no"); }',
      ),
    };
    const secrets = write(
      'an-action.json',
      JSON.stringify({
        name: 'a',
        code: './a.js',
        secrets: [
          { name: 'A', value: 'b' },
          { name: 'K', value: '@@K@@' },
          { name: 'H', value: '_VALUE_NOT_SHOWN_' },
        ],
      }),
    );
    const hooks = write(
      'a-hook.json',
      JSON.stringify({ name: 'h', triggerId: 'post-user-registration', secrets: { A: 'b' } }),
    );
    const connection = write(
      'database.json',
      JSON.stringify({
        name: 'users',
        strategy: 'auth0',
        options: { configuration: { A: 'b', PORT: 5432, B: '##B##' } },
      }),
    );
    assert.match(await transcript(['run', action, '--secrets-file', secrets]), /console\.log: \{"A":"b"\}\n/);
    assert.match(
      await transcript(['run', hook, '--as', 'hook:post-user-registration', '--secrets-file', hooks]),
      /console\.log: \{"A":"b"\}\n/,
    );
    const login = ['run', settings.login, '--as', 'login', '-u', 'a', '--arg', 'password=x'];
    assert.match(await transcript([...login, '--config-file', connection]), /console\.log: \["b","5432",null\]\n/);
    assert.match(
      await transcript([...login, '--config-file', secrets]),
      /^2> certpin: error: --config-file: secrets is not a text, so the file does not hold settings\n/,
    );
    assert.match(
      await transcript(['run', action, '--secrets-file', connection]),
      /error: --secrets-file: options is not a text/,
    );
  });

  it('a Rule that updates metadata by auth0.users: the call is shown', async () => {
    const rule = write(
      'metadata.js',
      'function f(user, context, callback) { auth0.users.updateUserMetadata(user.user_id, { a: 1 }).then(() => callback(null, {}, {}), callback); }',
    );
    assert.equal(
      await transcript(['run', rule]),
      `metadata.js (rule), Node.js, ms
success: callback(null, {}, {})
  auth0: users.updateUserMetadata("auth0|5f7c8ec7c33c6c004bbafe82", {"a":1})
exit 0`,
    );
  });

  it('--watch: again when the file changes, until Ctrl-C', async (t) => {
    // The script tells that it runs by connecting here.
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const save = (text: string): string =>
      write(
        'delete.js',
        `function remove(id, callback) { console.log('${text}'); require('net').connect(${port}).resume().on('close', () => callback(null)); }`,
      );
    const interrupt = new AbortController();
    server.once('connection', () => {
      save('second');
      server.once('connection', () => interrupt.abort());
    });
    const argv = ['auth0', 'run', save('first'), '--arg', 'id=1', '--watch'];
    const { stdout, code } = await certpin(argv, { interrupt: interrupt.signal });
    assert.match(stdout, /console\.log: first[\s\S]*console\.log: second/);
    assert.equal(code, 0);
  });
});

describe('certpin auth0 run --json', () => {
  it('has what the script printed, and nothing that a terminal obeys', async () => {
    const text = '\u009B31m\u202E\u{E0001}\u2028\u001B[2J';
    const script = write(
      'print.js',
      `function login(email, password, callback) { console.log(email); callback('no'); }`,
    );
    const { stdout } = await certpin([
      'auth0',
      'run',
      script,
      '--as',
      'login',
      '--user',
      text,
      '--arg',
      'password=no',
      '--json',
    ]);
    assert.doesNotMatch(stdout.trimEnd(), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    assert.deepEqual(JSON.parse(stdout).console, [{ level: 'log', text }]);
  });
});

describe('certpin auth0 prove', () => {
  it('held, leaked, unproved', longOnly, async (t) => {
    const certificate = await mint();
    const server = await startHttpsServer({ certificate });
    t.after(server.close);
    // Modules are found from the working folder where there are none beside the script.
    const cwd = process.cwd();
    process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
    t.after(() => process.chdir(cwd));
    const post = (agent: string): string =>
      write(
        'login.js',
        `function login(email, password, callback) {
  const { request } = require('https');
  const { pinnedAgent } = require('certpin/https');
  const agent = ${agent};
  request({ host: '${server.host}', port: ${server.port}, method: 'POST', agent, ca: configuration.CA }, (response) => {
    response.resume().on('end', () => callback(null, { user_id: 'x|1', email }));
  }).on('error', callback).end(password);
}`,
      );
    const argv = [
      '--user',
      'ada@example.com',
      '--password-env',
      'PW',
      '--config',
      `PINS=${certificateHex(certificate)}`,
    ];
    const prove = async (agent: string, ...more: string[]): Promise<string> =>
      (await transcript(['prove', post(agent), ...argv, ...more], { env: { PW: PASSWORD } })).replaceAll(
        `${server.port}`,
        'PORT',
      );

    assert.equal(
      await prove('pinnedAgent({ pins: configuration.PINS, connectTimeoutMs: 4000 })'),
      `login.js (login), Node.js, ms
held: no byte reached any of the impostors below
  127.0.0.1:PORT (tls), genuine certificate SHA-256: ${certificateHex(certificate)}
    another-key                0 bytes; ERR_PIN_MISMATCH
    another-key, again         0 bytes; ERR_PIN_MISMATCH
    genuine-chain              0 bytes; ERR_PIN_MISMATCH
    trusted-ca                 0 bytes; ERR_PIN_MISMATCH
    trusted-ca, again          0 bytes; ERR_PIN_MISMATCH
    trusted-namesake           0 bytes; ERR_PIN_MISMATCH
    trusted-namesake, again    0 bytes; ERR_PIN_MISMATCH
    trusted-chain              0 bytes; ERR_PIN_MISMATCH
    another-name               0 bytes; ERR_PIN_MISMATCH
    asked-name                 0 bytes; ERR_PIN_MISMATCH
    common-name                0 bytes; ERR_PIN_MISMATCH
    expired                    0 bytes; ERR_PIN_MISMATCH
    expiring                   0 bytes; ERR_PIN_MISMATCH
    renewed                    0 bytes; ERR_PIN_MISMATCH
    stolen-certificate         0 bytes; EPROTO
    plaintext                  0 bytes; EPROTO
    trusted-ca, after-reset    not asked; ECONNRESET
    trusted-ca, after-refusal  not asked; ECONNREFUSED
    trusted-ca, after-stall    not asked; ERR_CONNECT_TIMEOUT
    trusted-ca, warm           0 bytes; ERR_PIN_MISMATCH
    another-key, warm          0 bytes; ERR_PIN_MISMATCH
    trusted-namesake, warm     0 bytes; ERR_PIN_MISMATCH
exit 0`,
    );
    // Where the script tells the user something neutral, the cause is what it told the log.
    const neutral = write(
      'neutral.js',
      readFileSync(post('pinnedAgent({ pins: configuration.PINS, connectTimeoutMs: 4000 })'), 'utf8').replace(
        "'error', callback",
        "'error', ({ code }) => { console.error('login failed: ' + code); callback(new Error('not now')); }",
      ),
    );
    const told = await transcript(['prove', neutral, '--as', 'login', ...argv], { env: { PW: PASSWORD } });
    assert.match(told, /^ {4}another-key {16}0 bytes; Error: not now \(ERR_PIN_MISMATCH\)$/m);
    assert.match(told, /^ {4}plaintext {18}0 bytes; Error: not now \(EPROTO\)$/m);
    // Once it runs, another script stands in its place, which gives everything away.
    const leaking = post('new (require("https").Agent)({ rejectUnauthorized: false })');
    const text = JSON.stringify(readFileSync(leaking, 'utf8'));
    const change = `(require('fs').writeFileSync(${JSON.stringify(leaking)}, ${text}), pinnedAgent({ pins: configuration.PINS, connectTimeoutMs: 4000 }))`;
    const changing = ['prove', post(change), '--user', 'ada@example.com', '--password-file', passwordPipe(t)];
    assert.match(
      await transcript([...changing, '--config', `PINS=${certificateHex(certificate)}`]),
      /^held: .*exit 0$/ms,
    );
    const ca = write('genuine.pem', certificate.certPem);
    const trusting = await prove('undefined', '--trust-ca', ca, '--time-limit', '8');
    assert.match(
      trusting,
      /^leaked: something reached an impostor\n {2}127\.0\.0\.1:PORT: an impostor \(the same names, issued by a CA that the script trusts\) got \d+ bytes: body, password, request; nothing compared the certificate with a pin$/m,
    );
    assert.match(trusting, /exit 1$/);
    const refusing = await prove('undefined');
    assert.match(
      refusing,
      /^unproved: .*\n {2}the script does not succeed with the genuine server.*DEPTH_ZERO_SELF_SIGNED_CERT.*\n {2}the platform does not offer certpin .*\nexit 2$/m,
    );
  });
});
