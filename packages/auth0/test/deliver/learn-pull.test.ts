import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { stopClock } from '@certpin/testkit';
import { type DeliverOptions, diffDeliveries, learn, pullDeliveries } from '../../src/deliver/index.ts';
import { nodeOf } from '../nodes.ts';
import { runActions, runInContainers } from '../run/tenant-container.ts';
import {
  actionCode,
  ask,
  configuration,
  customers,
  DOMAIN,
  plainConnection,
  type Stage,
  script,
  secret,
  startStage,
  writeValues,
} from './stage.ts';

const runner = () => {
  const node = { node: nodeOf(22) };
  return { runContainer: runInContainers(node), runAction: runActions(node) };
};
const times = { watchMs: 3_000, everyMs: 1 };
const learnt = ({ file, options }: Stage, more: object = {}) => learn(file, { ...options, ...times, ...more });

/** Time passes with the requests alone, a tenth of a second with each login: how fast the machine is does not matter. */
function countTime(t: TestContext, { tenant }: Stage): void {
  const pass = stopClock(t, [Date, performance]);
  tenant.onRequest(async ({ path }, proceed) => {
    pass(path === '/oauth/token' ? 100 : 1);
    return proceed();
  });
}

for (const ciphertext of ['echo', 'encrypted-twice'] as const) {
  for (const nameOnlySecrets of ['kept', 'emptied'] as const) {
    test(`learn finds out that ciphertext is ${ciphertext} and secrets are ${nameOnlySecrets}, and leaves nothing behind`, async (t) => {
      const tenant = {
        ciphertext,
        nameOnlySecrets,
        realms: 'renamed',
        containers: { count: 2, livesMs: 500 },
        ...runner(),
      } as const;
      const stage = await startStage(t, [configuration, secret], { tenant });
      stage.tenant.addConnection(customers());
      stage.tenant.addAction({ name: 'post-login', code: '', secrets: { DB_PINS: 'old', API_KEY: 'battery-staple' } });
      const before = stage.tenant.plaintext();
      countTime(t, stage);
      const lesson = await learnt(stage);
      assert.deepEqual(lesson.notes, []);
      const { echo, realms, firstSeenSeconds, oldestContainerSeconds } = lesson;
      assert.deepEqual(
        [echo, lesson.nameOnlySecrets, realms],
        [ciphertext === 'echo', nameOnlySecrets === 'kept', 'changed'],
      );
      // One of the containers ends after a quarter of a second, and the other one after half a second.
      const [seen, oldest] = [firstSeenSeconds ?? 0, oldestContainerSeconds ?? 0];
      assert.ok(0.2 < seen && seen < 0.6 && 0.2 < oldest && oldest < 0.7, JSON.stringify(lesson));
      assert.deepEqual(stage.tenant.plaintext(), before);

      // Only what was seen lifts the worst case.
      const pushed = await stage.push();
      const isLifted = ciphertext === 'echo' && nameOnlySecrets === 'kept';
      assert.equal(pushed.outcome, isLifted ? 'done' : 'refused');
      if (!isLifted) assert.deepEqual([stage.tenant.plaintext()], [before]);
      else {
        assert.deepEqual(plainConnection(stage.tenant).options.configuration, {
          DB_PINS: stage.pins,
          DB_PASSWORD: 'correct-horse',
        });
        assert.deepEqual(stage.tenant.plaintext().actions['post-login']?.deployed?.secrets, {
          DB_PINS: stage.pins,
          API_KEY: 'battery-staple',
        });
      }
    });
  }
}

test('learn cleans up where it fails half-way, and where somebody ends it', async (t) => {
  const stage = await startStage(t, [configuration], { tenant: runner() });
  const before = stage.tenant.plaintext();
  const stop = stage.tenant.onRequest(async ({ method }, proceed) =>
    method === 'PATCH' ? { status: 403, body: { message: 'no', errorCode: 'insufficient_scope' } } : proceed(),
  );
  await assert.rejects(learnt(stage), /insufficient_scope/);
  assert.deepEqual(stage.tenant.plaintext(), before);
  stop();
  const interrupt = new AbortController();
  const end = (text: string): void => void (text.startsWith('watching') && interrupt.abort());
  await assert.rejects(learnt(stage, { signal: interrupt.signal, onProgress: end }), { name: 'AbortError' });
  assert.deepEqual(stage.tenant.plaintext(), before);
});

test('where no login can be had, what scripts see is not known, and nothing is lifted', async (t) => {
  const stage = await startStage(t, [configuration], { tenant: { ...runner(), grants: ['client_credentials'] } });
  const { echo, notes } = await learnt(stage);
  assert.equal(echo, null);
  assert.match(notes.join(), /unauthorized_client/);
  stage.tenant.addConnection(customers());
  assert.equal((await stage.push()).outcome, 'refused');
});

test('what was learnt of one tenant is not taken for another', async (t) => {
  const stage = await startStage(t, [configuration], { tenant: runner() });
  countTime(t, stage);
  stage.tenant.addConnection(customers());
  assert.equal((await learnt(stage)).echo, true);
  const { readFileSync, writeFileSync } = await import('node:fs');
  const path = stage.file.replace('.json', '.learned.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace(DOMAIN, 'other.eu.auth0.com'));
  assert.equal((await stage.push()).outcome, 'refused');
});

test('diff: read, witnessed, unknown, changed by somebody else; and a tenant that is not this one', async (t) => {
  const elsewhere = { ...configuration, tenant: 'other.eu.auth0.com' } as const;
  const stage = await startStage(t, [configuration, script, elsewhere]);
  const id = stage.tenant.addConnection(customers());
  const diff = async () =>
    (await diffDeliveries(stage.file, [], stage.options)).places.map(({ status, by }) => `${status} ${by}`);
  assert.deepEqual(await diff(), ['unknown null', 'differs read', 'elsewhere null']);
  await stage.push({ values: writeValues(stage.folder) });
  assert.deepEqual(await diff(), ['same witness', 'same read', 'elsewhere null']);
  stage.write({ pins: [stage.current] });
  assert.deepEqual(await diff(), ['differs witness', 'differs read', 'elsewhere null']);
  const { options } = plainConnection(stage.tenant);
  await ask(stage, 'PATCH', `connections/${id}`, { options });
  assert.deepEqual(await diff(), ['unknown null', 'differs read', 'elsewhere null']);
});

const pull = (stage: Stage, agreed = true, more: Partial<DeliverOptions> = {}) =>
  pullDeliveries(stage.file, [], { ...stage.options, ...more }, async () => agreed);

test('pull takes what can be read, after a question, and says what it cannot know', async (t) => {
  const stage = await startStage(t, [configuration, actionCode]);
  stage.tenant.addConnection(customers());
  const code = `const DB_PINS = '${stage.current}'; // certpin: customer-db`;
  stage.tenant.addAction({ name: 'post-login', code });
  const before = stage.read('certpin.json');
  assert.deepEqual(
    (await pull(stage, false)).map(({ status }) => status),
    ['declined'],
  );
  assert.equal(stage.read('certpin.json'), before);
  assert.deepEqual(
    (await pull(stage)).map(({ status }) => status),
    ['changed'],
  );
  assert.deepEqual(JSON.parse(stage.read('certpin.json')).targets[0].pins, [stage.current]);
  assert.deepEqual(
    (await pull(stage)).map(({ status }) => status),
    ['same'],
  );
  stage.write({ deliver: [configuration] });
  const [unknown] = await pull(stage);
  assert.equal(unknown?.status, 'unknown');
  assert.match(unknown?.reason ?? '', /it is ciphertext/);
});

test('pull takes no revoked pin, nothing that is no pin, and nothing where places differ', async (t) => {
  const stage = await startStage(t, [script, actionCode]);
  const leaked = 'CD'.repeat(32);
  const line = (pins: string): string => `const DB_PINS = '${pins}'; // certpin: customer-db\n`;
  stage.tenant.addConnection(customers({ customScripts: { login: line(leaked) } }));
  stage.tenant.addAction({ name: 'post-login', code: line('not a pin') });
  assert.deepEqual(
    (await pull(stage)).map(({ status, reason }) => `${status} ${reason}`),
    ['refused its places have different pins: certpin auth0 diff shows them'],
  );
  stage.write({ deliver: [script], revoked: [{ pin: leaked, since: '2026-11-02' }] });
  assert.match((await pull(stage))[0]?.reason ?? '', /have a revoked pin/);
  stage.write({ deliver: [actionCode] });
  assert.match((await pull(stage))[0]?.reason ?? '', /not a list of pins/);
});
