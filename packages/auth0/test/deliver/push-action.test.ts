import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ActionSeed } from '@certpin/testkit/tenant';
import { actionCode, ask, codes, DOMAIN, said, secret, startStage, statuses, writeValues } from './stage.ts';

const CODE = `const DB_PINS = ''; // certpin: customer-db
exports.onExecutePostLogin = async () => { await ask(DB_PINS); };
`;
const action: ActionSeed = {
  name: 'post-login',
  code: CODE,
  secrets: { DB_PINS: 'old', API_KEY: 'battery-staple' },
  dependencies: [{ name: 'axios', version: '1.7.0' }],
};
const values = { actions: { 'post-login': { API_KEY: 'battery-staple' } } };

for (const nameOnlySecrets of ['kept', 'emptied'] as const) {
  test(`names of secrets without values are not sent where nobody knows what becomes of them (${nameOnlySecrets})`, async (t) => {
    const stage = await startStage(t, [secret], { tenant: { nameOnlySecrets } });
    stage.tenant.addAction(action);
    const before = stage.tenant.plaintext();
    const refused = await stage.push();
    assert.deepEqual([refused.outcome, codes(refused), stage.writes()], ['refused', ['ERR_VALUES'], 0]);
    assert.match(said(refused), /\(API_KEY\): give them with --values, or put the pins into its code/);
    const done = await stage.push({ values: writeValues(stage.folder, values) });
    assert.deepEqual([done.outcome, said(done)], ['done', '']);
    const { deployed } = stage.tenant.plaintext().actions['post-login'] ?? {};
    assert.deepEqual(deployed, {
      ...before.actions['post-login']?.deployed,
      secrets: { DB_PINS: stage.pins, API_KEY: 'battery-staple' },
    });
    const again = await stage.push();
    assert.deepEqual(statuses(again), ['same']);
  });
}

test('pins in code: the secrets are left out of the write, and stay', async (t) => {
  const stage = await startStage(t, [actionCode], { tenant: { nameOnlySecrets: 'emptied', buildMs: 700 } });
  stage.tenant.addAction(action);
  const before = stage.tenant.plaintext().actions['post-login'];
  const done = await stage.push();
  assert.deepEqual([done.outcome, said(done)], ['done', '']);
  const after = stage.tenant.plaintext().actions['post-login'];
  const code = CODE.replace("''", `'${stage.pins}'`);
  assert.deepEqual(after?.deployed, { ...before?.deployed, code });
  assert.deepEqual(after?.draft, after?.deployed);
});

test('an Action that somebody changes while a person thinks is left as it is', async (t) => {
  const stage = await startStage(t, [actionCode]);
  const id = stage.tenant.addAction(action);
  const refused = await stage.push({
    confirm: async () => {
      await ask(stage, 'PATCH', `actions/actions/${id}`, { code: `${CODE}// half-finished` });
      return true;
    },
  });
  assert.deepEqual([refused.outcome === 'done', codes(refused)], [false, ['ERR_CHANGED']]);
  const { draft, deployed } = stage.tenant.plaintext().actions['post-login'] ?? {};
  assert.deepEqual([draft?.code, deployed?.code], [`${CODE}// half-finished`, CODE]);
});

test('a draft that differs in our line alone is somebody else’s, too', async (t) => {
  const stage = await startStage(t, [actionCode]);
  stage.tenant.addAction({ ...action, draftCode: CODE.replace("''", `'${'CD'.repeat(32)}'`) });
  const refused = await stage.push();
  assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_DRAFT']]);
});

test("somebody's half-finished draft is not published", async (t) => {
  const stage = await startStage(t, [actionCode]);
  const draftCode = CODE.replace('await ask', 'await askInANewWay');
  stage.tenant.addAction({ ...action, draftCode });
  const before = stage.tenant.plaintext();
  const refused = await stage.push();
  assert.deepEqual([refused.outcome, codes(refused), stage.writes()], ['refused', ['ERR_DRAFT'], 0]);
  assert.deepEqual(stage.tenant.plaintext(), before);
});

test('an Action that was never deployed is not deployed by a push', async (t) => {
  const stage = await startStage(t, [actionCode]);
  stage.tenant.addAction({ ...action, deployed: false });
  assert.deepEqual(codes(await stage.push()), ['ERR_DRAFT']);
});

for (const of of ['draft', 'version'] as const) {
  test(`a build of the ${of} that fails: what was deployed goes on running, and a second push finishes`, async (t) => {
    let broken = true;
    const failBuilds = (build: { readonly of: string }): boolean => broken && build.of === of;
    const stage = await startStage(t, [actionCode], { tenant: { failBuilds, buildMs: 50 } });
    stage.tenant.addAction(action);
    const { deployed } = stage.tenant.plaintext().actions['post-login'] ?? {};
    const failed = await stage.push();
    assert.deepEqual([failed.outcome, statuses(failed)], ['failed', ['failed']]);
    assert.match(said(failed), /has failed: .*goes on running/);
    assert.deepEqual(stage.tenant.plaintext().actions['post-login']?.deployed, deployed);
    broken = false;
    const done = await stage.push();
    assert.deepEqual([done.outcome, said(done)], ['done', '']);
    assert.match(stage.tenant.plaintext().actions['post-login']?.deployed?.code ?? '', new RegExp(stage.pins));
  });
}

test('what a push has left in a draft is taken back by --undo', async (t) => {
  let broken = true;
  const stage = await startStage(t, [actionCode], { tenant: { failBuilds: () => broken } });
  stage.tenant.addAction({ ...action, code: CODE.replace("''", `'${stage.current}'`) });
  const before = stage.tenant.plaintext().actions['post-login'];
  assert.equal((await stage.push()).outcome, 'failed');
  broken = false;
  const undone = await stage.undo();
  assert.deepEqual([undone.outcome, said(undone)], ['done', '']);
  const after = stage.tenant.plaintext().actions['post-login'];
  assert.deepEqual([after?.draft, after?.deployed], [before?.draft, before?.deployed]);
});

test('a lost answer to the deploy is followed by a look at the versions', async (t) => {
  const stage = await startStage(t, [actionCode]);
  stage.tenant.addAction(action);
  let lost = 0;
  stage.tenant.onRequest(async ({ path }, proceed) => {
    const answer = await proceed();
    return path.endsWith('/deploy') && lost++ === 0 ? 'hang-up' : answer;
  });
  assert.equal((await stage.push()).outcome, 'done');
  assert.deepEqual([lost, stage.tenant.plaintext().actions['post-login']?.versions], [1, 2]);
});

test('what a colleague writes into the draft while it is built is not deployed', async (t) => {
  const stage = await startStage(t, [actionCode], { tenant: { buildMs: 200 } });
  const { tenant } = stage;
  tenant.addAction(action);
  tenant.onRequest(async ({ method, path, body }, proceed) => {
    const answer = await proceed();
    if (method === 'PATCH' && !JSON.stringify(body).includes('half')) {
      await ask(stage, 'PATCH', path, { code: '// half' });
    }
    return answer;
  });
  const failed = await stage.push();
  assert.equal(failed.outcome, 'failed');
  assert.match(said(failed), /the draft is not what was written \(code\)/);
  assert.equal(tenant.plaintext().actions['post-login']?.deployed?.code, CODE);
});

test('all is planned before the first write: one place that cannot be used keeps the others as they are', async (t) => {
  const missing = { kind: 'action-code', tenant: DOMAIN, action: 'not-there' } as const;
  const file = { kind: 'file', path: 'deploy.env', format: 'env', key: 'DB_PINS' } as const;
  const stage = await startStage(t, [file, actionCode, missing]);
  stage.tenant.addAction(action);
  writeFileSync(join(stage.folder, 'deploy.env'), 'DB_PINS=old\n');
  const before = stage.tenant.plaintext();
  const refused = await stage.push();
  assert.equal(refused.outcome, 'refused');
  assert.match(said(refused), /there is no Action not-there/);
  assert.deepEqual([stage.tenant.plaintext(), stage.read('deploy.env')], [before, 'DB_PINS=old\n']);
});

test('a failure stops, and names what is done and what is not', async (t) => {
  const second = { kind: 'action-code', tenant: DOMAIN, action: 'second' } as const;
  const file = { kind: 'file', path: 'deploy.env', format: 'env', key: 'DB_PINS' } as const;
  const failBuilds = ({ name }: { readonly name: string }): boolean => name === 'second';
  const stage = await startStage(t, [actionCode, second, file], { tenant: { failBuilds } });
  stage.tenant.addAction(action);
  stage.tenant.addAction({ ...action, name: 'second' });
  const failed = await stage.push();
  assert.deepEqual(statuses(failed), ['written', 'failed', 'not-done']);
  assert.equal(failed.outcome, 'failed');
});
