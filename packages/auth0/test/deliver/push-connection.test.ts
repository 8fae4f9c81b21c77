import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mint } from '@certpin/testkit';
import {
  ask,
  codes,
  configuration,
  customers,
  LOGIN,
  plainConnection,
  rest,
  type Stage,
  said,
  script,
  startStage,
  statuses,
  writeValues,
} from './stage.ts';

/** What everybody writes first: the pins alone. */
async function pushNaively(stage: Stage, id: string): Promise<void> {
  await ask(stage, 'PATCH', `connections/${id}`, { options: { configuration: { DB_PINS: stage.pins } } });
}

for (const ciphertext of ['echo', 'encrypted-twice'] as const) {
  test(`${ciphertext}: the pins alone erase a connection; push keeps all of it`, async (t) => {
    const stage = await startStage(t, [configuration, script], { tenant: { ciphertext } });
    const { tenant, pins, folder } = stage;
    const id = tenant.addConnection(customers());
    const before = rest(tenant);
    const done = await stage.push({ values: writeValues(folder) });
    assert.deepEqual([done.outcome, said(done)], ['done', '']);
    assert.deepEqual(rest(tenant), before);
    const { options } = plainConnection(tenant);
    assert.deepEqual(options.configuration, { DB_PINS: pins, DB_PASSWORD: 'correct-horse' });
    assert.ok(
      (options.customScripts as { login: string }).login.includes(`const DB_PINS = '${pins}'; // certpin: customer-db`),
    );

    await pushNaively(stage, id);
    assert.notDeepEqual(rest(tenant), before);
    assert.deepEqual(plainConnection(tenant).options, { configuration: { DB_PINS: pins } });
  });
}

test('a second push finds the pins there by its witness, and writes nothing', async (t) => {
  const stage = await startStage(t, [configuration, script]);
  stage.tenant.addConnection(customers());
  const values = writeValues(stage.folder);
  assert.equal((await stage.push({ values })).outcome, 'done');
  const count = stage.writes();
  const again = await stage.push();
  assert.deepEqual([again.outcome, again.push, stage.writes()], ['done', undefined, count]);
  assert.deepEqual(statuses(again), ['same', 'same']);
  assert.match(again.outcomes[0]?.reason ?? '', /as a witness shows$/);
});

test('another key of the configuration is demanded where nobody knows whether the tenant takes its ciphertext', async (t) => {
  const stage = await startStage(t, [configuration], { tenant: { ciphertext: 'encrypted-twice' } });
  stage.tenant.addConnection(customers());
  const before = stage.tenant.plaintext();
  const done = await stage.push();
  assert.deepEqual([done.outcome, codes(done)], ['refused', ['ERR_VALUES']]);
  assert.match(said(done), /\(DB_PASSWORD\): give them with --values, or measure with certpin auth0 learn/);
  assert.deepEqual([stage.tenant.plaintext(), stage.writes()], [before, 0]);
});

test('without the scopes of options a tenant hides them: nothing is written', async (t) => {
  const stage = await startStage(t, [configuration], {
    tenant: { scopes: ['read:connections', 'update:connections'] },
  });
  stage.tenant.addConnection(customers());
  const before = stage.tenant.plaintext();
  const done = await stage.push({ values: writeValues(stage.folder) });
  assert.equal(done.outcome, 'refused');
  assert.match(said(done), /read:connections_options and update:connections_options/);
  assert.deepEqual([stage.tenant.plaintext(), stage.writes()], [before, 0]);
});

test('the scope to write them is missing: the tenant says so, and nothing has changed', async (t) => {
  const scopes = ['read:connections', 'read:connections_options', 'update:connections'];
  const stage = await startStage(t, [configuration], { tenant: { scopes } });
  stage.tenant.addConnection(customers());
  const before = rest(stage.tenant);
  const done = await stage.push({ values: writeValues(stage.folder) });
  assert.equal(done.outcome, 'failed');
  assert.match(said(done), /insufficient_scope/);
  assert.deepEqual(rest(stage.tenant), before);
  assert.deepEqual(statuses(done), ['failed']);
});

test('display_name and realms stay where a tenant sets those that are left out', async (t) => {
  const stage = await startStage(t, [configuration], { tenant: { realms: 'renamed' } });
  stage.tenant.addConnection(customers());
  await stage.push({ values: writeValues(stage.folder) });
  const { display_name, realms } = plainConnection(stage.tenant);
  assert.deepEqual([display_name, realms], ['Our customers', ['customers', 'example.com']]);
});

test('options that cannot be written together are named, and lost only where somebody says so', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers({ passwordPolicy: 'good' }));
  const values = writeValues(stage.folder);
  const refused = await stage.push({ values });
  assert.deepEqual([refused.outcome, codes(refused), stage.writes()], ['refused', ['ERR_LOSS'], 0]);
  assert.match(said(refused), /password_options together with passwordPolicy/);
  assert.equal((await stage.push({ values, drop: ['passwordPolicy'] })).outcome, 'done');
  const { options } = plainConnection(stage.tenant);
  assert.equal('passwordPolicy' in options, false);
  assert.deepEqual(options.password_options, { history: { active: true, size: 7 } });
});

test('a null that hangs logins when it is written back is refused; other nulls stay', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers({ non_persistent_attrs: null, upstream_params: null }));
  const values = writeValues(stage.folder);
  assert.match(said(await stage.push({ values })), /non_persistent_attrs is null/);
  assert.equal((await stage.push({ values, drop: ['non_persistent_attrs'] })).outcome, 'done');
  assert.equal(plainConnection(stage.tenant).options.upstream_params, null);
});

test('what somebody else writes between the plan and the write is not overwritten', async (t) => {
  const stage = await startStage(t, [configuration]);
  const { tenant } = stage;
  const id = tenant.addConnection(customers());
  const done = await stage.push({
    values: writeValues(stage.folder),
    confirm: async () => {
      await pushNaively(stage, id);
      return true;
    },
  });
  assert.deepEqual([done.outcome, codes(done)], ['failed', ['ERR_CHANGED']]);
  assert.deepEqual(plainConnection(tenant).options, { configuration: { DB_PINS: stage.pins } });
});

test('what stands there otherwise after the write is told; the undo is named, and nothing is written again', async (t) => {
  const stage = await startStage(t, [configuration]);
  const { tenant, folder } = stage;
  tenant.addConnection(customers());
  let patches = 0;
  tenant.onRequest(async ({ method, path }, proceed) => {
    const answer = await proceed();
    // A colleague, a moment later.
    if (method === 'PATCH' && ++patches === 1) await ask(stage, 'PATCH', path, { show_as_button: true });
    return answer;
  });
  const done = await stage.push({ values: writeValues(folder) });
  assert.deepEqual([done.outcome, codes(done)], ['failed', ['ERR_DIFFERENCE']]);
  assert.match(said(done), /show_as_button/);
  assert.equal(patches, 2); // ours, and the colleague's
  assert.equal(statSync(done.snapshot ?? '').mode & 0o777, 0o600);
  assert.equal(statSync(join(folder, 'certpin.snapshots')).mode & 0o777, 0o700);
});

for (const reached of [true, false]) {
  test(`an answer of 502 is followed by a look: the write was ${reached ? 'made, and is not made again' : 'not made, and is made once'}`, async (t) => {
    const stage = await startStage(t, [configuration]);
    const { tenant } = stage;
    tenant.addConnection(customers());
    const before = rest(tenant);
    let broken = 0;
    let made = 0;
    tenant.onRequest(async ({ method }, proceed) => {
      if (method !== 'PATCH') return proceed();
      if (broken++ > 0) {
        made++;
        return proceed();
      }
      if (reached) {
        made++;
        await proceed();
      }
      return { status: 502, body: { message: 'Bad \u001B[2JGateway' } };
    });
    const done = await stage.push({ values: writeValues(stage.folder) });
    assert.deepEqual([done.outcome, said(done)], ['done', '']);
    assert.equal(made, 2); // the options, and the witness
    assert.deepEqual(rest(tenant), before);
  });
}

test('the rate limit is waited for as its headers say', async (t) => {
  const stage = await startStage(t, [configuration], { tenant: { rateLimit: { requests: 2, windowMs: 1_200 } } });
  stage.tenant.addConnection(customers());
  const waits: string[] = [];
  const done = await stage.push({ values: writeValues(stage.folder), onProgress: (text) => waits.push(text) });
  assert.deepEqual([done.outcome, said(done)], ['done', '']);
  assert.ok(waits.includes('waiting for the rate limit of the tenant'));
});

test('the set has to match what every address presents, and an address that is down is refused or named', async (t) => {
  const [one, other] = [await mint({ validToDays: 300 }), await mint({ validToDays: 300 })];
  const stage = await startStage(t, [configuration], { addresses: [one, other, undefined] });
  stage.tenant.addConnection(customers());
  const values = writeValues(stage.folder);
  const refused = await stage.push({ values });
  assert.deepEqual([refused.outcome, codes(refused), stage.writes()], ['refused', ['ERR_UNION', 'ERR_UNION'], 0]);
  assert.match(said(refused), /at 127\.0\.0\.2 matches none of the pins/);
  assert.match(said(refused), /not reached at 127\.0\.0\.3 .*--unreached 127\.0\.0\.3 goes on/);
  const { certificateHex } = await import('@certpin/testkit');
  stage.write({ pins: [certificateHex(one), certificateHex(other)] });
  assert.deepEqual(codes(await stage.push({ values })), ['ERR_UNION']);
  for (const name of ['127.0.0.3', 'customer-db']) {
    assert.equal((await stage.push({ values, unreached: [name], dryRun: true })).outcome, 'done');
  }
  assert.equal((await stage.push({ values, unreached: ['127.0.0.3'] })).outcome, 'done');
});

test('only a revoked pin may be presented and not be written', async (t) => {
  const [one, other] = [await mint({ validToDays: 300 }), await mint({ validToDays: 300 })];
  const stage = await startStage(t, [configuration], { addresses: [one, other] });
  stage.tenant.addConnection(customers());
  const values = writeValues(stage.folder);
  const { certificateHex } = await import('@certpin/testkit');
  const revoked = [{ pin: certificateHex(other), since: '2026-11-02' }];
  assert.equal((await stage.push({ values })).outcome, 'refused');
  stage.write({ revoked });
  assert.equal((await stage.push({ values })).outcome, 'done');
});

test('addresses change while somebody thinks about the answer: they are asked again before the first write', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers());
  const second = await mint({ validToDays: 300 });
  const { startAddresses } = await import('@certpin/testkit');
  const moved = await startAddresses([second]);
  t.after(moved.close);
  let answered = false;
  const done = await stage.push({
    values: writeValues(stage.folder),
    confirm: async () => {
      answered = true;
      return true;
    },
    lookup: ((host: string, how: object, done: (...given: unknown[]) => void) => {
      if (!answered) return stage.lookup(host, how, done as never);
      done(null, [{ address: '127.0.0.9', family: 4 }]);
    }) as never,
  });
  assert.deepEqual([done.outcome, codes(done), stage.writes()], ['refused', ['ERR_UNION'], 0]);
});

test('a marked line in a comment, or there twice, is no place', async (t) => {
  const stage = await startStage(t, [script]);
  stage.tenant.addConnection({ ...customers(), name: 'customers' });
  const again = async (login: string): Promise<string> => {
    const own = await startStage(t, [script]);
    own.tenant.addConnection(customers({ customScripts: { login }, configuration: {} }));
    const done = await own.push();
    assert.deepEqual([done.outcome, own.writes()], ['refused', 0]);
    return said(done);
  };
  assert.match(await again(`/*\n${LOGIN.split('\n')[0]}\n*/\nfunction login() {}`), /there is no line/);
  assert.match(await again(`const a = \`\n${LOGIN.split('\n')[0]}\n\`;`), /there is no line/);
  assert.match(await again(`${LOGIN}${LOGIN.replace('DB_PINS', 'OTHER').split('\n')[0]}\n`), /there are several lines/);
  assert.match(await again('const DB_PINS = process.env.X; // certpin: customer-db\n'), /is not of the form/);
  assert.match(await again("const A = '', B = ''; // certpin: customer-db\n"), /is not of the form/);
  assert.match(await again('function login( {'), /not JavaScript/);
});

test('a connection that is no custom database has no reader of pins', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers({ enabledDatabaseCustomization: false }));
  assert.match(said(await stage.push({ values: writeValues(stage.folder) })), /is not a custom database/);
  assert.equal(stage.writes(), 0);
});

test('a tenant of another name is listed, and not written', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers());
  const done = await stage.push({ env: { ...stage.tenant.credentials, AUTH0_DOMAIN: 'other.eu.auth0.com' } });
  assert.deepEqual([done.outcome, statuses(done)], ['done', ['elsewhere']]);
  assert.equal(stage.tenant.requests.length, 0);
  const missing = await stage.push({ env: {} });
  assert.deepEqual([missing.outcome, codes(missing)], ['unknown', ['ERR_CREDENTIALS']]);
});

test('private_key_jwt and a token are credentials too; a wrong secret is told without it', async (t) => {
  const stage = await startStage(t, [script]);
  const { tenant, folder } = stage;
  tenant.addConnection(customers({ configuration: {} }));
  const { writeFileSync } = await import('node:fs');
  const path = join(folder, 'key.pem');
  writeFileSync(path, tenant.privateKey);
  const { AUTH0_CLIENT_SECRET: _, ...named } = tenant.credentials;
  for (const env of [
    { ...named, AUTH0_CLIENT_SIGNING_KEY_PATH: path },
    { AUTH0_DOMAIN: tenant.domain, AUTH0_ACCESS_TOKEN: tenant.issueToken() },
  ]) {
    assert.deepEqual(codes(await stage.push({ env, dryRun: true })), []);
  }
  const wrong = await stage.push({ env: { ...named, AUTH0_CLIENT_SECRET: 'not-this-one' } });
  assert.deepEqual([wrong.outcome, codes(wrong)], ['unknown', ['ERR_CREDENTIALS']]);
  assert.ok(!said(wrong).includes('not-this-one'));
});

test('what a tenant says reaches nobody with orders for a terminal in it, and a redirect is not followed', async (t) => {
  const stage = await startStage(t, [script]);
  stage.tenant.addConnection(customers({ configuration: {} }));
  const stop = stage.tenant.onRequest(async ({ path }, proceed) =>
    path === '/oauth/token'
      ? proceed()
      : { status: 403, body: { message: 'no\u001B[2J\n\u202Eyes', errorCode: 'x\r\ny' } },
  );
  const refused = await stage.push();
  assert.ok(!/\p{Cc}|\p{Cf}/u.test(said(refused)), said(refused));
  stop();
  let elsewhere = 0;
  const done = await stage.push({
    fetch: (async (url: string, init: RequestInit) => {
      assert.equal(init.redirect, 'error');
      elsewhere++;
      return stage.tenant.fetch(url, init);
    }) as typeof fetch,
  });
  assert.equal(done.outcome, 'done');
  assert.ok(elsewhere > 0);
});

test('a dry run writes nothing, neither in the tenant nor beside the pins file', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers());
  const done = await stage.push({ values: writeValues(stage.folder), dryRun: true });
  assert.deepEqual([done.outcome, statuses(done), stage.writes()], ['done', ['would-write'], 0]);
  assert.deepEqual(readdirSync(stage.folder).sort(), ['certpin.json', 'values.secret']);
});
