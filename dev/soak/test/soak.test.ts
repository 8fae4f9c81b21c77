import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { SoakResult } from '../src/soak.ts';

interface Run {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function runScript(script: string, args: readonly string[]): Promise<Run> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  return new Promise((resolve) => {
    const options = { timeout: 120_000 };
    execFile(process.execPath, ['--expose-gc', '--import', 'tsx', file, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? error?.signal ?? 0, stdout, stderr }),
    );
  });
}

/** The short form. One of the clients runs; any other one is for another Node. */
async function soakShortly(
  script: string,
  ...clients: string[]
): Promise<Run & { ok: boolean; result: SoakResult; notRun: unknown }> {
  const run = await runScript(script, ['--minutes', '0', '--json', '--client', ...clients]);
  assert.match(run.stdout, /^\{/, run.stderr);
  const { ok, results, notRun } = JSON.parse(run.stdout);
  assert.equal(results.length, 1);
  return { ...run, ok, result: results[0], notRun };
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

describe('under load, while the server fails, restarts, rotates its certificate and is replaced by an impostor', () => {
  for (const [name, failures] of Object.entries(shortly)) {
    test(`a pool of ${name} holds`, async () => {
      const { code, ok, result, stderr } = await soakShortly('../src/main.ts', name);
      assert.deepEqual(result.faults, {});
      assert.deepEqual({ code, ok, stderr }, { code: 0, ok: true, stderr: '' });
      assert.equal(result.impostorBytes, 0);
      assert.deepEqual([result.sockets.after, result.serverConnections], [0, 0]);
      // Everything that was to happen has happened.
      assert.equal(result.rounds, 3);
      assert.ok(result.impostorConnections > 0 && result.handshakes > 0);
      assert.ok((result.refusals.ERR_PIN_MISMATCH ?? 0) > 0);
      for (const failure of failures) assert.ok((result.connectionErrors[failure] ?? 0) > 0, failure);
    });
  }
});

describe('the soak finds a client that', () => {
  const faults: Record<string, readonly RegExp[]> = {
    unpinned: [/^the impostor: an operation succeeded$/, /^\d+ application bytes reached the impostor$/],
    'leaks-sockets': [/^\d+ of TCPSocketWrap left after the end$/, /^\d+ connections left at the server$/],
    'leaks-memory': [/^heap grew by \d+ bytes$/, /^external grew by \d+ bytes$/],
    hangs: [/^the pinned server: an operation has no end/],
    'leaves-errors-unheard': [/^unhandled rejection: Error: a rejection/, /^uncaught: Error: a throw/],
    'hides-the-reason': [/^the impostor: failed with ECONNRESET$/],
    'never-recovers': [/^after the failure: failed with ECONNRE/],
  };
  for (const [name, expected] of Object.entries(faults)) {
    test(name, async () => {
      const { code, ok, result, notRun } = await soakShortly('faulty.ts', name, 'for-another-node');
      assert.deepEqual(notRun, [{ name: 'for-another-node', reason: 'it needs a newer Node' }]);
      const found = Object.keys(result.faults);
      for (const fault of expected) {
        assert.ok(
          found.some((text) => fault.test(text)),
          `${fault} is not in: ${found.join(', ') || 'nothing'}`,
        );
      }
      assert.deepEqual({ code, ok }, { code: 1, ok: false });
    });
  }
});

describe('the command line', () => {
  test('stopped from outside, it says where it was', async () => {
    const file = fileURLToPath(new URL('faulty.ts', import.meta.url));
    const args = ['--expose-gc', '--import', 'tsx', file, '--minutes', '0', '--json', '--client', 'hangs'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = text(child.stderr);
    // The servers take a second or two; the operation that has no end keeps the first phase for eight more.
    const stopping = setTimeout(() => child.kill('SIGTERM'), 5_000);
    const [code] = await once(child, 'exit');
    clearTimeout(stopping);
    assert.equal(code, 143);
    assert.match(await said, /^soak: stopped in (hangs, round 1: .* operations\)|the start)$/m);
  });

  test('a mistake is exit code 2, and nothing is started', async () => {
    for (const args of [
      ['--minutes', 'x'],
      ['--minutes', '-1'],
      ['--minutes', ''],
      ['--client', 'nobody'],
      ['--no-json'],
    ]) {
      const { code, stdout, stderr } = await runScript('../src/main.ts', args);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
      assert.match(stderr, /^error: /);
    }
  });

  test('where this Node can run none of the clients, it is exit code 2, with the reason', async () => {
    const { code, stdout, stderr } = await runScript('faulty.ts', ['--client', 'for-another-node']);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.match(stderr, /nothing to run: for-another-node: it needs a newer Node/);
  });

  test('--help is exit code 0', async () => {
    const { code, stdout } = await runScript('../src/main.ts', ['--help']);
    assert.equal(code, 0);
    assert.match(stdout, /--minutes <number>/);
  });
});
