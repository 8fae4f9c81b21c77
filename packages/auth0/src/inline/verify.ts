import { type FoundBlock, findBlocks } from './find.ts';
import { ScriptUnreadable } from './script.ts';
import { type FoundState, stateOf } from './state.ts';
import { judgeSurroundings } from './surroundings/judge.ts';
import type { Problem } from './surroundings/scene.ts';
import { normaliseLineEnds } from './text.ts';

/**
 * The script around the block. `intact`: all of it is understood, and leaves the block alone. `tampered`: a change of something that the
 * block needs was seen. `unclear`: something is not understood, and may be such a change.
 */
export type SurroundingsState = 'intact' | 'tampered' | 'unclear';

/** The answer of {@link verifyInline} about one block. Every `line` is one of the script, from 1. */
export interface InlineFinding extends FoundState {
  readonly surroundings: SurroundingsState;
  /** Why the surroundings are not intact; empty where they are. */
  readonly problems: readonly Problem[];
}

/**
 * Finds the blocks of certpin in a script. Says of each whether it is unmodified, and whether the script around it leaves it alone. Line
 * ends may differ, and the whole block may be indented. Every other difference counts.
 *
 * The script is read and not run. What is not understood is `unclear`. It does not look at packages, or at other scripts of the same
 * container, which can change Node's modules. It also does not check whether the script uses certpin for all its connections.
 *
 * @returns empty: there is no block
 */
export function verifyInline(source: string): readonly InlineFinding[] {
  const text = normaliseLineEnds(source);
  const blocks = findBlocks(text.split('\n'));
  if (blocks.length === 0) return [];
  const problems = problemsOf(text, blocks);
  const states = problems.map(({ state }) => state);
  const surroundings = states.includes('tampered') ? 'tampered' : states.includes('unclear') ? 'unclear' : 'intact';
  return blocks.map((block) => ({ ...stateOf(block), surroundings, problems }));
}

function problemsOf(text: string, blocks: readonly FoundBlock[]): readonly Problem[] {
  const endless = blocks.filter(({ ended }) => !ended);
  const reason = 'the last line of the block is missing, so the end of the block is not known';
  if (endless.length > 0) return endless.map(({ line }) => ({ state: 'unclear', line, reason }));
  try {
    return judgeSurroundings(text, blocks);
  } catch (error) {
    // Every reader here recurses into the syntax tree. A very deep tree would exhaust the stack.
    if (error instanceof RangeError)
      return [{ state: 'unclear', line: 1, reason: 'the script is nested too deeply to be read' }];
    if (!(error instanceof ScriptUnreadable)) throw error;
    return [{ state: 'unclear', line: error.line, reason: `the script cannot be read: ${error.message}` }];
  }
}
