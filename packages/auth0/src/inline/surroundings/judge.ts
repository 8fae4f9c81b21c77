import type { Node } from 'estree';
import type { FoundBlock } from '../find.ts';
import { readScript } from '../script.ts';
import { Analysis } from '../values/analysis.ts';
import { judgeBranches } from './branches.ts';
import { judgeCall } from './calls.ts';
import { isPinnedLost, judgeHandingOn } from './handing-on.ts';
import { judgeDeclarations, judgeName } from './names.ts';
import { judgePinned } from './pinned.ts';
import { judgeReads } from './reads.ts';
import { type Problem, Scene } from './scene.ts';
import { judgeSyntax } from './syntax.ts';
import { usedBy } from './used.ts';
import { judgeWrites } from './writes.ts';

/**
 * Judges the script around the blocks. There is no list of forbidden things: everything that is not known to be harmless is unclear.
 *
 * @param text with `\n` as its line end
 * @returns empty: all of it is understood, and leaves the blocks alone
 * @throws ScriptUnreadable
 */
export function judgeSurroundings(text: string, blocks: readonly FoundBlock[]): Problem[] {
  const script = readScript(text);
  const ranges = blocks.map((block) => rangeOf(text, block));
  const isOurs = (node: Node): boolean => ranges.some((range) => isWithin(node, range));
  const isCode = (range: Range): boolean =>
    script.variables.some(
      ({ name, defs }) =>
        name === 'certpin' && defs.some(({ type, node }) => type === 'Variable' && isWithin(node, range)),
    );
  const scene = new Scene(new Analysis(script, isOurs), usedBy(script, isOurs));
  for (const [index, range] of ranges.entries()) {
    const reason = 'the block is not code here: it is in a comment or a string';
    if (!isCode(range)) scene.problems.push({ state: 'tampered', line: blocks[index]?.line ?? 1, reason });
  }
  judgeDeclarations(scene);
  const { nodes } = scene.analysis;
  for (const node of nodes) judgeNode(scene, node);
  judgeBranches(scene, nodes);
  judgeWrites(
    scene,
    nodes.some((node) => isPinnedLost(scene, node)),
  );
  return scene.problems.sort((a, b) => a.line - b.line);
}

function judgeNode(scene: Scene, node: Node): void {
  judgeSyntax(scene, node);
  if (node.type === 'Identifier') judgeName(scene, node);
  judgeReads(scene, node);
  judgeCall(scene, node);
  judgePinned(scene, node);
  judgeHandingOn(scene, node);
}

type Range = readonly [number, number];

function rangeOf(text: string, { line, lines }: FoundBlock): Range {
  const all = text.split('\n');
  const start = all.slice(0, line - 1).join('\n').length;
  return [start, all.slice(0, line - 1 + lines.length).join('\n').length];
}

function isWithin({ range }: Node, [start, end]: Range): boolean {
  return range !== undefined && range[0] >= start && range[1] <= end;
}
