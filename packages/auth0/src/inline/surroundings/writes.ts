import type { Node } from 'estree';
import type { Key } from '../keys/key.ts';
import { mayBeOfNetwork, mayBeOfNode } from '../keys/node-members.ts';
import { isNodeGlobal } from '../known/globals.ts';
import type { MemberWrite } from '../values/member-writes.ts';
import { isCertainWrite } from '../values/unset.ts';
import { isGlobalObject, type Shared, type Value } from '../values/value.ts';
import { mayCarry } from './carriers.ts';
import type { Scene } from './scene.ts';

/**
 * Every member that the script writes.
 *
 * @param isPinnedLost whether what certpin made went to a place where it is not followed
 */
export function judgeWrites(scene: Scene, isPinnedLost: boolean): void {
  for (const write of scene.analysis.memberWrites())
    for (const base of scene.valuesOf(write.object)) judgeWrite(scene, write, base, isPinnedLost);
}

function judgeWrite(scene: Scene, write: MemberWrite, base: Value, isPinnedLost: boolean): void {
  const { node, key, value } = write;
  switch (base.kind) {
    case 'certpin':
      scene.tampered(
        node,
        base.path.length === 0 ? 'a function of `certpin` is replaced' : 'a function of `certpin` is changed',
      );
      break;
    case 'pinned':
      scene.tampered(node, 'what certpin made is changed');
      break;
    case 'anything':
      scene.unclear(node, 'the object that is changed here is not known: it may be a prototype');
      break;
    case 'outside':
      if (isPinnedLost) scene.unclear(node, 'what certpin made may be changed here');
      else if (mayBeOfNetwork(key) || !mayBePut(scene, value, key))
        scene.unclear(node, 'the script puts something into an object that it did not make');
      break;
    case 'own':
    case 'fresh':
      judgeOwnWrite(scene, write);
      break;
    case 'shared':
      judgeSharedWrite(scene, node, key.text, base);
      break;
    default:
  }
}

/** A write to an object that the script made, in which what certpin made may stand. */
function judgeOwnWrite(scene: Scene, write: MemberWrite): void {
  const { node, object, key, value } = write;
  if (value !== undefined && scene.valuesOf(value).has('pinned')) {
    if (!isCertainWrite(write, scene.analysis.script.parents))
      scene.unclear(node, 'this is not always what certpin made');
    return;
  }
  const isAny = key.text === undefined && !key.isIndex && !key.isApart;
  if (isAny && mayCarry(scene, object))
    scene.unclear(node, 'a member that may be what certpin made gets another value');
  if (key.text !== undefined && scene.analysis.knowledge.fields.mayHoldPinned(key))
    scene.unclear(node, `\`${key.text}\` may be what certpin made, and gets another value`);
}

function judgeSharedWrite(scene: Scene, node: Node, key: string | undefined, base: Shared): void {
  const { isModule, path } = base;
  const all = isGlobalObject(base) ? [key ?? ''] : [...path, key ?? ''];
  const [root = '', member] = all;
  if (!isModule && /^process\.(?:exitCode$|env\.)/.test(all.join('.'))) return;
  if (!isModule && root === 'module' && member === 'exports') return;
  if (!isModule && !isNodeGlobal(root) && all.length === 1 && key !== undefined) return;
  // Some packages demand it. If the block does not use it, nothing of the block is changed.
  if (!isModule && all.join('.') === 'fetch' && !scene.used.globals.has('fetch')) return;
  const isUsed = (isModule ? scene.used.modules : scene.used.globals).has(root);
  if (isUsed) scene.tampered(node, `\`${root}\`, which the block uses, is changed`);
  else scene.unclear(node, root === '' ? 'a global is changed, and its name is not known' : `\`${root}\` is changed`);
}

/** Whether the result of a call stays what it is. Data may be put into it, and anything except code if nothing of Node has that name. */
function mayBePut(scene: Scene, value: Node | undefined, key: Key): boolean {
  if (value === undefined) return false;
  return (
    isData(scene, value) ||
    (!mayBeOfNode(key) && !scene.valuesOf(value).has('function', 'shared', 'certpin', 'pinned', 'anything'))
  );
}

/** Whether a value is data, which contains no code. */
function isData(scene: Scene, node: Node): boolean {
  if (node.type === 'ObjectExpression')
    return node.properties.every(
      (property) => property.type === 'Property' && property.kind === 'init' && isData(scene, property.value),
    );
  if (node.type === 'ArrayExpression')
    return node.elements.every(
      (element) => element === null || (element.type !== 'SpreadElement' && isData(scene, element)),
    );
  return [...scene.valuesOf(node)].every(({ kind }) => /^(?:plain|unset|given|data)$/.test(kind));
}
