import { findBlocks } from '../inline/find.ts';
import { digestOf } from '../inline/header.ts';

/**
 * Where certpin itself stands in a script, from one offset to another. It opens TLS on purpose as no script should, and checks for itself.
 *
 * A block that was changed is none: its digest is computed. Whether the digest is that of a release is for `certpin auth0 verify`.
 */
export function inlineBlocks(source: string): [number, number][] {
  const lines = source.split('\n');
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length + 1);
  const texts = lines.map((line) => line.replace(/\r$/, ''));
  return findBlocks(texts)
    .filter(({ complete, sha256, lines: block }) => complete && sha256 === digestOf(block))
    .map(({ line, lines: block }) => [starts[line - 1] ?? 0, (starts[line - 1 + block.length] ?? 1) - 1]);
}
