import { inlineBlock, inlineClients } from './block.ts';
import type { FoundBlock } from './find.ts';
import { digestOf, lastLine } from './header.ts';

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
  /**
   * Of a modified block: the first line that is another one. Where it says that it is of another version, that is the line that names the
   * version, if all the others are those of the installed one; or its last line, if that does not go with the first.
   */
  readonly difference?: { readonly line: number; readonly expected: string; readonly found: string };
  /** Of a modified block of another version: the SHA-256 that it says, and the one that it has. */
  readonly digest?: { readonly said: string | null; readonly found: string };
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
  if (block.complete && sha256 !== undefined && digestOf(lines) === sha256)
    return { ...found, block: 'unknown-version' };
  const difference =
    expected === undefined ? undefined : differenceOfVersion(expected.text.trimEnd().split('\n'), block);
  if (difference !== undefined) return { ...found, block: 'modified', difference };
  const end = lines.at(-1) ?? '';
  return block.complete
    ? { ...found, block: 'modified', digest: { said: sha256 ?? null, found: digestOf(lines) } }
    : {
        ...found,
        block: 'modified',
        difference: { line: line + lines.length - 1, expected: lastLine(client, version), found: end },
      };
}

/** Where a block is that of the installed version but for the lines which name the version. */
function differenceOfVersion(expected: readonly string[], block: FoundBlock): FoundState['difference'] {
  const last = expected.length - 1;
  const isSame =
    block.lines.length === expected.length &&
    expected.every((line, at) => at === 0 || at === last || line === block.lines[at]);
  return isSame ? firstDifference(expected, block) : undefined;
}

function firstDifference(
  expected: readonly string[],
  { lines, line }: FoundBlock,
): { line: number; expected: string; found: string } | undefined {
  const count = Math.max(expected.length, lines.length);
  const index = Array.from({ length: count }).findIndex((_, at) => expected[at] !== lines[at]);
  return index === -1 ? undefined : { line: line + index, expected: expected[index] ?? '', found: lines[index] ?? '' };
}
