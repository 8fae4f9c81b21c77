import type { Variable } from 'eslint-scope';
import type { Node } from 'estree';
import { plainPath } from '../syntax.ts';
import { isCertain } from './certain.ts';
import type { MemberWrite } from './member-writes.ts';

/** Whether a variable can be read before it is written, or without ever being written. */
export function mayBeUnset({ defs, references }: Variable, parents: ReadonlyMap<Node, Node>): boolean {
  const place = (node: Node): boolean =>
    node.type === 'Identifier' && references.some(({ identifier }) => identifier === node);
  const isConstant = defs.some(
    ({ type, parent, node }) =>
      type !== 'Variable' ||
      isLoop(parents.get(parent as Node)) ||
      (parent?.type === 'VariableDeclaration' && parent.kind !== 'var' && node.init),
  );
  if (isConstant) return false;
  const writes = references.filter((reference) => reference.isWrite());
  return !writes.some(({ identifier }) => isCertain(identifier as Node, place, parents));
}

function isLoop(around: Node | undefined): boolean {
  return around?.type === 'ForInStatement' || around?.type === 'ForOfStatement';
}

/** Whether a member is always written when it must be. */
export function isCertainWrite({ node }: MemberWrite, parents: ReadonlyMap<Node, Node>): boolean {
  const path = plainPath(node);
  return isCertain(node, (other) => path !== undefined && plainPath(other) === path, parents);
}
