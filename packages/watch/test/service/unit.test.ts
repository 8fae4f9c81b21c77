// The attack: a folder whose name holds the end of a line, and behind it a setting of the unit, which then runs as root.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { requirePackage } from '@certpin/testkit/debian';
import { printUnit, type UnitOptions } from '../../src/service/unit.ts';

const options: UnitOptions = {
  program: [process.execPath, '/opt/certpin.cjs'],
  ...{ config: '/etc/certpin/watch.json', file: undefined, isStoreConfigured: false, storePinsFile: undefined },
  store: { sqlite: '/var/lib/certpin-watch/watch.db' },
};

/** The names of the settings, in their order. */
function settingsOf(unit: string): readonly string[] {
  return unit.split('\n').map((line) => line.replace(/=.*/, ''));
}

const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).filter((one) =>
  /\p{Cc}/u.test(one),
);

test('no character of a path ends its line, or begins a setting', () => {
  assert.equal(controls.length, 65);
  for (const one of ['\r\n', '"', "'", '\\', ' ', '%n', '$HOME', ...controls]) {
    const path = `/srv/a${one}User=root`;
    const shown = printUnit({ ...options, config: path, store: { sqlite: `${path}/w.db` } });
    const plain = printUnit({ ...options, config: '/srv/a', store: { sqlite: '/srv/w.db' } });
    assert.deepEqual(settingsOf(shown), settingsOf(plain), JSON.stringify(one));
    assert.doesNotMatch(shown.replaceAll('\n', ''), /\p{Cc}/u, JSON.stringify(one));
  }
});

/** As systemd.syntax(7) and systemd.service(5) say it: quotation marks, escapes as in C, then specifiers and variables. */
function readCommand(unit: string): readonly string[] {
  const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '';
  const escapes: Readonly<Record<string, string>> = { '\\': '\\', '"': '"' };
  return (line.match(/"(?:[^"\\]|\\.)*"|[^ ]+/g) ?? []).map((word) => {
    const text = word.replace(/^"(.*)"$/s, '$1');
    const plain = text.replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))/g, (all, byte, character, one) => {
      if (one !== undefined) return escapes[one] ?? assert.fail(`no escape of systemd: ${all}`);
      assert.ok(character !== undefined || Number.parseInt(byte, 16) < 0x80, 'half of a character');
      return String.fromCharCode(Number.parseInt(byte ?? character, 16));
    });
    assert.doesNotMatch(plain.replaceAll('%%', '').replaceAll('$$', ''), /[%$]/, 'a specifier, or a variable');
    return plain.replaceAll('%%', '%').replaceAll('$$', '$');
  });
}

test('systemd reads the words that were meant', () => {
  for (const one of ['a b', "it's", '"', '\\', '\\x41', '%n', '$HOME', ['$', '{HOME}'].join(''), '=', ...controls]) {
    const config = `/srv/a${one}b.json`;
    assert.deepEqual(
      readCommand(printUnit({ ...options, config, isStoreConfigured: true })),
      [...options.program, 'watch', '--config', config],
      JSON.stringify(one),
    );
  }
});

test('systemd takes a unit with such words', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-unit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const unit = join(folder, 'certpin-watch.service');
  // No path holds a NUL, and systemd takes none.
  const config = `/srv/it's a "b"\\c%n$HOME${controls.slice(1).join('')}.json`;
  writeFileSync(unit, printUnit({ ...options, config }));
  const analyze = requirePackage('systemd', 'systemd-analyze');
  const { status, stderr } = spawnSync(analyze, ['verify', '--man=no', unit], { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
});
