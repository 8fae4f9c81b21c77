import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { findNode } from '../../src/run/find-node.ts';

const root = mkdtempSync(join(tmpdir(), 'certpin-nodes-'));
after(() => rmSync(root, { recursive: true }));

/** A program that says it is a Node. */
function plant(path: string, version: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho ${version}\n`);
  chmodSync(file, 0o755);
  return file;
}

const find = (wanted: string | undefined) =>
  findNode(wanted, { cwd: join(root, 'project/deep'), env: { PATH: join(root, 'path') }, home: join(root, 'home') });

test('a Node is found: its own, on the PATH, among the packages of the project, at a version manager, at a path', () => {
  const own = { path: process.execPath, version: process.version };
  assert.deepEqual(find(undefined), own);
  assert.deepEqual(find(/^v(\d+)/.exec(process.version)?.[1]), own);
  const onPath = plant('path/node11', 'v11.1.0');
  plant('path/node12', 'v11.0.0'); // not what its name says
  const inProject = plant('project/node_modules/node/bin/node', 'v12.1.0');
  const managed = plant('home/.nvm/versions/node/v13.2.0/bin/node', 'v13.2.0');
  assert.deepEqual(find('11'), { path: onPath, version: 'v11.1.0' });
  assert.deepEqual(find('v12'), { path: inProject, version: 'v12.1.0' });
  assert.deepEqual(find('node13'), { path: managed, version: 'v13.2.0' });
  assert.deepEqual(find('../../path/node11'), find('11'));
});

test('where there is none, the error says what to install', () => {
  assert.throws(() => find('17'), {
    code: 'ERR_NODE_NOT_FOUND',
    message: 'there is no Node.js 17 here',
    hint: /npm install --save-dev node@17/,
  });
  plant('path/true', 'true 9.1');
  for (const other of ['./package.json', '../../path/true'])
    assert.throws(() => find(other), { code: 'ERR_NODE_NOT_FOUND' });
});
