import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { certificateHex, longOnly, mint, startScriptedServer, startTlsServer } from '@certpin/testkit';
import { type ProbeReport, type ScanOptions, scan } from '../../src/probe/index.ts';

const certificate = await mint();

async function serve(t: TestContext) {
  const server = await startTlsServer({ certificate });
  t.after(server.close);
  return { ...server, target: `tls://127.0.0.1:${server.port}` };
}

/** A server that answers no one, and says how many it keeps waiting. */
async function stall(t: TestContext) {
  let open = 0;
  const server = await startScriptedServer((socket) => {
    open++;
    socket.on('close', () => open--);
  });
  t.after(server.close);
  return { target: `tls://127.0.0.1:${server.port}`, open: () => open };
}

async function collect(
  targets: Iterable<string> | AsyncIterable<string>,
  options?: ScanOptions,
): Promise<ProbeReport[]> {
  const reports: ProbeReport[] = [];
  for await (const report of scan(targets, options)) reports.push(report);
  return reports;
}

describe('a scan', () => {
  test('asks every target, of an iterable or an async one, and reports each once', async (t) => {
    const server = await serve(t);
    const targets = Array.from({ length: 40 }, (_, index) => (index % 4 === 0 ? '127.0.0.1:1' : server.target));
    async function* later(): AsyncGenerator<string> {
      for (const target of targets) yield await Promise.resolve(target);
    }
    for (const source of [targets, new Set(['127.0.0.1:1', server.target]), later()]) {
      const reports = await collect(source, { concurrency: 5 });
      const expected = source instanceof Set ? 2 : 40;
      assert.equal(reports.length, expected);
      const good = reports.filter((report) => report.ok);
      assert.equal(good.length, expected === 2 ? 1 : 30);
      assert.ok(good.every((report) => report.ok && report.certificate.sha256 === certificateHex(certificate)));
    }
    assert.deepEqual(await collect([]), []);
  });

  test('reads lazily: never more targets than are asked at the same time, and reports that were taken', async (t) => {
    const server = await serve(t);
    let read = 0;
    function* endless(): Generator<string> {
      for (;;) {
        read++;
        yield server.target;
      }
    }
    let taken = 0;
    for await (const report of scan(endless(), { concurrency: 3 })) {
      assert.ok(report.ok);
      taken++;
      assert.ok(read <= taken + 3, `${read} were read, ${taken} taken`);
      if (taken === 30) break;
    }
  });

  test('keeps the given order where it is asked to, and no more reports than its concurrency', async (t) => {
    const server = await serve(t);
    const slow = await stall(t);
    let read = 0;
    function* targets(): Generator<string> {
      for (const target of [slow.target, ...Array(9).fill(server.target), slow.target, server.target]) {
        read++;
        yield target;
      }
    }
    const oks: boolean[] = [];
    for await (const report of scan(targets(), { concurrency: 4, order: 'given', timeoutMs: 2_000 })) {
      if (oks.length === 0) assert.ok(read <= 5);
      oks.push(report.ok);
    }
    assert.deepEqual(oks, [false, ...Array(9).fill(true), false, true]);
    const finished = await collect([slow.target, server.target], { timeoutMs: 2_000 });
    assert.deepEqual(
      finished.map(({ ok }) => ok),
      [true, false],
    );
  });

  test('asks again after failures of the network, and only after these', async (t) => {
    let calls = 0;
    const flaky = await startScriptedServer((socket) => {
      calls++;
      socket.once('data', () => socket.destroy());
    });
    t.after(flaky.close);
    await collect([`tls://127.0.0.1:${flaky.port}`], { retries: 2 });
    assert.equal(calls, 3);
    calls = 0;
    const refusing = await startScriptedServer((socket) => {
      calls++;
      socket.write('N');
    });
    t.after(refusing.close);
    await collect([`postgres://127.0.0.1:${refusing.port}`], { retries: 2 });
    assert.equal(calls, 1);
  });

  test('ends where it is aborted: what is finished stays, and no connection does', { timeout: 10_000 }, async (t) => {
    const server = await serve(t);
    const slow = await stall(t);
    const controller = new AbortController();
    const reports: ProbeReport[] = [];
    let returned = false;
    function* targets(): Generator<string> {
      try {
        yield server.target;
        for (;;) yield slow.target;
      } finally {
        returned = true;
      }
    }
    for await (const report of scan(targets(), { concurrency: 20, timeoutMs: 0, signal: controller.signal })) {
      reports.push(report);
      controller.abort();
    }
    assert.deepEqual(
      reports.map(({ ok }) => ok),
      [true],
    );
    assert.ok(returned);
    while (slow.open() > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await collect([server.target], { signal: AbortSignal.abort() }), []);
  });

  test('ends after its total time limit: what is under way fails, no other is begun', {
    timeout: 10_000,
  }, async (t) => {
    const slow = await stall(t);
    let read = 0;
    function* targets(): Generator<string> {
      for (;;) {
        read++;
        yield slow.target;
      }
    }
    const reports = await collect(targets(), { timeoutMs: 0, totalTimeoutMs: 300, concurrency: 2, retries: 5 });
    assert.deepEqual(
      reports.map((report) => !report.ok && report.error.code),
      ['ERR_CONNECT_TIMEOUT', 'ERR_CONNECT_TIMEOUT'],
    );
    assert.equal(read, 2);
    while (slow.open() > 0) await new Promise((resolve) => setImmediate(resolve));
    const never: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }),
    };
    assert.deepEqual(await collect(never, { totalTimeoutMs: 100 }), []);
  });

  test('leaves no connection behind when its reader goes', { timeout: 10_000 }, async (t) => {
    const server = await serve(t);
    const slow = await stall(t);
    for await (const report of scan([slow.target, slow.target, server.target], { timeoutMs: 0 })) {
      assert.ok(report.ok);
      break;
    }
    while (slow.open() > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('passes on what its source throws, after the reports of what came before', async (t) => {
    const server = await serve(t);
    const reports: ProbeReport[] = [];
    function* broken(): Generator<string> {
      yield server.target;
      throw new Error('the list has ended badly');
    }
    const read = async (): Promise<void> => {
      for await (const report of scan(broken())) reports.push(report);
    };
    await assert.rejects(read(), /ended badly/);
    assert.equal(reports.length, 1);
  });

  test('refuses options that cannot be used, at once', () => {
    const refused: ScanOptions[] = [
      { concurrency: 0 },
      { retries: -1 },
      { totalTimeoutMs: 0.5 },
      { order: 'random' as never },
      { timeoutMs: -1 },
      { parallel: 1 } as never,
    ];
    for (const options of refused) assert.throws(() => scan([], options), { code: 'ERR_OPTION_INVALID' });
  });

  test('holds fifty thousand targets in bounded memory', longOnly, async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    function* targets(): Generator<string> {
      for (let index = 0; index < 50_000; index++) yield `host-${index}:0`; // no port: nothing is called
    }
    let count = 0;
    let first = 0;
    for await (const report of scan(targets())) {
      assert.ok(!report.ok);
      if (++count === 5_000) {
        gc();
        first = process.memoryUsage().heapUsed;
      }
    }
    gc();
    assert.equal(count, 50_000);
    const grown = process.memoryUsage().heapUsed - first;
    assert.ok(grown < 8 * 1024 * 1024, `${grown} bytes more after 45 000 more targets`);
  });
});
