// The accident this prevents: a push that is killed leaves a place half-written, and nobody can say what stands there. Each way of a kill once;
// 50 kills in the long form: CERTPIN_LONG=1 node --import tsx --test packages/cli/test/commands/auth0-push-kill.test.ts
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isLong, stopClock } from '@certpin/testkit';
import { Random } from '@certpin/testkit/random';
import type { RequestHook } from '@certpin/testkit/tenant';
import { startPushStage } from '../push-stage.ts';

const kills = isLong ? 50 : 4;
const program = fileURLToPath(new URL('../push-child.ts', import.meta.url));
const killAt = new URL('../rotate/kill-at.mjs', import.meta.url).href;
const [A, B] = ['AB'.repeat(32), 'CD'.repeat(32)];

/** The tenant's clock goes on with each request alone. A build has not ended at the first look, and has ended at the second one. */
const [REQUEST_MS, BUILD_MS] = [200, 300];

/** A tenant with the pins of a first push, and a pins file with others. */
async function start(t: TestContext) {
  const pass = stopClock(t);
  const stage = await startPushStage(t, { buildMs: BUILD_MS });
  const { tenant, folder, current, values, file } = stage;
  tenant.onRequest((_, proceed) => {
    pass(REQUEST_MS);
    return proceed();
  });
  const words = ['auth0', 'push', '--yes', '--values', values];
  stage.write([current, A]);
  const first = await stage.certpin(words);
  assert.equal(first.code, 0, first.stderr);
  stage.write([current, B]);
  /** Pushes in a process of its own. @param changes it kills itself behind so many changes of files */
  const begin = (changes = Number.POSITIVE_INFINITY): ChildProcess =>
    fork(program, [...words, '--file', file], {
      execArgv: ['--import', 'tsx', '--import', killAt],
      env: {
        ...process.env,
        ...stage.env,
        ...{ TENANT_PORT: new URL(tenant.origin).port, TENANT_CA: tenant.ca },
        ...{ CERTPIN_KILL_AT: String(changes), CERTPIN_KILL_IN: realpathSync(folder) },
      },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
  return { ...stage, words, begin };
}

/** What it has sent has arrived too. */
const end = (child: ChildProcess): Promise<unknown> => Promise.all([once(child, 'exit'), once(child, 'disconnect')]);

interface Counts {
  readonly requests: number;
  /** Of files. */
  readonly changes: number;
}

interface Kill {
  readonly when: string;
  /** It kills itself. */
  readonly changes?: number;
  /** The tenant kills it. @param index of the request, from 0 */
  readonly onRequest?: (
    index: number,
    kill: () => void,
    proceed: Parameters<RequestHook>[1],
  ) => ReturnType<RequestHook>;
}

/** Each of them while the push is under way. */
const ways: readonly ((random: Random, counts: Counts) => Kill)[] = [
  (random, { requests }) => {
    const at = random.below(requests);
    return {
      when: `before request ${at + 1} of ${requests}`,
      onRequest: async (index, kill, proceed) => {
        if (index !== at) return proceed();
        kill();
        return 'hang';
      },
    };
  },
  (random, { requests }) => {
    const at = random.below(requests);
    return {
      when: `behind request ${at + 1} of ${requests}, without its answer`,
      onRequest: async (index, kill, proceed) => {
        const answer = await proceed();
        if (index !== at) return answer;
        kill();
        return 'hang';
      },
    };
  },
  (random, { requests }) => {
    const [at, laterMs] = [random.below(requests - 1), random.below(40)];
    return {
      when: `${laterMs} ms behind the answer to request ${at + 1} of ${requests}`,
      onRequest: async (index, kill, proceed) => {
        // A push that is faster than the kill waits for it here.
        if (index === requests - 1) return 'hang';
        const answer = await proceed();
        if (index === at) setTimeout(kill, laterMs);
        return answer;
      },
    };
  },
  (random, { changes }) => {
    const at = 1 + random.below(changes);
    return { when: `behind change ${at} of ${changes} of a file`, changes: at };
  },
];

test(`${kills} pushes that are killed by kill -9, and then another push or an undo`, async (t) => {
  let counts: Counts = { requests: 0, changes: 0 };
  await t.test('a push that nobody kills is counted', async (t) => {
    const { tenant, begin } = await start(t);
    let [requests, changes] = [0, 0];
    tenant.onRequest((_, proceed) => {
      requests++;
      return proceed();
    });
    const child = begin().on('message', () => changes++);
    await end(child);
    assert.equal(child.exitCode, 0);
    counts = { requests, changes };
    t.diagnostic(JSON.stringify(counts));
  });
  assert.ok(counts.requests > 10 && counts.changes > 10, JSON.stringify(counts));

  const random = new Random('kills of a push');
  for (let round = 0; round < kills; round++) {
    // Each way comes with either end.
    const way = ways[round % ways.length] ?? assert.fail();
    const isUndone = (round + Math.floor(round / ways.length)) % 2 === 1;
    const { when, changes, onRequest } = way(random, counts);
    await t.test(`${round + 1}: ${when}, and then ${isUndone ? 'an undo' : 'another push'}`, async (t) => {
      const stage = await start(t);
      const { tenant, current, words, begin } = stage;
      const before = stage.places();
      assert.deepEqual(new Set(before.texts), new Set([`${current},${A}`]));
      const child = begin(changes);
      let index = 0;
      const stop = tenant.onRequest(
        async (_, proceed) => onRequest?.(index++, () => child.kill('SIGKILL'), proceed) ?? proceed(),
      );
      await end(child);
      stop();
      assert.equal(child.signalCode, 'SIGKILL');

      if (isUndone) {
        const lines = stage.read('certpin.journal.jsonl').split('\n');
        const ofKilled = lines.slice(lines.findIndex((line) => line.includes('"end"')) + 1);
        const undone = await stage.certpin(['auth0', 'push', '--undo', '--yes', '--values', stage.values]);
        // Of a push that had written nothing there is nothing to take back.
        if (ofKilled.some((line) => line.includes('"writing"'))) assert.equal(undone.code, 0, undone.stderr);
        else assert.match(undone.stderr, /nothing was written/);
        const { texts, rest } = stage.places();
        assert.deepEqual([new Set(texts), rest], [new Set([`${current},${A}`]), before.rest]);
        assert.equal(stage.read('deploy.env'), `DB_PINS=${current},${A}\n`);
      }
      const again = await stage.certpin(words);
      assert.equal(again.code, 0, `${again.stderr}${again.stdout}`);
      const { texts, rest } = stage.places();
      assert.deepEqual([new Set(texts), rest], [new Set([`${current},${B}`]), before.rest]);
      assert.equal(stage.read('deploy.env'), `DB_PINS=${current},${B}\n`);
      assert.equal((await stage.certpin(['auth0', 'diff'])).code, 0);
    });
  }
});
