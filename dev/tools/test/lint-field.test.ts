import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const tool = fileURLToPath(new URL('../lint-field.ts', import.meta.url));

test('lint:field prints a line for each finding by rule, counts them, names what it could not read, and writes nothing', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-field-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'a.js'), 'f({ rejectUnauthorized: false });\ng({ rejectUnauthorized: false });\n');
  writeFileSync(join(folder, 'b.js'), 'function login(email: string, callback) {}\n');
  const { stdout, status } = spawnSync(process.execPath, ['--import', 'tsx', tool, folder], { encoding: 'utf8' });
  assert.equal(status, 0);
  const text = stdout.replaceAll(folder, 'FIELD');
  assert.match(
    text,
    /^no-reject-unauthorized-false: 2\n {2}FIELD\/a\.js:1:5 {2}f\(\{ rejectUnauthorized: false \}\);\n {2}FIELD\/a\.js:2:5 {2}g/,
  );
  assert.match(text, /could not be read: 1\n {2}FIELD\/b\.js:1:21 {2}this is TypeScript/);
  assert.match(text, /2 files, 1 could not be read\n/);
  assert.match(text, /no-reject-unauthorized-false +2 +1\n/);
  assert.match(text, /require-tls +0 +0\n/);
});
