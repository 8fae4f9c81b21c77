import type { Identifier, Node } from 'estree';
import type { AnyCall } from '../syntax.ts';
import { judgeAssigned, judgeNeighbours } from './neighbours.ts';
import type { Scene } from './scene.ts';
import { judgeUse } from './use.ts';

/** What certpin makes. It gets settings and no code, it is used, nothing next to it switches it off, and nothing leads around it. */
export function judgePinned(scene: Scene, node: Node): void {
  switch (node.type) {
    case 'VariableDeclarator':
      if (node.init && scene.valuesOf(node.init).has('pinned') && isNeverRead(scene, node.id))
        scene.unclear(node, 'what certpin made is not used');
      break;
    case 'CallExpression':
    case 'NewExpression':
      judgeUse(scene, node);
      judgeAssigned(scene, node);
      judgeMaking(scene, node);
      break;
    case 'ObjectExpression':
      judgeNeighbours(scene, node);
      break;
    default:
  }
}

function isNeverRead(scene: Scene, name: Node): boolean {
  if (name.type !== 'Identifier') return false;
  const variable = scene.analysis.names.referenceOf(name)?.resolved;
  return variable?.references.every((reference) => !reference.isRead()) === true;
}

/** A call that makes something pinned. */
function judgeMaking(scene: Scene, node: AnyCall): void {
  const callees = scene.valuesOf(node.callee);
  if (!scene.valuesOf(node).has('pinned')) return;
  if (callees.has('certpin', 'function')) for (const argument of node.arguments) judgeSetting(scene, argument);
  if (callees.has('certpin') && scene.parentOf(node)?.type === 'ExpressionStatement')
    scene.unclear(node, 'what certpin made is not used');
}

/** What certpin is given: values, and no code that could replace it. */
function judgeSetting(scene: Scene, argument: Node): void {
  if (argument.type === 'ObjectExpression') {
    for (const property of argument.properties) {
      if (property.type !== 'Property') judgeSetting(scene, property.argument);
      else if (property.kind !== 'init' || property.method)
        scene.unclear(property, 'certpin is given code as a setting');
      else judgeSetting(scene, property.value);
    }
    return;
  }
  if (argument.type === 'Identifier' && isWrittenTwice(scene, argument))
    scene.unclear(argument, `\`${argument.name}\` is a setting of certpin and is written more than once`);
  if (scene.valuesOf(argument).has('function')) scene.unclear(argument, 'certpin is given code as a setting');
}

function isWrittenTwice(scene: Scene, identifier: Identifier): boolean {
  const variable = scene.analysis.names.referenceOf(identifier)?.resolved;
  return (variable?.references ?? []).filter((reference) => reference.isWrite()).length > 1;
}
