import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startPushStage } from '../push-stage.ts';

const NEXT = 'AB'.repeat(32);
const canary = { CERTPIN_CANARY_USERNAME: 'canary@example.com', CERTPIN_CANARY_PASSWORD: 'staple-battery' };

test('diff, a dry run, a push after a question, and diff again: exit codes and words', async (t) => {
  const stage = await startPushStage(t);
  stage.write([stage.current, NEXT]);
  const push = ['auth0', 'push', '--values', stage.values];
  const first = await stage.certpin(['auth0', 'diff']);
  assert.equal(first.code, 1);
  assert.match(
    first.stdout,
    /^unknown tls:.*: DB_PINS in the configuration .*: it is ciphertext, and push has not written it yet$/m,
  );
  assert.match(
    first.stdout,
    new RegExp(`^differs .*: the script login .*: it has other pins\n {2}- \n {2}\\+ ${stage.current},${NEXT}$`, 'm'),
  );
  const dry = await stage.certpin([...push, '--dry-run']);
  assert.deepEqual([dry.code, dry.stdout.match(/^would-write /gm)?.length], [0, 5]);
  assert.match((await stage.certpin(push)).stderr, /there is no terminal to ask on; nothing was written\n.*--yes/);
  const no = await stage.certpin(push, { confirmed: false });
  assert.deepEqual([no.code, stage.places().texts.includes(NEXT)], [1, false]);
  const yes = await stage.certpin(push, { confirmed: true });
  assert.deepEqual([yes.code, yes.stdout.match(/^written /gm)?.length], [0, 5], yes.stderr);
  assert.equal((await stage.certpin(['auth0', 'diff'])).code, 0);
  const json = await stage.certpin(['auth0', 'diff', '--json']);
  const { ok, places } = JSON.parse(json.stdout);
  assert.deepEqual(
    [ok, places.map((one: { by: string }) => one.by)],
    [true, ['witness', 'read', 'witness', 'read', 'read']],
  );
});

test('--json: one object, and no question', async (t) => {
  const stage = await startPushStage(t);
  stage.write([stage.current]);
  const unasked = await stage.certpin(['auth0', 'push', '--json', '--values', stage.values], { confirmed: true });
  assert.deepEqual([unasked.code, JSON.parse(unasked.stdout).outcome], [2, 'declined']);
  const done = await stage.certpin(['auth0', 'push', '--json', '--yes', '--values', stage.values]);
  const { ok, outcome, push, snapshot, outcomes } = JSON.parse(done.stdout);
  assert.deepEqual([done.code, ok, outcome, outcomes.length], [0, true, 'done', 5]);
  assert.match(push, /^\d{8}T\d{6}Z-[0-9a-f]{8}$/);
  assert.equal(statSync(snapshot).mode & 0o777, 0o600);
  assert.equal((await stage.certpin(['auth0', 'pull', '--json'])).code, 0);
});

test('a refusal says that nothing was written; a failure names the undo and the snapshot', async (t) => {
  let broken = false;
  const stage = await startPushStage(t, { failBuilds: () => broken });
  stage.write([stage.current]);
  const refused = await stage.certpin(['auth0', 'push', '--yes']);
  assert.deepEqual([refused.code, /nothing was written$/m.test(refused.stderr)], [1, true]);
  broken = true;
  const failed = await stage.certpin(['auth0', 'push', '--yes', '--values', stage.values]);
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /^written .*customers.*\n[\s\S]*^failed .*post-login[\s\S]*^not-done .*deploy\.env/m);
  assert.match(
    failed.stderr,
    /what stood there before is in .*\.json\ncertpin: hint: certpin auth0 push --undo --file /,
  );
});

test('--leaked revokes as trust --revoke does, and goes on to push; a second time it only pushes', async (t) => {
  const stage = await startPushStage(t);
  stage.write([stage.current, NEXT]);
  const push = ['auth0', 'push', '--yes', '--values', stage.values];
  assert.equal((await stage.certpin(push)).code, 0);
  // It is the one that the server presents: only a revoked pin may be taken away.
  const leaked = await stage.certpin([...push, '--leaked', stage.current, '--reason', 'lost laptop']);
  assert.equal(leaked.code, 0, leaked.stderr);
  const [target] = JSON.parse(stage.read('certpin.json')).targets;
  assert.deepEqual(
    [target.pins, target.revoked[0].pin, target.revoked[0].reason],
    [[NEXT], stage.current, 'lost laptop'],
  );
  assert.deepEqual(new Set(stage.places().texts), new Set([NEXT]));
  assert.equal((await stage.certpin([...push, '--leaked', stage.current])).code, 0);
  assert.equal((await stage.certpin([...push, '--leaked', 'CD'.repeat(32)])).code, 2);
  assert.equal((await stage.certpin(['auth0', 'push', '--undo', '--yes', '--values', stage.values])).code, 1);
});

test('--verify-login: the canary logs in before and after; a script that refuses it afterwards is told', async (t) => {
  const logins: string[] = [];
  let isBroken = false;
  const stage = await startPushStage(t, {
    runContainer: () => ({
      login: async (email, password) => {
        logins.push(`${email} ${password}`);
        const isRight = password === canary.CERTPIN_CANARY_PASSWORD && !(isBroken && logins.length > 1);
        return isRight ? { profile: {} } : { error: 'invalid_grant', error_description: `Wrong: ${password}` };
      },
      close: async () => undefined,
    }),
  });
  stage.write([stage.current]);
  const push = ['auth0', 'push', '--yes', '--verify-login', '--values', stage.values];
  const missing = await stage.certpin(push);
  assert.deepEqual([missing.code, stage.places().texts.includes(stage.current)], [2, false]);
  const env = { ...stage.env, ...canary };
  const wrong = await stage.certpin(push, { env: { ...env, CERTPIN_CANARY_PASSWORD: 'not-it' } });
  assert.deepEqual([wrong.code, stage.places().texts.includes(stage.current)], [1, false]);
  assert.ok(!(wrong.stdout + wrong.stderr).includes('not-it'));
  logins.length = 0;
  const done = await stage.certpin(push, { env });
  assert.deepEqual([done.code, logins.length], [0, 2], done.stderr);
  isBroken = true;
  logins.length = 0;
  stage.write([stage.current, NEXT]);
  const broken = await stage.certpin(push, { env });
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /the login was refused: the canary over customers, after the write: [\s\S]*--undo/);
});

for (const [what, how] of [
  ['the grant is missing', { grants: ['client_credentials'] }],
  ['a second factor is wanted', { mfa: true }],
] as const) {
  test(`--verify-login, and ${what}: not verified, exit code 2, nothing written`, async (t) => {
    const runContainer = () => ({ login: async () => ({ profile: {} }), close: async () => undefined });
    const stage = await startPushStage(t, { ...how, runContainer });
    stage.write([stage.current]);
    const said = await stage.certpin(['auth0', 'push', '--yes', '--verify-login', '--values', stage.values], {
      env: { ...stage.env, ...canary },
    });
    assert.equal(said.code, 2);
    assert.match(said.stderr, /not verified: /);
    assert.ok(!stage.places().texts.includes(stage.current));
  });
}

test('--verify-login under import_mode is refused: a later login never reaches the script', async (t) => {
  const runContainer = () => ({ login: async () => ({ profile: {} }), close: async () => undefined });
  const stage = await startPushStage(t, { runContainer });
  stage.tenant.addConnection({
    name: 'imported',
    options: { enabledDatabaseCustomization: true, import_mode: true, configuration: { DB_PINS: 'old' } },
  });
  const place = { kind: 'configuration', tenant: stage.tenant.domain, connection: 'imported', key: 'DB_PINS' };
  stage.write([stage.current], { deliver: [place] });
  const said = await stage.certpin(['auth0', 'push', '--yes', '--verify-login'], { env: { ...stage.env, ...canary } });
  assert.deepEqual([said.code, /import_mode/.test(said.stderr)], [2, true]);
});

test('pull and learn: words and exit codes', async (t) => {
  const stage = await startPushStage(t, { grants: ['client_credentials'] });
  stage.write([stage.current, NEXT]);
  assert.equal((await stage.certpin(['auth0', 'push', '--yes', '--values', stage.values])).code, 0);
  stage.write([stage.current]);
  const pulled = await stage.certpin(['auth0', 'pull', '--yes']);
  assert.deepEqual([pulled.code, pulled.stdout.endsWith(`\n  + ${NEXT}\n`)], [0, true], pulled.stderr + pulled.stdout);
  assert.deepEqual(JSON.parse(stage.read('certpin.json')).targets[0].pins, [stage.current, NEXT]);
  const learnt = await stage.certpin(['auth0', 'learn', '--watch', '1']);
  assert.equal(learnt.code, 2);
  assert.match(learnt.stdout, / {2}ciphertext that is sent back means the same {4}not known\n/);
  assert.match(learnt.stderr, /warning: no login over it could be had/);
  assert.ok(statSync(join(stage.folder, 'certpin.learned.json')).isFile());
});

test('a pins file that is not there, credentials that are missing, and an option that is not understood', async (t) => {
  const stage = await startPushStage(t);
  assert.equal((await stage.certpin(['auth0', 'push', '--yes'])).code, 2);
  stage.write([stage.current]);
  const missing = await stage.certpin(['auth0', 'diff'], { env: {} });
  assert.deepEqual([missing.code, /AUTH0_DOMAIN is missing/.test(missing.stderr)], [2, true]);
  for (const flags of [
    ['--owner', 'me'],
    ['--timeout', 'x'],
    ['--reason', 'x'],
    ['--undo', 'customer-db'],
    ['--dry-run', '--yes'],
  ]) {
    assert.equal((await stage.certpin(['auth0', 'push', ...flags])).code, 2, flags.join(' '));
  }
});

test('AUTH0_DOMAIN is that of a tenant in which no place is: nothing was asked, which is no success', async (t) => {
  const stage = await startPushStage(t);
  const place = { kind: 'configuration', tenant: stage.tenant.domain, connection: 'customers', key: 'DB_PINS' };
  const env = { ...stage.env, AUTH0_DOMAIN: 'acme.auth0.com' };
  const why = `AUTH0_DOMAIN is acme.auth0.com, and no place is in that tenant; the places are in ${stage.tenant.domain}\n`;
  stage.write([stage.current], { deliver: [place] });
  for (const args of [['diff'], ['push'], ['push', '--yes'], ['push', '--dry-run']]) {
    const said = await stage.certpin(['auth0', ...args], { env });
    assert.deepEqual([said.code, said.stderr], [2, `certpin: error: ${why}`], args.join(' '));
    assert.match(
      said.stdout,
      /^elsewhere tls:.*: DB_PINS in the configuration of the connection customers .*: the cred/,
    );
  }
  const json = await stage.certpin(['auth0', 'push', '--yes', '--json'], { env });
  assert.deepEqual([json.code, JSON.parse(json.stdout).ok], [2, false]);

  // The file is written: that is something.
  stage.write([stage.current], {
    deliver: [place, { kind: 'file', path: 'deploy.env', format: 'env', key: 'DB_PINS' }],
  });
  const partly = await stage.certpin(['auth0', 'push', '--yes'], { env });
  assert.deepEqual([partly.code, partly.stderr], [0, `certpin: warning: ${why}`]);
  assert.match(partly.stdout, /^written tls:.*: DB_PINS in deploy\.env: the pins were written$/m);
});

test('what a person needs next is said: the file that is missing, the values in their form, a name that is spelled wrong', async (t) => {
  const stage = await startPushStage(t);
  for (const command of ['diff', 'push', 'pull']) {
    const { code, stderr } = await stage.certpin(['auth0', command]);
    assert.deepEqual([code, /no such file\ncertpin: hint: certpin help trust\n/.test(stderr)], [2, true], stderr);
  }
  stage.write([stage.current]);
  const refused = await stage.certpin(['auth0', 'push', '--dry-run']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /hint: --values .*\{"connections":\{"customers":\{"DB_PASSWORD":"…"\}\}\}\n/);
  assert.match(refused.stderr, /hint: --values .*\{"actions":\{"post-login":\{"API_KEY":"…"\}\}\}\n/);
  assert.doesNotMatch(refused.stdout, /^would-write/m, 'nothing would be written');
  assert.match(
    (await stage.certpin(['auth0', 'diff', 'customer'])).stderr,
    /customer is not in .*; it has customer-db\n/,
  );

  const gone = await stage.certpin(['auth0', 'push', '--yes', '--values', 'gone.json']);
  assert.deepEqual([gone.code, /error: --values gone\.json: no such file\n/.test(gone.stderr)], [2, true], gone.stderr);
  writeFileSync(stage.values, JSON.stringify({ connections: { custmers: { DB_PASSWORD: 'correct-horse' } } }));
  const stranger = await stage.certpin(['auth0', 'push', '--yes', '--values', stage.values]);
  assert.equal(stranger.code, 1);
  assert.match(
    stranger.stderr,
    /has the connection custmers, which no place of the pins file names; the places name: customers\n/,
  );
});

test('a push that has nothing to do says so', async (t) => {
  const stage = await startPushStage(t);
  stage.write([stage.current]);
  assert.equal((await stage.certpin(['auth0', 'push', '--yes', '--values', stage.values])).code, 0);
  const again = await stage.certpin(['auth0', 'push']);
  assert.deepEqual([again.code, again.stdout.match(/^same /gm)?.length], [0, 5]);
});
