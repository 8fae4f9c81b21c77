import { findBlocks } from '../inline/find.ts';
import { digestOf } from '../inline/header.ts';
import { stateOf } from '../inline/state.ts';

/** A block of certpin that stands in a script. */
export interface InlineBlockRange {
  /** From one offset to another. */
  readonly range: readonly [number, number];
  /** The subpath of the package that it stands for. */
  readonly module: string;
  /** undefined: the block of the installed release, in every byte. Otherwise the version that it claims. */
  readonly otherVersion: string | undefined;
}

/**
 * The parts of a script that are certpin itself. certpin opens TLS in a way that no script should, and checks the certificate itself.
 *
 * A changed block does not count: its digest is computed. `certpin auth0 verify` checks whether the digest is that of a release.
 */
export function inlineBlocks(source: string): InlineBlockRange[] {
  const lines = source.split('\n');
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length + 1);
  const texts = lines.map((line) => line.replace(/\r$/, ''));
  return findBlocks(texts)
    .filter(({ complete, sha256, lines: block }) => complete && sha256 === digestOf(block))
    .map((block) => ({
      range: [starts[block.line - 1] ?? 0, (starts[block.line - 1 + block.lines.length] ?? 1) - 1],
      module: block.client === 'fetch' ? 'certpin/undici' : `certpin/${block.client}`,
      otherVersion: stateOf(block).block === 'unmodified' ? undefined : block.version,
    }));
}
