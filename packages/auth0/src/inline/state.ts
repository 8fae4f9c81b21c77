import { inlineBlock, inlineClients } from './block.ts';
import type { FoundBlock } from './find.ts';
import { digestOf } from './header.ts';

/**
 * The block itself. `unmodified`: equal to the block of the installed version, in every byte. `unknown-version`: of another version; it
 * has the digest that it says itself, and so has whatever somebody made up.
 */
export type BlockState = 'unmodified' | 'modified' | 'unknown-version';

/** A block that was found, and what it is. Every `line` is one of the script, from 1. */
export interface FoundState {
  readonly client: string;
  readonly version: string;
  /** Where the block begins. */
  readonly line: number;
  readonly block: BlockState;
  /** Of a modified block of the installed version: the first line that is another one. */
  readonly difference?: { readonly line: number; readonly expected: string; readonly found: string };
}

/** Whether a block is the one of this release. */
export function stateOf(block: FoundBlock): FoundState {
  const { client, version, line, lines, sha256 } = block;
  const found = { client, version, line };
  const known = inlineClients.find((name) => name === client);
  const expected = known === undefined ? undefined : inlineBlock(known);
  if (expected?.version === version) {
    const difference = firstDifference(expected.text.trimEnd().split('\n'), block);
    return difference === undefined ? { ...found, block: 'unmodified' } : { ...found, block: 'modified', difference };
  }
  const consistent = block.complete && sha256 !== undefined && digestOf(lines) === sha256;
  return { ...found, block: consistent ? 'unknown-version' : 'modified' };
}

function firstDifference(
  expected: readonly string[],
  { lines, line }: FoundBlock,
): { line: number; expected: string; found: string } | undefined {
  const count = Math.max(expected.length, lines.length);
  const index = Array.from({ length: count }).findIndex((_, at) => expected[at] !== lines[at]);
  return index === -1 ? undefined : { line: line + index, expected: expected[index] ?? '', found: lines[index] ?? '' };
}
