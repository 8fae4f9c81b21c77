import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CloudEvent } from 'cloudevents';
import { createReceivers } from '../../src/notices/create-receivers.ts';
import type { Outcome } from '../../src/notices/receiver.ts';
import type { Message } from '../../src/types.ts';
import { folderFor, HOSTILE, message, secrets, transition } from './support.ts';

const deliver = async (
  command: readonly [string, ...string[]],
  signal: AbortSignal,
  one: Message = message([transition()]),
): Promise<Outcome> => {
  const [receiver] = await createReceivers([{ name: 'page', kind: 'command', command }], {
    source: 'urn:certpin:watch:host',
    readSecret: secrets({}),
  });
  if (receiver === undefined) throw new Error('there is no receiver');
  return receiver.deliver(one, 'whole', signal);
};
const run = (command: readonly [string, ...string[]], one?: Message): Promise<Outcome> =>
  deliver(command, new AbortController().signal, one);

/** A program that writes down its arguments, its environment and its input. */
function recorder(test: TestContext): {
  command: (...args: string[]) => [string, ...string[]];
  read: () => { args: string[]; env: Record<string, string>; input: string };
} {
  const folder = folderFor(test);
  const script = join(folder, 'record.mjs');
  const out = join(folder, 'out.json');
  writeFileSync(
    script,
    `import { existsSync, readFileSync, writeFileSync } from 'node:fs';
     writeFileSync(${JSON.stringify(out)}, JSON.stringify({ args: process.argv.slice(2), env: process.env, input: readFileSync(0, 'utf8') }));`,
  );
  return {
    command: (...args) => [process.execPath, script, ...args],
    read: () => JSON.parse(readFileSync(out, 'utf8')),
  };
}

describe('a command', () => {
  it('gets the event on its standard input, its arguments as they are, and none of our secrets', async (test) => {
    const { command, read } = recorder(test);
    process.env.CERTPIN_TEST_SECRET = 'secret';
    test.after(() => delete process.env.CERTPIN_TEST_SECRET);
    const one = message([transition({ label: 'a:1' })]);
    const args = ['$(touch x)', '; true', '*', '`id`', 'a b', ''];
    assert.deepEqual(await run(command(...args), one), { result: 'delivered', detail: 'it has ended with 0' });
    const { args: got, env, input } = read();
    assert.deepEqual(got, args);
    assert.equal(env.CERTPIN_TEST_SECRET, undefined);
    assert.equal(env.PATH, process.env.PATH);
    const event = new CloudEvent(JSON.parse(input), true);
    assert.deepEqual([event.id, event.subject], [one.id, 'a:1']);
  });

  it('reads what a hostile certificate says as one JSON value in one line', async (test) => {
    for (const reason of HOSTILE) {
      const { command, read } = recorder(test);
      await run(command(), message([transition({ reason })]));
      const { input } = read();
      assert.equal(input.split(/[\r\n\u2028\u2029]/).length, 1);
      assert.ok(JSON.parse(input));
    }
  });

  it('says by its exit code what became of it', async () => {
    const sh = (script: string) => run(['/bin/sh', '-c', script]);
    assert.equal((await sh('exit 0')).result, 'delivered');
    assert.deepEqual(await sh('exit 1'), { result: 'refused', detail: 'it has ended with 1' });
    assert.deepEqual(await sh('exit 75'), { result: 'failed', detail: 'it has ended with 75' });
    assert.deepEqual(await sh('kill -9 $$'), { result: 'failed', detail: 'it was ended by SIGKILL' });
  });

  it('need not read its input, and what it prints is not repeated', async () => {
    const many = message(Array.from({ length: 500 }, (_, number) => transition({ number })));
    assert.equal((await run(['/bin/true'], many)).result, 'delivered');
    assert.doesNotMatch((await run(['/bin/sh', '-c', 'echo secret >&2; echo secret; exit 3'])).detail, /secret/);
  });

  it('that is not there is a failure', async () => {
    assert.deepEqual(await run(['/no/such/program']), { result: 'failed', detail: 'it cannot be started (ENOENT)' });
  });

  for (const [what, end, expected] of [
    [
      'whose time is over has ended when this is told, with all that it has started',
      "trap '' TERM; wait",
      { result: 'failed', detail: 'it did not end in time' },
    ],
    [
      'leaves nothing behind when it has taken a notice',
      'exit 0',
      { result: 'delivered', detail: 'it has ended with 0' },
    ],
    ['leaves nothing behind when it refuses one', 'exit 1', { result: 'refused', detail: 'it has ended with 1' }],
  ] as const) {
    it(what, { timeout: 60_000 }, async (test) => {
      const file = join(folderFor(test), 'pids');
      writeFileSync(file, '');
      const pids = (): number[] => readFileSync(file, 'utf8').trim().split('\n').filter(Boolean).map(Number);
      const haveBegun = `while [ "$(wc -l < ${file})" -lt 2 ]; do sleep 0.02; done`;
      const script = `sleep 600 & echo $! >> ${file}; (sleep 600 & echo $! >> ${file}; wait) & ${haveBegun}; ${end}`;
      const time = new AbortController();
      const outcome = deliver(['/bin/sh', '-c', script], time.signal);
      while (pids().length < 2) await delay(20);
      if (end.endsWith('wait')) time.abort();
      assert.deepEqual(await outcome, expected);
      assert.deepEqual(pids().filter(isAlive), []);
    });
  }

  it('is not begun once its time is over', async (test) => {
    const file = join(folderFor(test), 'out');
    const outcome = await deliver(['/usr/bin/touch', file], AbortSignal.abort());
    assert.deepEqual(outcome, { result: 'failed', detail: 'it did not end in time' });
    assert.equal(existsSync(file), false);
  });
});

/** Where nobody buries the dead, they are still listed. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
