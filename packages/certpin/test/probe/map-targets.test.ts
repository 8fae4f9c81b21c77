import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type MapTargetsOptions, mapTargets, type TargetOutcome, type Targets } from '../../src/probe/index.ts';

async function collect<Target, Answer>(
  targets: Targets<Target>,
  ask: (target: Target, signal: AbortSignal) => Promise<Answer>,
  options?: MapTargetsOptions,
): Promise<TargetOutcome<Target, Answer>[]> {
  const answers: TargetOutcome<Target, Answer>[] = [];
  for await (const asked of mapTargets(targets, ask, options)) answers.push(asked);
  return answers;
}

const never = (): Promise<never> => new Promise(() => undefined);
const failing = (code: string) => Object.assign(new Error(code), { code });

/** Numbers without end, and how many were read. */
function counting(): { readonly targets: Iterable<number>; readonly read: () => number; readonly left: () => boolean } {
  let read = 0;
  let left = false;
  function* targets(): Generator<number> {
    try {
      for (;;) yield read++;
    } finally {
      left = true;
    }
  }
  return { targets: targets(), read: () => read, left: () => left };
}

describe('a question for each target', () => {
  test('targets and answers are of any kind; what is thrown is an outcome, in whatever way it is thrown', async () => {
    const answers = await collect(
      [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
      ({ name }) => {
        if (name === 'a') throw undefined;
        return name === 'b' ? Promise.reject('no error') : Promise.resolve(7n);
      },
      { order: 'given' },
    );
    assert.deepEqual(answers, [
      { index: 0, target: { name: 'a' }, ok: false, error: undefined },
      { index: 1, target: { name: 'b' }, ok: false, error: 'no error' },
      { index: 2, target: { name: 'c' }, ok: true, answer: 7n },
    ]);
  });

  test('each target once, with its own answer, never more at a time or ahead of the reader than the concurrency', async () => {
    const runs = fc.record({
      delays: fc.array(fc.nat(3), { maxLength: 30 }),
      concurrency: fc.integer({ min: 1, max: 6 }),
      order: fc.constantFrom('finished' as const, 'given' as const),
      isAsync: fc.boolean(),
      readerDelay: fc.nat(2),
    });
    await fc.assert(
      fc.asyncProperty(runs, async ({ delays, concurrency, order, isAsync, readerDelay }) => {
        let read = 0;
        let asking = 0;
        function* each(): Generator<number> {
          for (; read < delays.length; ) yield read++;
        }
        async function* later(): AsyncGenerator<number> {
          for (const target of each()) yield target;
        }
        const ask = async (target: number): Promise<number> => {
          assert.ok(++asking <= concurrency);
          await turns(delays[target] as number);
          asking--;
          return -target;
        };
        const seen: number[] = [];
        for await (const asked of mapTargets(isAsync ? later() : each(), ask, { concurrency, order })) {
          assert.ok(asked.ok && asked.answer === -asked.target && asked.index === asked.target);
          seen.push(asked.target);
          assert.ok(read <= seen.length + concurrency);
          await turns(readerDelay);
        }
        const all = delays.map((_, index) => index);
        assert.deepEqual(order === 'given' ? seen : [...seen].sort((a, b) => a - b), all);
      }),
      { numRuns: 60 },
    );
  });

  test('a slow reader does not keep others from being asked, up to the concurrency', async () => {
    const source = counting();
    for await (const asked of mapTargets(source.targets, async (target) => target, { concurrency: 4 })) {
      await turns(20);
      assert.equal(source.read(), asked.index + 1 + 4);
      if (asked.index === 5) break;
    }
    assert.ok(source.left());
  });

  test('the total time: a question that does not obey its signal is not waited for', { timeout: 10_000 }, async () => {
    const source = counting();
    const answers = await collect(source.targets, never, { concurrency: 3, totalTimeoutMs: 50, order: 'given' });
    assert.deepEqual(
      answers.map(({ index, ok }) => [index, ok]),
      [0, 1, 2].map((index) => [index, false]),
    );
    for (const asked of answers) {
      assert.ok(!asked.ok);
      const { code, details } = asked.error as { code: string; details: object };
      assert.deepEqual({ code, details }, { code: 'ERR_CONNECT_TIMEOUT', details: { timeoutMs: 50 } });
    }
    assert.equal(source.read(), 3);
    assert.ok(source.left());
  });

  test('the total time between two attempts: the last failure is the outcome', { timeout: 10_000 }, async () => {
    const ask = () => Promise.reject(failing('ECONNREFUSED'));
    const [asked] = await collect(['a'], ask, { retries: 10, totalTimeoutMs: 50 });
    assert.ok(asked && !asked.ok);
    assert.equal((asked.error as { code: string }).code, 'ECONNREFUSED');
  });

  test('an answer that comes after the end is no answer', { timeout: 10_000 }, async () => {
    const late: (() => void)[] = [];
    const controller = new AbortController();
    const ask = (target: string, signal: AbortSignal): Promise<string> =>
      target === 'now'
        ? Promise.resolve(target)
        : new Promise((resolve) => late.push(() => resolve(`${signal.aborted}`)));
    const seen: string[] = [];
    for await (const { target } of mapTargets(['late', 'now', 'late'], ask, { signal: controller.signal })) {
      seen.push(target);
      controller.abort();
      for (const answer of late) answer();
    }
    assert.deepEqual(seen, ['now']);
  });

  test('aborted in the given order: what is finished comes, in its order, though an earlier one is missing', async () => {
    const controller = new AbortController();
    const ask = async (target: number): Promise<number> => {
      if (target === 1) return never();
      await turns(10 - target);
      return target;
    };
    const seen: number[] = [];
    const options = { order: 'given', concurrency: 8, signal: controller.signal } as const;
    for await (const { index } of mapTargets([0, 1, 2, 3, 4], ask, options)) {
      seen.push(index);
      await turns(20);
      controller.abort();
    }
    assert.deepEqual(seen, [0, 2, 3, 4]);
  });

  test('a source that fails after the end is not heard; one that fails before is, behind its answers', async () => {
    const controller = new AbortController();
    let fail = (): void => undefined;
    async function* broken(): AsyncGenerator<string> {
      yield 'a';
      await new Promise<void>((resolve) => {
        fail = resolve;
      });
      throw new Error('the list has ended badly');
    }
    const seen: string[] = [];
    for await (const { target } of mapTargets(broken(), async () => 1, { signal: controller.signal })) {
      seen.push(target);
      controller.abort();
      fail();
    }
    assert.deepEqual(seen, ['a']);
    const failingAtTheEnd = (_: string, signal: AbortSignal): Promise<never> => {
      signal.addEventListener('abort', () => fail());
      return never();
    };
    assert.equal((await collect(broken(), failingAtTheEnd, { totalTimeoutMs: 50 })).length, 1);
    const answers: boolean[] = [];
    const rejected = (async () => {
      for await (const { ok } of mapTargets(broken(), () => turns(30))) {
        answers.push(ok);
      }
    })();
    await turns(5);
    fail();
    await assert.rejects(rejected, /ended badly/);
    assert.deepEqual(answers, [true]);
  });

  test('a source that cannot even be left does no harm', async () => {
    const targets: Iterable<number> = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return: () => {
          throw new Error('stay');
        },
      }),
    };
    for await (const { target } of mapTargets(targets, async () => 1)) {
      assert.equal(target, 1);
      break;
    }
  });

  test('asked again after failures of the network alone, and no more often than it was allowed', async () => {
    for (const [code, calls] of [
      ['ECONNRESET', 3],
      ['EAI_AGAIN', 3],
      ['ERR_CONNECT_TIMEOUT', 3],
      ['ENOTFOUND', 1],
      ['ERR_UPGRADE_REFUSED', 1],
      ['XECONNRESET', 1],
    ] as const) {
      let count = 0;
      const ask = () => {
        count++;
        return Promise.reject(failing(code));
      };
      await collect([1], ask, { retries: 2 });
      assert.equal(count, calls, code);
    }
  });

  test('options that cannot be used are refused at once', () => {
    for (const options of [{ concurrency: 0 }, { retries: -1 }, { totalTimeoutMs: 0.5 }, { timeoutMs: 1 } as never]) {
      assert.throws(() => mapTargets([], never, options), { code: 'ERR_OPTION_INVALID' });
    }
  });
});

/** Lets others run, so many times. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
