import type { Node, Pattern } from 'estree';
import type { Key } from '../keys/key.ts';
import { REACHING } from '../keys/reaching.ts';
import { isNodeGlobal } from '../known/globals.ts';
import { isUnderstood } from '../known/understood.ts';
import { takeApart } from '../values/patterns.ts';
import { isGlobalObject, type Shared, type Value, type Values } from '../values/value.ts';
import type { Scene } from './scene.ts';

/** Members that a node reads. */
export function judgeReads(scene: Scene, node: Node): void {
  switch (node.type) {
    case 'MemberExpression':
      judgeRead(scene, node, scene.valuesOf(node.object), scene.keyOf(node));
      break;
    case 'VariableDeclarator':
      if (node.init) judgePattern(scene, node.id, scene.valuesOf(node.init));
      break;
    case 'AssignmentExpression':
      if (node.left.type !== 'MemberExpression') judgePattern(scene, node.left, scene.valuesOf(node.right));
      break;
    case 'ForOfStatement':
      if (scene.valuesOf(node.right).has('shared', 'certpin'))
        scene.unclear(node, 'a loop goes through something of Node');
      break;
    default:
  }
}

function judgePattern(scene: Scene, pattern: Pattern, values: Values): void {
  if (pattern.type === 'Identifier') return;
  takeApart(scene.analysis, pattern, values, (target, taken, from, key) => {
    judgeRead(scene, target, from, key);
    if (target.type === 'MemberExpression' && taken.has('shared', 'certpin', 'pinned'))
      scene.unclear(target, 'something of Node is kept in an object, and may be changed there');
  });
}

/** A member that is read, or taken out of a pattern. */
function judgeRead(scene: Scene, node: Node, from: Values, { text }: Key): void {
  const shared = [...from].filter((value) => value.kind === 'shared' || value.kind === 'certpin');
  if (text === undefined) {
    const isListed = shared.every(
      (value) => value.kind === 'shared' && isUnderstood({ ...value, path: [...value.path, ''] }),
    );
    if (!isListed) scene.unclear(node, 'a member of something of Node, under a name that is not known');
    return;
  }
  if (
    REACHING.has(text) &&
    !isOwnPrototype(scene, node, from, text) &&
    !isBorrowed(shared, text) &&
    !isOnlyNamed(scene, node, text)
  )
    scene.unclear(node, `\`${text}\` leads to what every script of the container shares`);
  for (const value of shared) {
    if (value.kind !== 'shared' || isGlobalObject(value)) continue;
    const path = [...value.path, text];
    if (!isUnderstood({ isModule: value.isModule, path }) && !isExported(value, text))
      scene.unclear(node, `the use of \`${path.join('.')}\` is not understood`);
  }
  if (!shared.some((value) => value.kind === 'shared' && isGlobalObject(value)) || !isNodeGlobal(text)) return;
  if (!isUnderstood({ isModule: false, path: [text] }) && !scene.isTarget(node))
    scene.unclear(node, `the use of \`${text}\` is not understood`);
}

function isExported(value: Shared, text: string): boolean {
  return !value.isModule && value.path.join('.') === 'module' && text === 'exports';
}

/** `Pool.prototype` of a function of the script, and `Pool.prototype.constructor = Pool`. */
function isOwnPrototype(scene: Scene, node: Node, from: Values, text: string): boolean {
  if (text === 'prototype') return from.isAll('function');
  return text === 'constructor' && scene.isTarget(node) && from.isAll('own');
}

/** `Array.prototype`, from which a method is borrowed: the next member is checked on its own. */
function isBorrowed(shared: readonly Value[], text: string): boolean {
  return (
    text === 'prototype' &&
    shared.length > 0 &&
    shared.every((value) => value.kind === 'shared' && isUnderstood({ ...value, path: [...value.path, text] }))
  );
}

/** `error.constructor.name`, `value.constructor === Object`. */
function isOnlyNamed(scene: Scene, node: Node, text: string): boolean {
  const parent = scene.parentOf(node);
  if (text !== 'constructor' || parent === undefined) return false;
  if (parent.type === 'BinaryExpression') return true;
  return (
    parent.type === 'MemberExpression' &&
    parent.object === node &&
    scene.keyOf(parent).text === 'name' &&
    !scene.isTarget(parent)
  );
}
