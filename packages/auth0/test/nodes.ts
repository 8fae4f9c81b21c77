import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../dev/tools/nodes/', import.meta.url));

/** The Node of a runtime of the platform, from dev/tools/nodes, which is installed where it is missing (Linux x64, once). */
export function nodeOf(major: 18 | 22): string {
  const binary = `${folder}node_modules/node${major}/bin/node`;
  if (!existsSync(binary)) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--no-engine-strict'], { cwd: folder, stdio: 'inherit' });
  }
  return binary;
}
