import type { Node } from 'estree';
import { isPartial, type ReferenceOf } from './texts.ts';

const NUMERIC = new Set(['-', '*', '/', '%', '**', '|', '&', '^', '<<', '>>', '>>>']);

/** Whether an expression is a number in any case. */
export function isNumber(node: Node, referenceOf: ReferenceOf, seen: ReadonlySet<unknown> = new Set()): boolean {
  const follow = (next: Node): boolean => isNumber(next, referenceOf, seen);
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'number';
    case 'UpdateExpression':
      return true;
    case 'UnaryExpression':
      return /^[-+~]$/.test(node.operator);
    case 'BinaryExpression':
      return NUMERIC.has(node.operator) || (node.operator === '+' && follow(node.left) && follow(node.right));
    case 'Identifier': {
      const variable = referenceOf(node)?.resolved;
      if (!variable || variable.defs.some(({ type }) => type !== 'Variable')) return false;
      if (seen.has(variable)) return true;
      const further = new Set([...seen, variable]);
      const writes = variable.references.filter((reference) => reference.isWrite());
      return writes.every(
        (write) => !write.writeExpr || (!isPartial(write) && isNumber(write.writeExpr as Node, referenceOf, further)), // none: `++`
      );
    }
    default:
      return false;
  }
}
