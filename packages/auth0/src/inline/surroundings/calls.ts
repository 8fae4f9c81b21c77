import type { Node } from 'estree';
import { HARMLESS_METHODS } from '../known/functions.ts';
import type { AnyCall } from '../syntax.ts';
import type { Scene } from './scene.ts';

/** A call: it is known what is called, and which module is required or imported. */
export function judgeCall(scene: Scene, node: Node): void {
  if (node.type === 'ImportExpression' && scene.valuesOf(node).has('anything'))
    scene.unclear(node, 'the module that is imported here is not known');
  if (node.type === 'CallExpression' || node.type === 'NewExpression') judgeCallee(scene, node);
}

function judgeCallee(scene: Scene, node: AnyCall): void {
  const callees = scene.valuesOf(node.callee);
  if (callees.has('anything') && !isHarmlessMethod(scene, node.callee))
    scene.unclear(node, 'the function that is called here is not known');
  const isRequire = [...callees].some(
    (callee) => callee.kind === 'shared' && !callee.isModule && callee.path.join('.') === 'require',
  );
  if (isRequire && scene.valuesOf(node).has('anything'))
    scene.unclear(node, 'the module that is required here is not known');
}

function isHarmlessMethod(scene: Scene, callee: Node): boolean {
  return callee.type === 'MemberExpression' && HARMLESS_METHODS.has(scene.keyOf(callee).text ?? '');
}
