import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * SHA-256 of files: their names and their contents.
 *
 * @param {string} root
 * @param {readonly string[]} paths from the root, of files, and of folders with all that is in them. What is not there is left out
 */
export function digestOf(root, paths) {
  const hash = createHash('sha256');
  for (const path of paths.flatMap((path) => filesOf(root, path)).sort()) {
    const content = readFileSync(join(root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function filesOf(root, path) {
  const found = statSync(join(root, path), { throwIfNoEntry: false });
  if (found === undefined) return [];
  return found.isDirectory()
    ? readdirSync(join(root, path)).flatMap((name) => filesOf(root, `${path}/${name}`))
    : [path];
}
