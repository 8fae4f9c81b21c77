import { createHash } from 'node:crypto';

const BLOCK = /^([ \t]*)\/\/ certpin (\S+) for (\S+), inline\n[\s\S]*?^[ \t]*\/\/ end of certpin \2 for \3$/gm;
const DIGEST = /^\/\/ SHA-256 of this block without this line: ([0-9a-f]{64})$/;

/**
 * Where certpin itself stands in a script, from one offset to another. It opens TLS on purpose as no script should, and checks for itself.
 *
 * A block that was changed is none: its digest is computed. Whether the digest is that of a release is for `certpin auth0 verify`.
 */
export function inlineBlocks(source: string): [number, number][] {
  const text = source.replaceAll('\r\n', ' \n'); // the same offsets
  return [...text.matchAll(BLOCK)]
    .filter(([block, indentation = '']) => isWhole(block, indentation))
    .map(({ 0: block, index }) => [index, index + block.length]);
}

function isWhole(block: string, indentation: string): boolean {
  const lines = block
    .split('\n')
    .map((line) => (line.startsWith(indentation) ? line.slice(indentation.length) : line).trimEnd());
  const digest = lines.map((line) => DIGEST.exec(line)?.[1]).find((found) => found !== undefined);
  const hashed = `${lines.filter((line) => !DIGEST.test(line)).join('\n')}\n`;
  return digest === createHash('sha256').update(hashed).digest('hex');
}
