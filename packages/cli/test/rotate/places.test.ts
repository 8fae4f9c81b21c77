import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { certificateHex, type Minted, mint, startTlsServer } from '@certpin/testkit';
import { type FakeTenant, startFakeTenant } from '@certpin/testkit/tenant';
import { certpin, type TranscriptOptions } from '../transcript.ts';
import { createStage, type Stage } from './stage.ts';

// The places of a target: a connection of a fake tenant, whose logins are decided by the pins that stand there, and a file.

const DOMAIN = 'acme.eu.auth0.com';
const configuration = { kind: 'configuration', tenant: DOMAIN, connection: 'customers', key: 'DB_PINS' };
const env = { kind: 'file', path: 'deploy/production.env', format: 'env', key: 'DB_PINS' };
const canary = { CERTPIN_CANARY_USERNAME: 'canary@example.com', CERTPIN_CANARY_PASSWORD: 'hidden' };

interface Whole {
  readonly stage: Stage;
  readonly tenant: FakeTenant;
  readonly old: Minted;
  readonly next: Minted;
  readonly present: (minted: Minted) => void;
  readonly pinsInTenant: () => string;
  readonly pinsInFile: () => string;
}

async function setUp(t: TestContext, places: readonly object[] = [configuration, env], script = 'in'): Promise<Whole> {
  const [old, next] = [await mint(), await mint()];
  const server = await startTlsServer({ certificate: old });
  t.after(server.close);
  const tenant = await startFakeTenant({
    domain: DOMAIN,
    runContainer: (source) => ({
      login: async () => (source === 'in' ? { profile: {} } : { error: 'access_denied', error_description: 'no' }),
      close: async () => undefined,
    }),
  });
  t.after(tenant.close);
  const options = { fetch: tenant.fetch, env: { ...tenant.credentials, ...canary } };
  const target = `tls://127.0.0.1:${server.port}`;
  const stage = createStage(t, { target, pins: [old], keys: { deliver: places }, options });
  tenant.addConnection({
    name: 'customers',
    options: {
      ...{ enabledDatabaseCustomization: true, import_mode: false, customScripts: { login: script } },
      configuration: { DB_PINS: certificateHex(old) },
    },
  });
  mkdirSync(join(stage.folder, 'deploy'));
  writeFileSync(join(stage.folder, 'deploy/production.env'), `A=1\nDB_PINS=${certificateHex(old)}\n`);
  stage.write('next', next);
  assert.equal((await stage.report(`start --next ${join(stage.folder, 'next.crt')} --settle 1h`)).code, 0);
  assert.equal((await stage.report('next --yes')).step, 'added');
  return {
    ...{ stage, tenant, old, next },
    present: ({ chainPem, keyPem }) => server.server.setSecureContext({ cert: chainPem, key: keyPem }),
    pinsInTenant: () =>
      (tenant.plaintext().connections.customers as never as { options: { configuration: { DB_PINS: string } } }).options
        .configuration.DB_PINS,
    pinsInFile: () =>
      /^DB_PINS=(.*)$/m.exec(readFileSync(join(stage.folder, 'deploy/production.env'), 'utf8'))?.[1] ?? '',
  };
}

test('a tenant and a file: the pins are there before anything is waited for, and the old one leaves them at the end', async (t) => {
  const { stage, old, next, present, pinsInTenant, pinsInFile } = await setUp(t);
  const both = `${certificateHex(old)},${certificateHex(next)}`;
  const delivered = await stage.report('next --yes');
  assert.deepEqual(
    [delivered.step, delivered.steps?.at(-1)?.evidence],
    ['delivered', 'told'],
    'ciphertext is not read back',
  );
  assert.deepEqual([pinsInTenant(), pinsInFile()], [both, both]);
  stage.pass(3_600_000);
  const settled = await stage.report('next');
  assert.match(settled.steps?.at(-1)?.because ?? '', /the canary logged in/);
  await stage.report('next');
  present(next);
  assert.equal((await stage.report('next')).step, 'verified');
  assert.equal((await stage.report('next --yes')).ended, 'retired');
  assert.deepEqual([pinsInTenant(), pinsInFile()], [certificateHex(next), certificateHex(next)]);
});

test('somebody else writes a place after the delivery: nothing is swapped before it was delivered and waited for again', async (t) => {
  const { stage, tenant, old, next, pinsInTenant } = await setUp(t);
  await stage.report('next --yes');
  stage.pass(3_600_000);
  assert.equal((await stage.report('next')).step, 'settled');
  const [{ id }] = (await (await call(tenant, 'GET', 'connections')).json()) as [{ id: string }];
  const { options } = tenant.plaintext().connections.customers as { options: object };
  const restored = { ...options, configuration: { DB_PINS: certificateHex(old) } };
  assert.equal((await call(tenant, 'PATCH', `connections/${id}`, { options: restored })).status, 200);

  const lost = await stage.report('next');
  assert.deepEqual([lost.code, lost.commands], [1, undefined]);
  assert.match(
    lost.reason ?? '',
    /^somebody else has written a place since the pins were delivered, or the place is new$/,
  );
  assert.match(lost.details?.join() ?? '', /connection customers/);
  assert.doesNotMatch(lost.details?.join() ?? '', /production\.env/, 'that one is as it was left');
  const again = await stage.report('next --yes');
  assert.deepEqual([again.code, again.step], [0, 'delivered']);
  assert.equal(pinsInTenant(), `${certificateHex(old)},${certificateHex(next)}`);
  assert.match((await stage.report('next')).reason ?? '', /^it is not settled: /);
  stage.pass(3_600_000);
  assert.equal((await stage.report('next')).step, 'settled');
  assert.equal((await stage.report('next')).step, 'swapped');
});

test('a tenant that does not answer shows no place: nothing is swapped, and nothing is taken back', async (t) => {
  const { stage, tenant } = await setUp(t);
  await stage.report('next --yes');
  stage.pass(3_600_000);
  await stage.report('next');
  const end = tenant.onRequest(async ({ path }, proceed) =>
    path.startsWith('/api/') ? { status: 403, body: { statusCode: 403, error: 'Forbidden', message: 'x' } } : proceed(),
  );
  const unasked = await stage.report('next');
  assert.deepEqual([unasked.code, unasked.step, unasked.commands], [2, 'settled', undefined]);
  end();
  assert.equal((await stage.report('next')).step, 'swapped');
});

function call(tenant: FakeTenant, method: string, path: string, body?: object): Promise<Response> {
  return tenant.fetch(`https://${tenant.domain}/api/v2/${path}`, {
    ...{ method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
    headers: { authorization: `Bearer ${tenant.issueToken()}`, 'content-type': 'application/json' },
  });
}

test('a file alone is read back: shown', async (t) => {
  const { stage } = await setUp(t, [env]);
  assert.equal((await stage.report('next --yes')).steps?.at(-1)?.evidence, 'shown');
});

test('a push that is refused half-way, or not at all: the step is not done, and the same again does the rest', async (t) => {
  const { stage, tenant, old, next, pinsInTenant, pinsInFile } = await setUp(t);
  const end = tenant.onRequest(async ({ method }, proceed) =>
    method === 'PATCH' ? { status: 500, body: { statusCode: 500, error: 'x', message: 'x' } } : proceed(),
  );
  const failed = await stage.report('next --yes');
  assert.deepEqual([failed.ok, failed.step], [false, 'added']);
  assert.ok(
    failed.details?.some((line) => line.startsWith('missing: DB_PINS in the configuration')),
    `${failed.details}`,
  );
  assert.equal(pinsInTenant(), certificateHex(old));
  stage.pass(3_600_000);
  assert.notEqual((await stage.report('next --yes')).step, 'settled');
  end();
  assert.equal((await stage.report('next --yes')).step, 'delivered');
  assert.deepEqual(pinsInTenant(), `${certificateHex(old)},${certificateHex(next)}`);
  assert.deepEqual(pinsInFile(), pinsInTenant());
});

test('a place in another tenant is not brought, and not called delivered before somebody says so', async (t) => {
  const { stage } = await setUp(t, [env, { ...configuration, tenant: 'other.eu.auth0.com' }]);
  const left = await stage.report('next --yes');
  assert.deepEqual([left.code, left.step], [1, 'added']);
  assert.ok(
    left.details?.some((line) => line.startsWith('left to somebody else: ')),
    `${left.details}`,
  );
  const said = await stage.report('next --yes --by-hand');
  assert.deepEqual([said.step, said.steps?.at(-1)?.evidence], ['delivered', 'told']);
});

test('the canary: refused is a no; untried is no yes', async (t) => {
  const { stage } = await setUp(t, [configuration], 'out');
  await stage.report('next --yes');
  stage.pass(3_600_000);
  const refused = await stage.report('next --no-canary');
  assert.deepEqual([refused.code, refused.step], [1, 'delivered']);
  assert.match(refused.reason ?? '', /^the canary could not log in: /);
});

test('without the name of a canary nothing is settled, unless somebody says so', async (t) => {
  const { stage, tenant } = await setUp(t, [configuration]);
  await stage.report('next --yes');
  stage.pass(3_600_000);
  const without = { fetch: tenant.fetch, env: tenant.credentials };
  const untried = await stage.report('next', without);
  assert.deepEqual([untried.code, untried.step], [2, 'delivered']);
  const said = await stage.report('next --no-canary', without);
  assert.match(said.steps?.at(-1)?.because ?? '', /no login was tried/);
});

test('abort: the next pin leaves every place; a place that fails keeps the abort open, and next is refused meanwhile', async (t) => {
  const { stage, tenant, old, pinsInTenant, pinsInFile } = await setUp(t);
  await stage.report('next --yes');
  const end = tenant.onRequest(async ({ method }, proceed) =>
    method === 'PATCH' ? { status: 500, body: { statusCode: 500, error: 'x', message: 'x' } } : proceed(),
  );
  assert.equal((await stage.report('abort --yes')).ok, false);
  end();
  const next = await stage.report('next --yes');
  assert.deepEqual([next.code, next.reason], [1, 'it is being taken back: finish that first']);
  assert.match((await stage.rotate('status')).stdout, /\nnext: certpin rotate abort db /);
  assert.equal((await stage.report('abort --yes')).ended, 'aborted');
  assert.deepEqual(
    [stage.pins(), pinsInTenant(), pinsInFile()],
    [[certificateHex(old)], certificateHex(old), certificateHex(old)],
  );
});

test('what learn has seen of a tenant lengthens the wait, and never shortens it', async (t) => {
  for (const [seconds, wait] of [
    [300, 86_400],
    [200_000, 200_000],
  ]) {
    const { stage, next } = await setUp(t, [configuration]);
    assert.equal((await stage.report('abort --yes')).ended, 'aborted');
    const learned = { measuredAt: '2027-03-01T09:00:00.000Z', echo: true, oldestContainerSeconds: seconds };
    const file = join(stage.folder, 'certpin.learned.json');
    writeFileSync(file, JSON.stringify({ version: 1, tenants: { [DOMAIN]: learned } }));
    const { crt } = stage.write('next', next);
    assert.equal((await stage.report(`start --next ${crt}`)).code, 0);
    const { rotations } = JSON.parse(readFileSync(stage.stateFile, 'utf8'));
    assert.equal(rotations[0].settleSeconds, wait);
  }
});

test('a command that is printed can be pasted: it has what the next one needs, and the form of the values', async (t) => {
  const { stage, tenant } = await setUp(t);
  const { connections } = tenant.plaintext();
  assert.ok(connections.customers);
  tenant.onRequest(async ({ method, path }, proceed) => {
    const answer = await proceed();
    if (method !== 'GET' || !path.includes('/connections')) return answer;
    return JSON.parse(JSON.stringify(answer).replaceAll('"DB_PINS":', '"DB_PASSWORD":"2.0$x","DB_PINS":'));
  });
  const refused = await stage.report('next --yes --unreached 192.0.2.1');
  assert.equal(refused.code, 1);
  assert.match(refused.hints?.[0] ?? '', /^--values .*\{"connections":\{"customers":\{"DB_PASSWORD":"…"\}\}\}$/);
  assert.equal(refused.hints?.at(-1), `certpin rotate next db --file ${stage.pinsFile} --unreached 192.0.2.1 --yes`);
  assert.equal(
    (await stage.report('next --unreached 192.0.2.1')).hints?.at(-1),
    `certpin rotate next db --file ${stage.pinsFile} --unreached 192.0.2.1 --yes`,
  );
  const unset = await stage.report('next --yes', { env: {} });
  assert.deepEqual([unset.code, unset.details?.length], [2, 1], 'what is missing is said once');
});

test('a file that was written is not deployed: that is said, and the tool that owns the tenant is named', async (t) => {
  const { stage } = await setUp(t);
  const said = await stage.rotate('next --yes');
  assert.match(said.stderr, /warning: tls:.*: deploy deploy\/production\.env now: certpin has written it here only\n/);
  const owned = await setUp(t);
  writeFileSync(join(owned.stage.folder, 'main.tf'), 'resource "auth0_connection" "customers" {}\n');
  const left = await owned.stage.report('next --yes');
  assert.equal(left.code, 1);
  assert.match(left.details?.join('\n') ?? '', /Deliver to its file instead: \{.*"tfvars-json"/);
  assert.doesNotMatch(left.hints?.join('\n') ?? '', /--by-hand/, 'it would be refused as well');
});

test('a tool that restores the old pins after the delivery: the servers are not swapped, and the wait begins anew', async (t) => {
  const { stage, old, next, pinsInTenant } = await setUp(t);
  const both = `${certificateHex(old)},${certificateHex(next)}`;
  const restore = () =>
    writeFileSync(join(stage.folder, 'deploy/production.env'), `A=1\nDB_PINS=${certificateHex(old)}\n`);
  for (const before of ['settled', 'swapped']) {
    assert.equal((await stage.report('next --yes')).step, 'delivered');
    stage.pass(3_600_000);
    if (before === 'swapped') assert.equal((await stage.report('next')).step, 'settled');
    restore();
    const refused = await stage.report('next');
    assert.deepEqual([refused.code, refused.ok, refused.step, refused.next], [1, false, 'added', 'delivered'], before);
    assert.ok(refused.details?.some((line) => line.startsWith('DB_PINS in deploy/production.env')));
  }
  assert.equal((await stage.report('next --yes')).step, 'delivered');
  assert.equal((await stage.report('next')).step, 'delivered', 'it waits again');
  assert.equal(pinsInTenant(), both);
});

test('a place that is listed after the delivery is delivered to before the servers are swapped', async (t) => {
  const { stage } = await setUp(t, [env]);
  await stage.report('next --yes');
  stage.pass(3_600_000);
  const file = JSON.parse(readFileSync(stage.pinsFile, 'utf8'));
  file.targets[0].deliver.push({ ...env, path: 'deploy/staging.env' });
  writeFileSync(stage.pinsFile, JSON.stringify(file));
  assert.deepEqual(
    [(await stage.report('next')).step, (await stage.report('next --yes')).step],
    ['added', 'delivered'],
  );
});

test('an id that has gone to another target leads no delivery there', async (t) => {
  const { stage, old, next, pinsInFile } = await setUp(t, [env]);
  const file = JSON.parse(readFileSync(stage.pinsFile, 'utf8'));
  const place = { ...env, path: 'deploy/other.env' };
  file.targets[0].id = 'first';
  file.targets.push({ id: 'db', target: 'tls://127.0.0.1:1', pins: ['CD'.repeat(32)], deliver: [place] });
  writeFileSync(stage.pinsFile, JSON.stringify(file));
  const { code } = await certpin(['rotate', 'next', 'first', '--file', stage.pinsFile, '--yes', '--json'], {});
  assert.equal(code, 0);
  assert.equal(pinsInFile(), `${certificateHex(old)},${certificateHex(next)}`);
});

test('a wait that no calendar has is no wait that is over', async (t) => {
  const { stage } = await setUp(t, [env]);
  await stage.report('next --yes');
  const text = readFileSync(stage.stateFile, 'utf8');
  writeFileSync(stage.stateFile, text.replace(/"settleSeconds": \d+/, '"settleSeconds": 1e300'));
  const refused = await certpin(['rotate', 'next', 'db', '--file', stage.pinsFile, '--yes'], {});
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /it is damaged/);
});

test('a wait that was learnt and is no number of seconds is not taken for none', async (t) => {
  const { stage } = await setUp(t, [configuration]);
  assert.equal((await stage.report('abort --yes')).ended, 'aborted');
  for (const oldestContainerSeconds of [1e300, 'long', -5]) {
    const learned = { version: 1, tenants: { [DOMAIN]: { echo: true, oldestContainerSeconds } } };
    writeFileSync(join(stage.folder, 'certpin.learned.json'), JSON.stringify(learned));
    const started = await certpin(
      ['rotate', 'start', 'db', '--file', stage.pinsFile, '--next', join(stage.folder, 'next.crt')],
      {},
    );
    assert.deepEqual([started.code, started.stdout], [2, ''], String(oldestContainerSeconds));
    assert.match(started.stderr, /certpin auth0 learn has not written this/);
  }
});

test('abort takes the next pin out of places that somebody has pushed to by hand, too', async (t) => {
  const { stage, tenant, old, pinsInTenant, pinsInFile } = await setUp(t);
  const how = { fetch: tenant.fetch, env: tenant.credentials };
  assert.equal((await certpin(['auth0', 'push', '--file', stage.pinsFile, '--yes'], how)).code, 0);
  assert.equal((await stage.report('abort --yes')).ended, 'aborted');
  assert.deepEqual([pinsInTenant(), pinsInFile()], [certificateHex(old), certificateHex(old)]);
});

test('Ctrl-C in the middle of a delivery: exit code 130, and the same again does the rest', async (t) => {
  const { stage, tenant, old, next, pinsInTenant } = await setUp(t);
  const person = new AbortController();
  const unhook = tenant.onRequest(async ({ method }, proceed) => {
    if (method !== 'PATCH') return proceed();
    unhook();
    person.abort();
    return 'hang';
  });
  const cut = await stage.rotate('next --yes', { fetch: tenant.fetch, interrupt: person.signal });
  assert.deepEqual([cut.code, cut.stdout], [130, '']);
  assert.equal((await stage.report('status')).step, 'added');
  assert.equal((await stage.report('next --yes')).step, 'delivered');
  assert.equal(pinsInTenant(), `${certificateHex(old)},${certificateHex(next)}`);
});

/** Each way in which a place cannot be read, and how it is put right. */
const unreadable: Record<string, (whole: Whole) => { readonly options?: TranscriptOptions; readonly end: () => void }> =
  {
    'the tenant refuses': ({ tenant }) => ({
      end: tenant.onRequest(async ({ path }, proceed) =>
        path.startsWith('/api/')
          ? {
              status: 403,
              body: { statusCode: 403, error: 'Forbidden', message: 'x', errorCode: 'insufficient_scope' },
            }
          : proceed(),
      ),
    }),
    'the credentials are missing': () => ({ options: { env: {} }, end: () => undefined }),
    'a file is in the way of its folder': ({ stage }) => {
      const [folder, aside] = ['deploy', 'aside'].map((name) => join(stage.folder, name)) as [string, string];
      renameSync(folder, aside);
      writeFileSync(folder, '');
      return {
        end: () => {
          rmSync(folder);
          renameSync(aside, folder);
        },
      };
    },
  };

for (const [what, breakIt] of Object.entries(unreadable)) {
  for (const step of ['added', 'delivered']) {
    test(`abort at ${step}, and a place cannot be read (${what}): it is not called out, the abort stays open, and the same again ends it`, async (t) => {
      const whole = await setUp(t);
      const { stage, old, pinsInTenant, pinsInFile } = whole;
      if (step === 'delivered') assert.equal((await stage.report('next --yes')).step, 'delivered');
      const { options, end } = breakIt(whole);
      const refused = await stage.report('abort --yes', options);
      assert.deepEqual([refused.code, refused.ok, refused.ended], [2, false, null]);
      assert.equal(refused.reason, 'the pins are not at every place');
      assert.ok((refused.details?.length ?? 0) > 0);
      assert.equal((await stage.report('next --yes')).reason, 'it is being taken back: finish that first');
      end();
      assert.equal((await stage.report('abort --yes')).ended, 'aborted');
      assert.deepEqual(
        [stage.pins(), pinsInTenant(), pinsInFile()],
        [[certificateHex(old)], certificateHex(old), certificateHex(old)],
      );
    });
  }
}
