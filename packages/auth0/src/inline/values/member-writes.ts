import type { CallExpression, Node } from 'estree';
import { type Key, knownKey } from '../keys/key.ts';
import { WRITING_CALLS } from '../known/functions.ts';
import { isPackage, writesIntoFirst } from '../known/packages.ts';
import { unchained } from '../syntax.ts';
import type { Names } from './names.ts';
import type { Reading } from './reading.ts';

/** A member that is written: `object.key = value`, `delete object.key`, `Object.assign(object, value)`. */
export interface MemberWrite {
  readonly node: Node;
  readonly object: Node;
  readonly key: Key;
  /** undefined: the written value is not known. */
  readonly value: Node | undefined;
}

/** What a node writes by its syntax. */
export function writesBy(node: Node, names: Names): MemberWrite[] {
  const write = (target: Node, value: Node | undefined): MemberWrite[] =>
    target.type === 'MemberExpression'
      ? [{ node: target, object: target.object, key: names.keyOf(target), value }]
      : [];
  switch (node.type) {
    case 'AssignmentExpression':
      return node.left.type === 'MemberExpression'
        ? write(node.left, node.operator === '=' || /^\W\W=$/.test(node.operator) ? node.right : node)
        : [];
    case 'UpdateExpression':
      return write(node.argument, node);
    case 'UnaryExpression':
      return node.operator === 'delete' ? write(unchained(node.argument), node) : [];
    case 'ForOfStatement':
    case 'ForInStatement':
      return write(node.left, undefined);
    case 'ArrayPattern':
      return node.elements.flatMap((element) => (element === null ? [] : write(element, undefined)));
    case 'AssignmentPattern':
      return write(node.left, undefined);
    case 'RestElement':
      return write(node.argument, undefined);
    case 'ObjectPattern':
      return node.properties.flatMap((property) =>
        property.type === 'Property' ? write(property.value, undefined) : [],
      );
    default:
      return [];
  }
}

/** What a call writes: `Object.assign(target, …)`, `Object.defineProperty(target, …)`, `_.extend(target, …)`. */
export function writesByCall(
  node: CallExpression,
  { names, valuesOf }: Pick<Reading, 'names' | 'valuesOf'>,
): MemberWrite[] {
  const [object, second] = node.arguments;
  if (object === undefined || object.type === 'SpreadElement') return [];
  const isWrite = [...valuesOf(node.callee)].some(
    (callee) =>
      callee.kind === 'shared' &&
      (isPackage(callee.isModule, callee.path)
        ? writesIntoFirst(callee.path)
        : !callee.isModule && WRITING_CALLS.has(callee.path.join('.'))),
  );
  if (!isWrite) return [];
  const isOne = node.arguments.length === 2 && second?.type === 'ObjectExpression';
  if (!isOne) return [{ node, object, key: writtenKey(second), value: undefined }];
  return second.properties.map((property) => {
    if (property.type !== 'Property') return { node, object, key: { ordinary: false }, value: undefined };
    return { node, object, key: names.keyOf(property), value: property.value };
  });
}

/** The name in `Object.defineProperty(object, name, …)`. */
function writtenKey(name: Node | undefined): Key {
  return name?.type === 'Literal' ? knownKey(String(name.value)) : { ordinary: false };
}
