import type { Node } from 'estree';
import { CONNECTING_METHODS, CONNECTORS } from '../known/connectors.ts';
import { nodesIn } from '../script.ts';
import { type AnyCall, isFalse } from '../syntax.ts';
import type { Scene } from './scene.ts';

/** A call of what certpin made: it is certainly that, and none of its arguments leads around it. */
export function judgeUse(scene: Scene, node: AnyCall): void {
  const { callee } = node;
  const callees = scene.valuesOf(callee);
  if (!callees.has('pinned')) return;
  if (callees.has('shared', 'function')) scene.unclear(node, 'this is not always what certpin made');
  if (callee.type === 'MemberExpression' && CONNECTING_METHODS.has(scene.keyOf(callee).text ?? ''))
    scene.unclear(node, 'what certpin made is given a connection');
  for (const argument of node.arguments) judgeGiven(scene, argument);
}

/** What a client gets for one request, or in a function that it calls, may lead that request around what certpin made. */
function judgeGiven(scene: Scene, argument: Node): void {
  for (const node of nodesIn(argument)) {
    if (node.type !== 'Property' || scene.parentOf(node)?.type !== 'ObjectExpression') continue;
    const isOther = !scene.valuesOf(node.value).has('pinned') && !isFalse(node.value);
    if (isOther && CONNECTORS.has(scene.keyOf(node).text ?? ''))
      scene.unclear(node, 'this option may lead a request around what certpin made');
  }
  if (argument.type !== 'Identifier' || !scene.valuesOf(argument).has('own')) return;
  for (const name of CONNECTORS)
    if (scene.analysis.knowledge.fields.mayHoldOther(name))
      scene.unclear(argument, `an object has \`${name}\`, which may lead a request around what certpin made`);
}
