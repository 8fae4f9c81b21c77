// The accident this prevents: the tests run a build that is damaged, or older than the sources, because a stamp says that it is built.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../digest.mjs';

test('a digest of folders and files differs with each change of them', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'certpin-digest-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'dist/deep'), { recursive: true });
  const write = (name: string, text: string): void => writeFileSync(join(root, name), text);
  write('dist/a.js', 'one');
  write('dist/deep/b.js', 'two');
  write('file', 'three');
  const digest = (): string => digestOf(root, ['dist', 'not-there', 'file']);
  const seen = new Set([digest()]);
  assert.ok(seen.has(digest()), 'without a change it is the same');
  const changes: Record<string, () => void> = {
    'a file is shorter': () => write('dist/a.js', 'on'),
    'as long, and other': () => write('dist/a.js', 'no'),
    'deep in a folder': () => appendFileSync(join(root, 'dist/deep/b.js'), '!'),
    'outside of a folder': () => write('file', ''),
    'one more': () => write('dist/c.js', ''),
    'another name': () => renameSync(join(root, 'dist/c.js'), join(root, 'dist/d.js')),
    'a file is gone': () => rmSync(join(root, 'dist/deep/b.js')),
    'a folder is gone': () => rmSync(join(root, 'dist'), { recursive: true }),
  };
  for (const [what, change] of Object.entries(changes)) {
    change();
    assert.ok(!seen.has(digest()), what);
    seen.add(digest());
  }
});
