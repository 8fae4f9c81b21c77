import type { Node } from 'estree';
import { AGENTS } from '../known/connectors.ts';
import { takesApart } from '../known/functions.ts';
import { isPackage } from '../known/packages.ts';
import { mayBeExtended, mayBeHandedOver } from '../known/understood.ts';
import { functionAround } from '../syntax.ts';
import { isFollowedInto } from '../values/calls.ts';
import { isGlobalObject, type Shared, type Values } from '../values/value.ts';
import type { Scene } from './scene.ts';

/** Shared objects may be called and read. If one is put into an object or given to other code, what happens to it is not known. */
export function judgeHandingOn(scene: Scene, node: Node): void {
  const parent = destinationOf(scene, node);
  if (parent === undefined) return;
  const values = scene.valuesOf(node);
  for (const value of values) {
    if (value.kind === 'certpin') scene.unclear(node, '`certpin` is passed on, and can be changed there');
    if (
      value.kind === 'shared' &&
      !mayBeHandedOver(value.isModule, value.path) &&
      !isHarmless(scene, node, parent, value)
    )
      scene.unclear(node, `\`${value.path.join('.')}\` is passed on, and may be changed there`);
  }
  if (!values.has('pinned')) return;
  if (isDoubtful(values, parent) || isInGetter(scene, node))
    scene.unclear(node, 'this is not always what certpin made');
  if (isPart(scene, node, parent)) scene.unclear(node, 'a part of what certpin made may be nothing');
}

/** Whether it may be something else. A missing pool fails. Options without what certpin made do not fail, so this matters for them. */
function isDoubtful(values: Values, parent: Node): boolean {
  const isReturned = parent.type === 'ReturnStatement' || parent.type === 'ArrowFunctionExpression';
  return values.has('plain', 'own', 'fresh', 'function', 'given', 'data') || (!isReturned && values.has('unset'));
}

/** `agents[1]` in place of an agent; `Object.entries(options)`, of which one may be left out. */
function isPart(scene: Scene, node: Node, parent: Node): boolean {
  if (parent.type === 'Property')
    return (
      node.type === 'MemberExpression' &&
      AGENTS.has(scene.keyOf(parent).text ?? '') &&
      scene.valuesOf(node.object).has('pinned')
    );
  if (parent.type !== 'CallExpression') return false;
  return [...scene.valuesOf(parent.callee)].some(
    (callee) => callee.kind === 'shared' && !callee.isModule && takesApart(callee.path.join('.')),
  );
}

/** Whether what certpin made goes where it is not followed. */
export function isPinnedLost(scene: Scene, node: Node): boolean {
  const parent = destinationOf(scene, node);
  return parent !== undefined && scene.valuesOf(node).has('pinned') && !isFollowed(scene, node, parent);
}

/** The place to which an expression goes. undefined: it stays, and its value is followed. */
function destinationOf(scene: Scene, node: Node): Node | undefined {
  const parent = scene.parentOf(node);
  if (parent === undefined || !isExpression(node) || !isHandedOn(node, parent)) return undefined;
  if (parent.type === 'Property' && scene.parentOf(parent)?.type === 'ObjectPattern') return undefined;
  return parent;
}

function isExpression(node: Node): boolean {
  return /Expression$|^(?:Identifier|Literal|TemplateLiteral|Super)$/.test(node.type);
}

/** Whether an expression goes where its value is not followed by its name. */
function isHandedOn(node: Node, parent: Node): boolean {
  switch (parent.type) {
    case 'CallExpression':
    case 'NewExpression':
      return parent.callee !== node;
    case 'AssignmentExpression':
      return parent.right === node && parent.left.type === 'MemberExpression';
    case 'Property':
      return parent.value === node;
    case 'PropertyDefinition':
      return parent.value === node;
    case 'ArrowFunctionExpression':
      return parent.body === node;
    case 'ClassDeclaration':
    case 'ClassExpression':
      return parent.superClass === node;
    case 'TemplateLiteral':
    case 'ArrayExpression':
    case 'SpreadElement':
    case 'ReturnStatement':
    case 'ThrowStatement':
    case 'YieldExpression':
    case 'ExportDefaultDeclaration':
    case 'ExportSpecifier':
      return true;
    default:
      return false;
  }
}

function isInGetter(scene: Scene, node: Node): boolean {
  const found = functionAround(node, scene.analysis.script.parents);
  const owner = found === undefined ? undefined : scene.parentOf(found);
  return (owner?.type === 'Property' || owner?.type === 'MethodDefinition') && owner.kind === 'get';
}

/** Whether a shared object goes to a place where nothing changes it. */
function isHarmless(scene: Scene, node: Node, parent: Node, value: Shared): boolean {
  if (parent.type === 'ClassDeclaration' || parent.type === 'ClassExpression')
    return mayBeExtended(value.isModule, value.path);
  // global.x = require('x') is followed.
  if (parent.type === 'AssignmentExpression' && parent.left.type === 'MemberExpression')
    return [...scene.valuesOf(parent.left.object)].every((base) => base.kind === 'shared' && isGlobalObject(base));
  if (parent.type !== 'CallExpression') return false;
  if (isFollowedInto(scene.analysis, parent, node)) return true;
  // pinnedMysql needs the package.
  if (isPackage(value.isModule, value.path) && scene.valuesOf(parent).has('pinned')) return true;
  return [...scene.valuesOf(parent.callee)].some((callee) => {
    if (callee.kind !== 'shared') return false;
    const path = callee.path.join('.');
    if (path === 'util.promisify') return value.path.length > 1;
    if (path === 'util.inherits') return parent.arguments[1] === node;
    return path === 'Object.create' && /^\w*Error\.prototype$/.test(value.path.join('.')) && !value.isModule;
  });
}

/** Whether what certpin made is certainly unchanged at the place to which it goes. */
function isFollowed(scene: Scene, node: Node, parent: Node): boolean {
  switch (parent.type) {
    case 'ReturnStatement':
    case 'ArrowFunctionExpression':
    case 'Property':
    case 'SpreadElement':
    case 'ArrayExpression':
      return true;
    case 'AssignmentExpression':
      return (
        parent.left.type === 'MemberExpression' &&
        [...scene.valuesOf(parent.left.object)].every(
          (base) => base.kind === 'own' || (base.kind === 'shared' && isGlobalObject(base)),
        )
      );
    case 'CallExpression':
    case 'NewExpression':
      return (
        isFollowedInto(scene.analysis, parent, node) ||
        [...scene.valuesOf(parent.callee)].every(({ kind }) => kind === 'shared')
      );
    default:
      return false;
  }
}
