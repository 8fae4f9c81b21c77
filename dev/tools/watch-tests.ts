// @certpin/watch needs a newer Node than the other packages (node:sqlite). Its tests run with the Node of dev/tools/nodes, or with this one
// if it is new enough.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeOf } from '../../packages/auth0/test/nodes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, process.argv[2] ?? 'packages/watch/test');
const [major = 0] = process.versions.node.split('.').map(Number);
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join(folder, name))
  .sort();
const flags = ['--import', 'tsx', '--test', '--test-reporter=spec', '--test-concurrency=3'];
const { status } = spawnSync(major >= 24 ? process.execPath : nodeOf(22), [...flags, ...files], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
