import type { Node } from 'estree';
import { nodesIn } from '../script.ts';
import type { AnyFunction } from '../syntax.ts';

/** What stands above a node. */
type Parents = ReadonlyMap<Node, Node>;

/**
 * Whether a write happens every time its function runs. It may be skipped only if the place has its value already: `if (!pool) pool = …`.
 *
 * @param place whether a node names what is written
 */
export function isCertain(write: Node, place: (node: Node) => boolean, parents: Parents): boolean {
  for (let node = write, up = parents.get(node); up !== undefined; node = up, up = parents.get(node)) {
    if (/Function|^Program$/.test(up.type)) return true;
    switch (up.type) {
      case 'IfStatement': {
        const other = node === up.consequent ? up.alternate : up.consequent;
        const isLeft = other != null && (ends(other) || writes(other, place));
        if (!(node === up.test || isLeft || (node === up.consequent && isUnset(up.test, place)))) return false;
        break;
      }
      case 'TryStatement':
        if (node === up.block && up.handler && !ends(up.handler.body)) return false;
        break;
      case 'LogicalExpression':
        if (
          node === up.right &&
          !(up.operator !== '&&' && place(up.left)) &&
          !(up.operator === '&&' && isUnset(up.left, place))
        )
          return false;
        break;
      case 'ConditionalExpression':
        if (node !== up.test) return false;
        break;
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'WhileStatement':
      case 'SwitchCase':
      case 'CatchClause':
        return false;
      default:
    }
  }
  return true;
}

/** Whether something in a branch writes to the place. */
function writes(branch: Node, place: (node: Node) => boolean): boolean {
  return nodesIn(branch).some((node) => node.type === 'AssignmentExpression' && place(node.left));
}

/** Whether a test is true whenever the place has no value yet. */
function isUnset(test: Node, place: (node: Node) => boolean): boolean {
  if (test.type === 'UnaryExpression') return test.operator === '!' && place(test.argument);
  if (test.type === 'LogicalExpression') {
    const [left, right] = [isUnset(test.left, place), isUnset(test.right, place)];
    return test.operator === '||' ? left || right : left && right;
  }
  if (test.type !== 'BinaryExpression' || !/^===?$/.test(test.operator)) return false;
  return [test.left, test.right].some((side) => place(side.type === 'UnaryExpression' ? side.argument : side));
}

/** Whether a function may reach its end without a result. */
export function mayEnd({ body }: AnyFunction): boolean {
  return body.type === 'BlockStatement' && !ends(body);
}

/** Whether nothing after a statement is reached. */
function ends(node: Node): boolean {
  switch (node.type) {
    case 'ReturnStatement':
    case 'ThrowStatement':
      return true;
    case 'BlockStatement':
      return node.body.some(ends);
    case 'IfStatement':
      return node.alternate != null && ends(node.consequent) && ends(node.alternate);
    case 'TryStatement':
      return (
        (node.finalizer != null && ends(node.finalizer)) ||
        (ends(node.block) && (!node.handler || ends(node.handler.body)))
      );
    default:
      return false;
  }
}
