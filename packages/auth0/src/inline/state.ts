import { inlineBlock, inlineClients } from './block.ts';
import type { FoundBlock } from './find.ts';
import { digestOf, lastLine } from './header.ts';

/**
 * The state of the block itself. `unmodified`: equal to the block of the installed version, in every byte. `unknown-version`: a block of
 * another version, with the digest that its own header names. Somebody could have made up both.
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
   * For a modified block: the first line that differs. If only the lines with the version differ, it is the line that names the version. If
   * the last line does not fit the first one, it is the last line.
   */
  readonly difference?: { readonly line: number; readonly expected: string; readonly found: string };
  /** For a modified block of another version: the SHA-256 in its header, and its actual one. */
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

/** Whether a block differs from that of the installed version only in the lines with the version. */
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
