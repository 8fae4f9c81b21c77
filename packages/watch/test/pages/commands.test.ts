// The accident this prevents: somebody pastes the command of the page at night, and it is not one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mint, startTlsServer } from '@certpin/testkit';
import { commandsOf, rotateCommand } from '../../src/pages/advice.ts';
import { states } from '../../src/states/states.ts';

const program = fileURLToPath(new URL('../../../cli/bin/certpin.cjs', import.meta.url));

test('certpin takes every command that a page prints', { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin commands '));
  t.after(() => rmSync(folder, { recursive: true }));
  const certificate = await mint();
  const server = await startTlsServer({ certificate });
  t.after(server.close);
  for (const name of ['server.crt', 'next.crt', '--replace.crt'])
    writeFileSync(join(folder, name), certificate.certPem);
  const label = `${server.host}:${server.port}`;
  const file = join(folder, 'certpin.json');
  const rows = [
    { id: null, label, servername: null },
    { id: null, label, servername: 'a.internal' },
    { id: 'with-id', label: `https://${label}`, servername: 'b.internal' },
    { id: null, label: '--replace.crt', servername: null },
  ];
  const run = async (line: string): Promise<{ readonly code: number; readonly said: string }> => {
    const answer = line.replace(/^certpin trust /, 'certpin trust --yes ');
    const child = spawn('/bin/sh', ['-c', `certpin() { '${process.execPath}' '${program}' "$@"; }; ${answer}`], {
      cwd: folder,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (said += part));
    const [code] = await once(child, 'close');
    return { code, said };
  };
  for (const row of rows) {
    const lines = new Set(states.flatMap((state) => commandsOf(state, row, file)));
    assert.ok(lines.size > 5);
    for (const line of lines) {
      const targets = rows.map(({ id, label: target, servername }) => ({
        ...{ target, pins: ['A'.repeat(64)] },
        ...(id === null ? {} : { id }),
        ...(servername === null ? {} : { servername }),
      }));
      writeFileSync(file, JSON.stringify({ version: 2, targets }));
      const { code, said } = await run(line);
      assert.equal(code, line.startsWith('certpin check') ? 1 : 0, `${line}\n${said}`);
    }
  }
});

test('a target that is called like an option stays a target, and a part of it becomes no command', async () => {
  // The words as certpin gets them.
  const wordsOf = async (line: string): Promise<readonly string[]> => {
    const child = spawn('/bin/sh', ['-c', `certpin() { printf '%s\\n' "$@"; }; ${line}`]);
    let said = '';
    child.stdout.on('data', (part) => (said += part));
    const [code] = await once(child, 'close');
    assert.equal(code, 0, line);
    return said.trimEnd().split('\n');
  };
  for (const label of ['--replace', '-q', '--', '--file', '-x.pem', "-$(touch x)'`id`;"]) {
    const row = { id: null, label, servername: '-x.internal' };
    const lines = [
      ...new Set(states.flatMap((state) => commandsOf(state, row, "/it's/certpin.json"))),
      ...(['next', 'abort'] as const).map((step) => rotateCommand(step, row, "/it's/certpin.json")),
    ].filter((line) => line.startsWith('certpin '));
    assert.ok(lines.length > 5);
    for (const line of lines) {
      const words = await wordsOf(line);
      assert.deepEqual(words.slice(-2), ['--', label], line);
      const file = words.slice(0, -2).indexOf('--file');
      assert.ok(file === -1 || words[file + 1] === "/it's/certpin.json", line);
    }
  }
});
