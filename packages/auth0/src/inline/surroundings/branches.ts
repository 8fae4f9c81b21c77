import type { Node } from 'estree';
import { functionAround } from '../syntax.ts';
import type { Scene } from './scene.ts';

/**
 * One branch gives what certpin made, and another branch gives a name or a part of an object: `if (…) return options[0];` before `return
 * certpin.pinnedPg(…)`. These may be the options without certpin's own.
 */
export function judgeBranches(scene: Scene, nodes: readonly Node[]): void {
  const returned = new Map<Node, Node[]>();
  for (const node of nodes) {
    if (node.type === 'ConditionalExpression') judgeWays(scene, [node.consequent, node.alternate]);
    if (node.type === 'LogicalExpression' && node.operator !== '&&') judgeWays(scene, [node.left, node.right]);
    if (node.type !== 'ReturnStatement' || !node.argument) continue;
    const from = functionAround(node, scene.analysis.script.parents);
    if (from !== undefined) returned.set(from, [...(returned.get(from) ?? []), node.argument]);
  }
  for (const ways of returned.values()) judgeWays(scene, ways);
}

function judgeWays(scene: Scene, ways: readonly Node[]): void {
  const others = ways.filter((way) => !scene.valuesOf(way).has('pinned'));
  if (others.length === ways.length) return;
  for (const other of others)
    if (/^(?:Identifier|MemberExpression)$/.test(other.type) && scene.valuesOf(other).has('outside'))
      scene.unclear(other, 'this is not always what certpin made');
}
