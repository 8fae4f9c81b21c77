import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { createProgram } from '../../src/run.ts';
import { certpin } from '../transcript.ts';

/** What bash would offer, asked as readline asks it. */
async function complete(...words: string[]): Promise<string[]> {
  const { stdout } = await certpin(['completion', 'bash']);
  const ask = `${stdout}
COMP_WORDS=(certpin "$@"); COMP_CWORD=$#
_certpin
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = execFileSync('bash', ['-c', ask, 'bash', ...words], { encoding: 'utf8' });
  return said.split('\n').filter((word) => word !== '');
}

test('bash: commands, options, values, and nothing where a file or a host may stand', async () => {
  assert.deepEqual(await complete(''), [
    'get',
    'check',
    'trust',
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
  assert.deepEqual(await complete('auth0', ''), ['new', 'block', 'run', 'prove', 'verify', 'help']);
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
