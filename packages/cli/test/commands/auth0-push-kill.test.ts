// The accident this prevents: a push that is killed leaves a place half-written, and nobody can say what stands there. 8 kills;
// CERTPIN_PUSH_KILLS=50 node --import tsx --test packages/cli/test/commands/auth0-push-kill.test.ts is the long form.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startPushStage } from '../push-stage.ts';
import { seededRandom } from '../seeded-random.ts';

const kills = Number(process.env.CERTPIN_PUSH_KILLS ?? 8);
const program = fileURLToPath(new URL('../push-child.ts', import.meta.url));
const [A, B] = ['AB'.repeat(32), 'CD'.repeat(32)];

const random = seededRandom(20_261_129);

for (let round = 0; round < kills; round++) {
  const isUndone = round % 2 === 1;
  // At a request, before or behind it, or a moment later. A whole push makes some 20.
  const [at, isBehind, laterMs] = [random(24), random(2) === 1, random(40)];
  const point = `${isBehind ? `${laterMs} ms behind` : 'before'} request ${at}`;
  test(`kill -9 ${point} of a push, and then ${isUndone ? 'an undo' : 'another push'} (${round + 1} of ${kills})`, async (t) => {
    const stage = await startPushStage(t, { buildMs: 20 });
    const { tenant, current, file, values } = stage;
    stage.write([current, A]);
    const first = await stage.certpin(['auth0', 'push', '--yes', '--values', values]);
    assert.equal(first.code, 0, first.stderr);
    const before = stage.places();
    assert.deepEqual(new Set(before.texts), new Set([`${current},${A}`]));

    stage.write([current, B]);
    const child = fork(program, ['auth0', 'push', '--yes', '--values', values, '--file', file], {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, ...stage.env, TENANT_PORT: new URL(tenant.origin).port, TENANT_CA: tenant.ca },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const ended = once(child, 'exit');
    let count = 0;
    const stop = tenant.onRequest(async (_, proceed) => {
      const isNow = count++ === at;
      if (isNow && !isBehind) child.kill('SIGKILL');
      const answer = await proceed();
      if (isNow && isBehind) setTimeout(() => child.kill('SIGKILL'), laterMs);
      return answer;
    });
    await ended;
    stop();

    if (isUndone) {
      const undone = await stage.certpin(['auth0', 'push', '--undo', '--yes', '--values', values]);
      // Of a push that had written nothing there is nothing to take back.
      const { texts, rest } = stage.places();
      assert.deepEqual(rest, before.rest, `killed at ${at}`);
      const hasBegun =
        stage
          .read('certpin.journal.jsonl')
          .split('\n')
          .filter((one) => one.includes('"begin"')).length > 1;
      if (hasBegun && undone.code === 0)
        assert.deepEqual(new Set(texts), new Set([`${current},${A}`]), `killed at ${at}`);
      else assert.match(undone.stderr, /nothing was written/);
    }
    const again = await stage.certpin(['auth0', 'push', '--yes', '--values', values]);
    assert.equal(again.code, 0, `killed at ${at}: ${again.stderr}${again.stdout}`);
    const { texts, rest } = stage.places();
    assert.deepEqual([new Set(texts), rest], [new Set([`${current},${B}`]), before.rest], `killed at ${at}`);
    assert.equal(stage.read('deploy.env'), `DB_PINS=${current},${B}\n`);
    assert.equal((await stage.certpin(['auth0', 'diff'])).code, 0);
  });
}
