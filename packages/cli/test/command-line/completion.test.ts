import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { longOnly } from '@certpin/testkit';
import { createProgram } from '../../src/run.ts';
import { certpin } from '../transcript.ts';

// The published program: what `npm run build` has made.
const bin = fileURLToPath(new URL('../../bin/certpin.cjs', import.meta.url));

/** What bash would offer, asked as readline asks it. */
async function complete(...words: string[]): Promise<string[]> {
  return completeIn(tmpdir(), words);
}

async function completeIn(cwd: string, words: readonly string[]): Promise<string[]> {
  const { stdout } = await certpin(['completion', 'bash']);
  const ask = `${stdout}
certpin() { '${process.execPath}' '${bin}' "$@"; }
COMP_WORDS=(certpin "$@"); COMP_CWORD=$#
_certpin
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = execFileSync('bash', ['-c', ask, 'bash', ...words], { encoding: 'utf8', cwd });
  return said.split('\n').filter((word) => word !== '');
}

test('bash: commands, options, values, and nothing where a file or a host may stand', async () => {
  assert.deepEqual(await complete(''), [
    'get',
    'check',
    'trust',
    'rotate',
    'watch',
    'auth0',
    'lint',
    'completion',
    'help',
    '--help',
    '--version',
  ]);
  assert.deepEqual(await complete('c'), ['check', 'completion']);
  assert.deepEqual(await complete('get', '--tar'), ['--targets-file']);
  assert.deepEqual(await complete('get', 'db.example.com', '--format', 'm'), ['mysql2']);
  assert.deepEqual(await complete('get', 'db.example.com', '--timeout', ''), []);
  assert.deepEqual(await complete('get', ''), []);
  assert.deepEqual(await complete('check', 'x', '--format', 'm'), []);
  assert.deepEqual(await complete('completion', ''), ['bash', 'zsh', 'fish']);
  assert.deepEqual(await complete('help', 'ch'), ['check']);
  assert.deepEqual(await complete('auth0', ''), [
    'new',
    'block',
    'run',
    'prove',
    'verify',
    'diff',
    'push',
    'pull',
    'learn',
    'help',
  ]);
  assert.deepEqual(await complete('rotate', ''), ['start', 'status', 'next', 'abort', 'help']);
  assert.deepEqual(await complete('rotate', 'next', '--by'), ['--by-hand']);
  assert.deepEqual(await complete('auth0', 'run', '--jso'), ['--json']);
  assert.deepEqual(await complete('auth0', 'run', '--node', ''), []);
});

test('every option of every command stands in every script', async () => {
  const program = await createProgram({} as never, () => undefined);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout, stderr, code } = await certpin(['completion', shell]);
    assert.deepEqual({ stderr, code }, { stderr: '', code: 0 });
    for (const command of [...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
      assert.ok(stdout.includes(command.name()), command.name());
      for (const { long } of command.options) {
        assert.ok(stdout.includes(shell === 'fish' ? `-l ${long?.slice(2)} ` : `${long}`), `${shell}: ${long}`);
      }
    }
  }
});

test('the rules of the linter, and the targets of the pins file in the folder, are offered', longOnly, async (t) => {
  assert.deepEqual(await complete('lint', '--explain', 'require-t'), ['require-tls']);
  assert.deepEqual(await complete('lint', '--rule', 'valid'), ['valid-pin']);
  const folder = mkdtempSync(join(tmpdir(), 'certpin-completion-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  assert.deepEqual(await completeIn(folder, ['rotate', 'next', '']), []);
  const pins = ['AB'.repeat(32)];
  const targets = [
    { id: 'customer-db', target: 'postgres://db.example.com', pins },
    { target: 'api.example.com', pins },
  ];
  const write = (list: readonly object[]): void =>
    writeFileSync(join(folder, 'certpin.json'), JSON.stringify({ version: 2, targets: list }));
  write(targets);
  for (const words of [
    ['rotate', 'next', ''],
    ['auth0', 'push', ''],
    ['watch', 'mute', ''],
  ]) {
    const offered = await completeIn(folder, words);
    assert.deepEqual(offered, ['customer-db', 'postgres://db.example.com:5432', 'api.example.com']);
  }
  assert.deepEqual(await completeIn(folder, ['rotate', 'abort', 'cust']), ['customer-db']);
  // bash expands what it is offered: a file of an attacker must not be a program.
  for (const id of ['$(touch attacked)', '`touch attacked`']) {
    write([...targets, { id, target: 'a.example.com', pins }]);
    assert.ok(!(await completeIn(folder, ['rotate', 'next', ''])).some((word) => word.includes('touch')));
  }
  write([...targets, { target: 'tls://$(touch attacked).example.com:443', pins }]);
  await completeIn(folder, ['rotate', 'next', '']);
  assert.ok(!existsSync(join(folder, 'attacked')));
});
