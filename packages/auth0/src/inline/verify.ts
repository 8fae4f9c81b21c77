import { inlineBlock, inlineClients } from './block.ts';
import { type FoundBlock, findBlocks } from './find.ts';
import { digestOf } from './header.ts';
import { findTampering, ScriptUnreadable } from './surroundings.ts';
import { normaliseLineEnds } from './text.ts';

interface OfBlock {
  readonly client: string;
  readonly version: string;
  /** Where the block begins in the script, from 1. */
  readonly line: number;
}

/** What {@link verifyInline} found. `line` is a line of the script, from 1. */
export type InlineFinding =
  /** Equal to the block of the installed version, in every byte. */
  | ({ readonly verdict: 'unmodified' } & OfBlock)
  /** `difference`: the first line that is another one; undefined where only the digest tells. */
  | ({
      readonly verdict: 'modified';
      readonly difference?: { readonly line: number; readonly expected: string; readonly found: string };
    } & OfBlock)
  /** Of another version than the installed one. It has the digest that it says itself, and so has whatever somebody made up. */
  | ({ readonly verdict: 'unknown-version' } & OfBlock)
  /** The rest of the script takes the block's effect away, or may. */
  | { readonly verdict: 'tampered'; readonly line: number; readonly problem: string }
  /** The rest of the script cannot be read as JavaScript, so nothing is known of it. */
  | { readonly verdict: 'unreadable'; readonly line: number; readonly problem: string };

/**
 * Finds the blocks of certpin in a script and says whether each is unmodified, and whether the script around them leaves them alone.
 * Line ends may differ, and the whole of a block may be indented; every other difference counts.
 *
 * The script is read and not run. What is found is wrong; that nothing is found is no proof: another script in the same container can
 * change Node's modules.
 *
 * @returns empty where there is no block
 */
export function verifyInline(source: string): readonly InlineFinding[] {
  const text = normaliseLineEnds(source);
  const blocks = findBlocks(text.split('\n'));
  return blocks.length === 0 ? [] : [...blocks.map(judge), ...judgeSurroundings(text, blocks)];
}

function judge(block: FoundBlock): InlineFinding {
  const { client, version, line, lines, sha256 } = block;
  const found = { client, version, line };
  const known = inlineClients.find((name) => name === client);
  const expected = known === undefined ? undefined : inlineBlock(known);
  if (expected?.version === version) {
    const difference = firstDifference(expected.text.trimEnd().split('\n'), block);
    return difference === undefined
      ? { verdict: 'unmodified', ...found }
      : { verdict: 'modified', ...found, difference };
  }
  const consistent = block.complete && sha256 !== undefined && digestOf(lines) === sha256;
  return { verdict: consistent ? 'unknown-version' : 'modified', ...found };
}

function firstDifference(
  expected: readonly string[],
  { lines, line }: FoundBlock,
): { line: number; expected: string; found: string } | undefined {
  const count = Math.max(expected.length, lines.length);
  const index = Array.from({ length: count }).findIndex((_, at) => expected[at] !== lines[at]);
  return index === -1 ? undefined : { line: line + index, expected: expected[index] ?? '', found: lines[index] ?? '' };
}

function judgeSurroundings(text: string, blocks: readonly FoundBlock[]): InlineFinding[] {
  try {
    return findTampering(text, blocks).map((tampering) => ({ verdict: 'tampered', ...tampering }));
  } catch (error) {
    // Every reader here goes down with the syntax tree, and the stack ends before the deepest one.
    if (error instanceof RangeError) return [{ verdict: 'unreadable', line: 1, problem: 'it is nested too deeply' }];
    if (!(error instanceof ScriptUnreadable)) throw error;
    return [{ verdict: 'unreadable', line: error.line, problem: error.message }];
  }
}
