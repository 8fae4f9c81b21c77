import type { CallExpression, Function as Fn, NewExpression, Node } from 'estree';

export type AnyFunction = Fn;
export type AnyCall = CallExpression | NewExpression;

export function isFunction(node: Node): node is AnyFunction {
  return /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

/** The function in which a node stands; undefined at the top. */
export function functionAround(node: Node, parents: ReadonlyMap<Node, Node>): AnyFunction | undefined {
  let up = parents.get(node);
  while (up !== undefined && !isFunction(up)) up = parents.get(up);
  return up;
}

/** `user.metadata` as text; undefined: it is not a plain path from a name. */
export function plainPath(node: Node): string | undefined {
  if (node.type === 'Identifier') return node.name;
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return undefined;
  const object = plainPath(node.object);
  return object === undefined ? undefined : `${object}.${node.property.name}`;
}

export function unchained(node: Node): Node {
  return node.type === 'ChainExpression' ? node.expression : node;
}

/** Whether a node is the word `false`. */
export function isFalse(node: Node): boolean {
  return node.type === 'Literal' && node.value === false;
}
