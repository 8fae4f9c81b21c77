import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { longOnly } from '@certpin/testkit';
import { run } from '../src/run.ts';
import type { SoakResult } from '../src/soak.ts';

interface Run {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function runScript(script: string, args: readonly string[]): Promise<Run> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  return new Promise((resolve) => {
    const options = { timeout: 400_000 };
    execFile(process.execPath, ['--expose-gc', '--import', 'tsx', file, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? error?.signal ?? 0, stdout, stderr }),
    );
  });
}

interface Soaked extends Run {
  readonly ok: boolean;
  readonly results: ReadonlyMap<string, SoakResult>;
  readonly notRun: unknown;
}

/** The short form, of these clients one after another, in one process. */
async function soakShortly(script: string, clients: readonly string[]): Promise<Soaked> {
  const run = await runScript(script, ['--minutes', '0', '--json', '--client', ...clients]);
  assert.match(run.stdout, /^\{/, run.stderr);
  const { ok, results, notRun } = JSON.parse(run.stdout) as { ok: boolean; results: SoakResult[]; notRun: unknown };
  return { ...run, ok, results: new Map(results.map((result) => [result.client, result])), notRun };
}

/** Clients of the short form, and how each tells of a host that fails: nobody listens, and connections are reset. */
const shortly: Readonly<Record<string, readonly string[]>> = {
  mysql2: ['ECONNREFUSED', 'ECONNRESET'],
  pg: ['ECONNREFUSED', 'ECONNRESET'],
  undici: ['ECONNREFUSED', 'ECONNRESET'],
  https: ['ECONNREFUSED', 'ECONNRESET'],
  forward: ['ECONNREFUSED', 'ECONNRESET'],
  // An operation that lost its connection is begun again.
  ioredis: ['ECONNREFUSED'],
  // It wraps what it is refused with.
  tedious: ['ESOCKET', 'ECONNRESET'],
};

describe(
  'under load, while the server fails, restarts, rotates its certificate and is replaced by an impostor',
  longOnly,
  () => {
    let soaked: Soaked;
    before(async () => {
      soaked = await soakShortly('../src/main.ts', Object.keys(shortly));
    });

    test('all of them ran, and nothing was found', () => {
      const { code, ok, stderr, results } = soaked;
      assert.deepEqual({ code, ok }, { code: 0, ok: true }, stderr);
      assert.deepEqual([...results.keys()].sort(), Object.keys(shortly).sort());
      // Nothing else: no warning of Node.
      assert.equal(stderr, [...results.keys()].map((name) => `soak: ${name}\n`).join(''));
    });

    for (const [name, failures] of Object.entries(shortly)) {
      test(`a pool of ${name} holds`, () => {
        const result = soaked.results.get(name);
        assert.ok(result);
        assert.deepEqual(result.faults, {});
        assert.equal(result.impostorBytes, 0);
        assert.deepEqual([result.sockets.after, result.serverConnections], [0, 0]);
        // Everything that was to happen has happened.
        assert.equal(result.rounds, 3);
        assert.ok(result.impostorConnections > 0 && result.handshakes > 0);
        assert.ok((result.refusals.ERR_PIN_MISMATCH ?? 0) > 0);
        for (const failure of failures) assert.ok((result.connectionErrors[failure] ?? 0) > 0, failure);
      });
    }
  },
);

describe('the soak finds a client that', longOnly, () => {
  const faults: Record<string, readonly RegExp[]> = {
    unpinned: [/^the impostor: an operation succeeded$/, /^\d+ application bytes reached the impostor$/],
    'leaks-sockets': [/^\d+ of TCPSocketWrap left after the end$/, /^\d+ connections left at the server$/],
    'leaks-memory': [/^heap grew by \d+ bytes$/, /^external grew by \d+ bytes$/],
    hangs: [/^the pinned server: an operation has no end/],
    'leaves-errors-unheard': [/^unhandled rejection: Error: a rejection/, /^uncaught: Error: a throw/],
    'hides-the-reason': [/^the impostor: failed with ECONNRESET$/],
    'never-recovers': [/^after the failure: failed with ECONNRE/],
  };
  const tried = Object.entries(faults);
  let soaked: Soaked;
  before(async () => {
    soaked = await soakShortly('faulty.ts', [...tried.map(([name]) => name), 'for-another-node']);
  });

  test('fails, and what could not be run is named', () => {
    const { code, ok, notRun } = soaked;
    assert.deepEqual({ code, ok }, { code: 1, ok: false });
    assert.deepEqual(notRun, [{ name: 'for-another-node', reason: 'it needs a newer Node' }]);
  });

  for (const [name, expected] of tried) {
    test(name, () => {
      const found = Object.keys(soaked.results.get(name)?.faults ?? {});
      for (const fault of expected) {
        assert.ok(
          found.some((text) => fault.test(text)),
          `${fault} is not in: ${found.join(', ') || 'nothing'}`,
        );
      }
    });
  }
});

describe('the command line', () => {
  test('stopped from outside, it says where it was', async () => {
    const file = fileURLToPath(new URL('faulty.ts', import.meta.url));
    const args = ['--expose-gc', '--import', 'tsx', file, '--minutes', '0', '--json', '--client', 'hangs'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      // The operation that has no end keeps the first phase for eight seconds.
      if (text.includes('an operation hangs\n')) child.kill('SIGTERM');
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 143, said);
    assert.match(said, /^soak: stopped in hangs, round 1: the pinned server \(\d+ operations\)$/m);
  });

  test('a mistake is exit code 2, and nothing is started', async () => {
    for (const args of [
      ['--minutes', 'x'],
      ['--minutes', '-1'],
      ['--minutes', ''],
      ['--client', 'nobody'],
      ['--no-json'],
    ])
      assert.equal(await run(args, []), 2, args.join(' '));
  });

  test('where this Node can run none of the clients, it is exit code 2, with the reason', async () => {
    const { code, stdout, stderr } = await runScript('faulty.ts', ['--client', 'for-another-node']);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.match(stderr, /nothing to run: for-another-node: it needs a newer Node/);
  });

  test('--help is exit code 0', async () => assert.equal(await run(['--help'], []), 0));
});
