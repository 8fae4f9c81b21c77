// A deploy publishes the whole draft of an Action. What a colleague has put into it, beside the code, is not for push to publish.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActionSeed } from '@certpin/testkit/tenant';
import { actionCode, ask, codes, type Stage, said, startStage } from './stage.ts';

const action: ActionSeed = {
  name: 'post-login',
  code: "const DB_PINS = ''; // certpin: customer-db\n",
  dependencies: [{ name: 'axios', version: '1.7.0' }],
};
const changes = {
  dependencies: { dependencies: [{ name: 'axios', version: '1.8.0' }] },
  runtime: { runtime: 'node18' },
};

const read = ({ tenant }: Stage) => tenant.plaintext().actions['post-login'];

/** A colleague in the dashboard. */
const change = (stage: Stage, id: string, body: object): Promise<unknown> =>
  ask(stage, 'PATCH', `actions/actions/${id}`, body);

for (const [what, theirs] of Object.entries(changes)) {
  test(`a draft that differs in its ${what} alone is refused`, async (t) => {
    const stage = await startStage(t, [actionCode]);
    const id = stage.tenant.addAction(action);
    await change(stage, id, theirs);
    const [before, count] = [read(stage), stage.writes()];
    const refused = await stage.push();
    assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_DRAFT']]);
    assert.match(said(refused), /^the Action post-login: its draft has changes that are not deployed/);
    assert.deepEqual([read(stage), stage.writes()], [before, count]);
  });

  test(`a draft that a push has left, and whose ${what} a colleague has changed since, is not published`, async (t) => {
    let broken = true;
    const stage = await startStage(t, [actionCode], { tenant: { failBuilds: ({ of }) => broken && of === 'version' } });
    // Something that an undo could bring back.
    const id = stage.tenant.addAction({ ...action, code: action.code.replace("''", `'${stage.current}'`) });
    assert.equal((await stage.push()).outcome, 'failed');
    broken = false;
    await change(stage, id, theirs);
    const before = read(stage);
    assert.notDeepEqual(before?.draft, before?.deployed);
    for (const way of [stage.push, stage.undo]) {
      const refused = await way();
      assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_DRAFT']]);
      assert.deepEqual(read(stage), before);
    }
  });

  test(`a draft whose ${what} a colleague changes while it is built is not deployed`, async (t) => {
    const stage = await startStage(t, [actionCode], { tenant: { buildMs: 200 } });
    const id = stage.tenant.addAction(action);
    const unhook = stage.tenant.onRequest(async ({ method }, proceed) => {
      if (method !== 'PATCH') return proceed();
      unhook();
      const answer = await proceed();
      await change(stage, id, theirs);
      return answer;
    });
    const failed = await stage.push();
    assert.equal(failed.outcome, 'failed');
    assert.match(said(failed), new RegExp(`the draft is not what was written \\(${what}\\)`));
    assert.equal(read(stage)?.versions, 1);
  });
}
