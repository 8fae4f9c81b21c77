import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { mint, startHttpsServer } from '@certpin/testkit';
import { type ProofReport, type ProveOptions, prove } from '../../src/index.ts';

// Scripts that hide their cause behind neutral words, as those of `certpin auth0 new` do: the proof says what `run` shows.

const NEUTRAL = 'The user database cannot be reached at the moment.';
const PASSWORD = 'correct-horse-battery';

/** A login that prints what failed, and says something neutral. */
function login(work: string): string {
  return `function login(email, password, callback) {
  const fail = (error) => {
    console.error(\`login failed: \${error.code || error.name}: \${error.message}\`);
    callback(new UnauthorizedError('${NEUTRAL}'));
  };
  try { ${work} } catch (error) { fail(error); }
}`;
}

const request = `require('https').request({ host: configuration.HOST, port: configuration.PORT, method: 'POST', agent: false,
  ca: configuration.CA }, (response) => response.resume().on('end', () => callback(null, { user_id: 'x|1', email })))
  .on('error', fail).end(password);`;

async function proveLogin(source: string, options: ProveOptions = {}): Promise<ProofReport> {
  const args = { email: 'ada@example.com', password: PASSWORD };
  const report = await prove({ source, fileName: 'login.js' }, { args, stallMs: 2000, ...options });
  assert.ok(!JSON.stringify(report).includes(PASSWORD), 'the password is in the report');
  return report;
}

async function server(t: TestContext) {
  const certificate = await mint();
  const started = await startHttpsServer({ certificate });
  t.after(started.close);
  const { host, port } = started;
  return {
    host,
    port,
    ca: certificate.certPem,
    configuration: { HOST: host, PORT: String(port), CA: certificate.certPem },
  };
}

describe('a control that fails: causes that the script words alike are told apart', () => {
  it('a setting that is missing', async () => {
    const { finding, reasons, control } = await proveLogin(
      login("throw new Error('not configured: ' + (configuration.DB_USER || 'DB_USER'));"),
    );
    assert.equal(finding, 'unproved');
    assert.deepEqual(reasons, [
      `the script does not succeed with the genuine server, so nothing can be proved: unauthorized: ${NEUTRAL}`,
      'it printed: login failed: Error: not configured: DB_USER',
      'configuration.DB_USER is read, and is not set',
    ]);
    assert.deepEqual(control.printed, ['login failed: Error: not configured: DB_USER']);
    assert.equal(control.causeCode, null);
  });

  it('a server that is not there: the cause is what the connection ended with, not what the relay made of it', async (t) => {
    const { host, port, configuration } = await server(t);
    const { reasons, control } = await proveLogin(login(request), { configuration: { ...configuration, PORT: '1' } });
    assert.equal(control.causeCode, 'ECONNREFUSED');
    assert.match(reasons[0] ?? '', /\(ECONNREFUSED\)/);
    assert.equal(reasons[1], `${host}:1 could not be reached: connect ECONNREFUSED ${host}:1`);
    assert.notEqual(port, 1);
  });

  it('a name that nobody knows', async () => {
    const { reasons, control } = await proveLogin(login(request), {
      configuration: { HOST: 'nowhere.invalid', PORT: '443' },
    });
    assert.match(control.causeCode ?? '', /^(?:ENOTFOUND|EAI_AGAIN)$/);
    assert.match(reasons[1] ?? '', /^nowhere\.invalid:443 could not be reached: getaddrinfo /);
  });

  it('a certificate that the script refuses', async (t) => {
    const { configuration } = await server(t);
    const { CA: _, ...without } = configuration;
    const { reasons, control } = await proveLogin(login(request), { configuration: without });
    assert.equal(control.causeCode, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    assert.match(reasons[1] ?? '', /^it printed: login failed: DEPTH_ZERO_SELF_SIGNED_CERT: self-signed certificate/);
  });

  it("a database's own code, five letters and digits", async () => {
    const { control } = await proveLogin(
      login("throw Object.assign(new Error('password authentication failed'), { code: '28P01' });"),
    );
    assert.equal(control.causeCode, '28P01');
  });

  it('a module that is not there', async () => {
    const { reasons, control } = await proveLogin(login("require('no-such-module@1.0.0');"));
    assert.equal(control.causeCode, 'MODULE_NOT_FOUND');
    assert.ok(
      reasons.some((reason) => reason.includes('no-such-module@1.0.0 is not installed')),
      reasons.join('\n'),
    );
  });

  it('an answer that is no success, and is no error: what was answered', async () => {
    const verify = { source: 'function verify(email, callback) { callback(null, false); }', fileName: 'verify.js' };
    const said = await prove(verify, { args: { email: 'a' } });
    assert.match(said.reasons[0] ?? '', /nothing can be proved: it ended as refused: callback\(null, false\)$/);
    const action = {
      source:
        "exports.onExecutePostLogin = async (event, api) => { console.log('closed on', 'Sunday'); api.access.deny('no'); };",
    };
    const denied = await prove(action);
    assert.deepEqual(denied.reasons, [
      'the script does not succeed with the genuine server, so nothing can be proved: it called api.access.deny',
      'it printed: closed on Sunday',
    ]);
    assert.equal(denied.control.refusedBy, 'access.deny');
  });

  it('what the script prints is repeated without the values that it was given, in no spelling', async () => {
    const spellings = [
      'console.log(password, JSON.stringify({ password }), encodeURIComponent(password));',
      "console.log(Buffer.from(password).toString('base64'), Buffer.from(password).toString('hex'), configuration.SHORT, configuration.SHORTER);",
      "throw new Error('no');",
    ].join(' ');
    const args = { email: 'ada@example.com', password: 'pä"ss wörd+' };
    const configuration = { SHORT: 'xyz', SHORTER: 'b', API_KEY: 'abc', TOKEN: 'q' };
    const source = login(spellings)
      .replaceAll('configuration.SHORTER', 'configuration.TOKEN')
      .replaceAll('configuration.SHORT', 'configuration.API_KEY');
    const { control, reasons } = await prove({ source, fileName: 'login.js' }, { args, configuration });
    const text = `${control.printed.join('\n')}\n${reasons.join('\n')}`;
    const hex = Buffer.from(args.password).toString('hex');
    const base64 = Buffer.from(args.password).toString('base64').replace(/=+$/, '').slice(0, -1);
    for (const value of [
      args.password,
      JSON.stringify(args.password).slice(1, -1),
      encodeURIComponent(args.password),
      hex,
      base64,
    ])
      assert.ok(!text.includes(value), `${value} in\n${text}`);
    assert.match(text, /\[configuration\.API_KEY\] \[configuration\.TOKEN\]/);
  });
});

describe('a connection string is a secret, whatever it is called', () => {
  it('neither it nor its parts are repeated; a short id is no secret, and garbles nothing', async () => {
    const work =
      "console.log(configuration.DB, new URL(configuration.DB).password, 'at 127.0.0.1:1'); throw new Error('no');";
    const source = `function remove(id, callback) { try { ${work} } catch (error) { callback(error); } }`;
    const configuration = { DB: 'postgres://someone:p%40ssw0rd@db.example.com/app' };
    const report = await prove({ source, fileName: 'delete.js' }, { args: { id: '1' }, configuration });
    assert.deepEqual(report.control.printed, ['[configuration.DB] [configuration.DB] at 127.0.0.1:1']);
    assert.doesNotMatch(JSON.stringify(report), /p%40ssw0rd|p@ssw0rd|someone/);
  });
});

describe('each refusal has a code', () => {
  it('behind neutral words: that of TLS, of the connection, of certpin', async (t) => {
    const { configuration } = await server(t);
    const { servers } = await proveLogin(login(request), { configuration });
    const codes = Object.fromEntries(
      (servers[0]?.trials ?? []).map(({ impostor, moment, run }) => [`${impostor}, ${moment}`, run.causeCode]),
    );
    assert.equal(codes['another-key, at-once'], 'DEPTH_ZERO_SELF_SIGNED_CERT');
    assert.equal(codes['trusted-ca, after-refusal'], 'ECONNREFUSED');
    assert.equal(codes['trusted-ca, after-reset'], 'ECONNRESET');
    const without = Object.entries(codes).filter(([name, code]) => code === null && !name.includes('after-stall'));
    assert.deepEqual(without, []);
  });
});
