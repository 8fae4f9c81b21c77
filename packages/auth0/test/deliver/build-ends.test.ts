// The accident this prevents: a push was killed while Auth0 built what it had deployed. The build ends while the next push is under way, and
// that push takes it for the work of a colleague.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Place } from '@certpin/pins-file';
import { stopClock } from '@certpin/testkit';
import { actionCode, ask, type Stage, said, secret, startStage, writeValues } from './stage.ts';

/** The clock stands still, so that no build ends by itself. */
const BUILD_MS = 60_000;
const codeWith = (pins: string): string => `const DB_PINS = '${pins}'; // certpin: customer-db\n`;

type Started = Awaited<ReturnType<typeof startAfterKill>>;

/** Drafts are built at once. A version is not, before `endBuilds`. */
async function startAfterKill(t: TestContext, places: readonly Place[] = [actionCode, secret]) {
  const pass = stopClock(t);
  const endBuilds = (): void => pass(BUILD_MS);
  const stage = await startStage(t, places, { tenant: { buildMs: BUILD_MS } });
  const { tenant } = stage;
  const code = codeWith(stage.current);
  const id = tenant.addAction({ name: 'post-login', code, secrets: { DB_PINS: 'old', API_KEY: 'battery-staple' } });
  const askAction = (method: string, path: string, body?: object): Promise<unknown> =>
    ask(stage, method, `actions/actions/${id}${path}`, body);
  // A first version of other code, to which somebody could go back.
  await askAction('PATCH', '', { code: `${code}// newer\n` });
  endBuilds();
  await askAction('POST', '/deploy');
  endBuilds();

  const kill = new AbortController();
  let isKilled = false;
  tenant.onRequest(async ({ method, path }, proceed) => {
    const answer = await proceed();
    if (method === 'PATCH') endBuilds();
    else if (path.endsWith('/deploy') && isKilled) endBuilds();
    else if (path.endsWith('/deploy')) kill.abort();
    return answer;
  });
  const staple = { actions: { 'post-login': { API_KEY: 'battery-staple' } } };
  const how = places.includes(secret) ? { values: writeValues(stage.folder, staple) } : {};
  const before = actionOf(stage);
  const killed = await stage.push({ ...how, signal: kill.signal }).catch(() => undefined);
  isKilled = true;
  assert.notEqual(killed?.outcome, 'done');
  assert.deepEqual(
    [actionOf(stage).versions, actionOf(stage).deployed],
    [3, before.deployed],
    'the build has not ended',
  );
  /** What happens after a push has read the Action, and before it writes. */
  const between = (work: () => Promise<void> | void) => ({
    ...how,
    confirm: async () => {
      await work();
      return true;
    },
  });
  return { stage, before, endBuilds, askAction, between };
}

function actionOf({ tenant }: Stage) {
  const action = tenant.plaintext().actions['post-login'];
  assert.ok(action);
  return action;
}

test('a build that ends between the plan of the next push and its write is nobody’s change', async (t) => {
  const { stage, endBuilds, between } = await startAfterKill(t);
  const { deployed } = actionOf(stage);
  const done = await stage.push(
    between(() => {
      endBuilds();
      assert.notDeepEqual(actionOf(stage).deployed, deployed, 'the build has ended');
    }),
  );
  assert.deepEqual([done.outcome, said(done)], ['done', '']);
  const after = actionOf(stage);
  assert.deepEqual(after.deployed?.secrets, { DB_PINS: stage.pins, API_KEY: 'battery-staple' });
  assert.equal(after.deployed?.code, `${codeWith(stage.pins)}// newer\n`);
  assert.deepEqual(after.draft, after.deployed);
});

test('a build that ends between the plan of an undo and its write is nobody’s change', async (t) => {
  const { stage, endBuilds, between, before } = await startAfterKill(t, [actionCode]);
  const done = await stage.undo(between(endBuilds));
  assert.deepEqual([done.outcome, said(done)], ['done', '']);
  assert.equal(actionOf(stage).deployed?.code, before.deployed?.code);
});

for (const [what, change] of [
  ['the code', { code: '// half-finished\n' }],
  ['dependencies', { dependencies: [{ name: 'axios', version: '1.7.0' }] }],
  ['the runtime', { runtime: 'node18' }],
  ['modules', { modules: [{ module_id: 'half-finished' }] }],
  ['a secret', { secrets: [{ name: 'DB_PINS' }, { name: 'API_KEY', value: 'new-staple' }] }],
] as const) {
  for (const isDeployed of [false, true]) {
    test(`a colleague who changes ${what}${isDeployed ? ', and deploys it,' : ''} is seen, though a build ends too`, async (t) => {
      await refuseAfter(t, async ({ askAction }) => {
        await askAction('PATCH', '', change);
        if (isDeployed) await askAction('POST', '/deploy');
      });
    });
  }
}

test('a colleague who goes back to an earlier version is seen, though a build ends too', async (t) => {
  await refuseAfter(t, async ({ askAction, endBuilds }) => {
    const { versions } = (await askAction('GET', '/versions')) as { versions: { id: string; number: number }[] };
    await askAction('POST', `/versions/${versions.find(({ number }) => number === 1)?.id}/deploy`);
    endBuilds();
  });
});

/** @param change what a colleague does while the second push is under way */
async function refuseAfter(t: TestContext, change: (started: Started) => Promise<void>): Promise<void> {
  const started = await startAfterKill(t);
  const { stage, endBuilds, between } = started;
  let theirs: unknown;
  const refused = await stage.push(
    between(async () => {
      endBuilds();
      await change(started);
      theirs = stage.tenant.plaintext();
    }),
  );
  assert.deepEqual([refused.outcome, refused.problems.map(({ code }) => code)], ['failed', ['ERR_CHANGED']]);
  assert.deepEqual(stage.tenant.plaintext(), theirs);
}
