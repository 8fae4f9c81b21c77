import { inlineBlock, inlineClients } from './block.ts';
import { type FoundBlock, findBlocks } from './find.ts';
import { digestOf } from './header.ts';
import { ScriptUnreadable } from './script.ts';
import { judgeSurroundings } from './surroundings/judge.ts';
import type { Problem } from './surroundings/scene.ts';
import { normaliseLineEnds } from './text.ts';

/**
 * The block itself. `unmodified`: equal to the block of the installed version, in every byte. `unknown-version`: of another version; it
 * has the digest that it says itself, and so has whatever somebody made up.
 */
export type BlockState = 'unmodified' | 'modified' | 'unknown-version';

/**
 * The script around the block. `intact`: all of it is understood, and leaves the block alone. `tampered`: a change of something that the
 * block needs is seen. `unclear`: something is not understood, and may be such a change.
 */
export type SurroundingsState = 'intact' | 'tampered' | 'unclear';

/** What {@link verifyInline} says of one block. Every `line` is one of the script, from 1. */
export interface InlineFinding {
  readonly client: string;
  readonly version: string;
  /** Where the block begins. */
  readonly line: number;
  readonly block: BlockState;
  /** Of a modified block of the installed version: the first line that is another one. */
  readonly difference?: { readonly line: number; readonly expected: string; readonly found: string };
  readonly surroundings: SurroundingsState;
  /** Why the surroundings are not intact; empty where they are. */
  readonly problems: readonly Problem[];
}

/**
 * Finds the blocks of certpin in a script, and says of each whether it is unmodified, and whether the script around it leaves it alone.
 * Line ends may differ, and the whole of a block may be indented; every other difference counts.
 *
 * The script is read and not run. What is not understood is `unclear`. Not looked at: packages, and other scripts of the same container,
 * which can change Node's modules; and whether the script uses certpin for all its connections.
 *
 * @returns empty where there is no block
 */
export function verifyInline(source: string): readonly InlineFinding[] {
  const text = normaliseLineEnds(source);
  const blocks = findBlocks(text.split('\n'));
  if (blocks.length === 0) return [];
  const problems = problemsOf(text, blocks);
  const states = problems.map(({ state }) => state);
  const surroundings = states.includes('tampered') ? 'tampered' : states.includes('unclear') ? 'unclear' : 'intact';
  return blocks.map((block) => ({ ...judge(block), surroundings, problems }));
}

function judge(block: FoundBlock): Omit<InlineFinding, 'surroundings' | 'problems'> {
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

function problemsOf(text: string, blocks: readonly FoundBlock[]): readonly Problem[] {
  try {
    return judgeSurroundings(text, blocks);
  } catch (error) {
    // Every reader here goes down with the syntax tree, and the stack ends before the deepest one.
    if (error instanceof RangeError)
      return [{ state: 'unclear', line: 1, reason: 'the script is nested too deeply to be read' }];
    if (!(error instanceof ScriptUnreadable)) throw error;
    return [{ state: 'unclear', line: error.line, reason: `the script cannot be read: ${error.message}` }];
  }
}
