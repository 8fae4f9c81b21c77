import type { Reference } from 'eslint-scope';
import type { Identifier, Node } from 'estree';

export type ReferenceOf = (identifier: Identifier) => Reference | undefined;

/** A text, or what is known of one. `open`: something unknown is before it, in it or after it. */
export interface Text {
  readonly text: string;
  readonly open: boolean;
}

/** All texts that an expression may be. Empty: nothing is known. */
export function textsOf(node: Node, referenceOf: ReferenceOf, seen: ReadonlySet<unknown> = new Set()): readonly Text[] {
  const follow = (next: Node): readonly Text[] => textsOf(next, referenceOf, seen);
  switch (node.type) {
    case 'Literal':
      return [{ text: String(node.value), open: false }];
    case 'TemplateLiteral':
      return node.quasis
        .flatMap(({ value }, index) => {
          const expression = node.expressions[index];
          const text: readonly Text[] = [{ text: value.cooked ?? '', open: false }];
          return expression === undefined ? [text] : [text, follow(expression)];
        })
        .reduce(joined);
    case 'BinaryExpression':
      return node.operator === '+' ? joined(follow(node.left), follow(node.right)) : [];
    case 'ConditionalExpression':
      return either(follow(node.consequent), follow(node.alternate));
    case 'LogicalExpression':
      return either(follow(node.left), follow(node.right));
    case 'Identifier': {
      const variable = referenceOf(node)?.resolved;
      if (!variable || seen.has(variable) || variable.defs.some(({ type }) => type !== 'Variable')) return [];
      const writes = variable.references.filter((reference) => reference.isWrite());
      if (writes.length === 0 || writes.some((write) => !isWhole(write))) return [];
      const further = new Set([...seen, variable]);
      return writes.map(({ writeExpr }) => textsOf(writeExpr as Node, referenceOf, further)).reduce(either);
    }
    default:
      return [];
  }
}

/** `name = …`: the name stands for this value, and not for a part of it, or for the value with something before it. */
function isWhole(write: Reference): boolean {
  return write.isWriteOnly() && !isPartial(write) && Boolean(write.writeExpr);
}

/** eslint-scope has these members, but not in its types. The name is taken out of a pattern, or gets its values in a loop. */
export function isPartial(write: Reference): boolean {
  return (write as Reference & { readonly partial?: boolean }).partial === true;
}

function either(one: readonly Text[], other: readonly Text[]): readonly Text[] {
  return one.length === 0 || other.length === 0 ? [] : few([...one, ...other], []);
}

/** One text after the other. What is unknown on one side does not change what is known of the other. */
function joined(before: readonly Text[], after: readonly Text[]): readonly Text[] {
  const [first, second] = [before, after].map((texts) => (texts.length === 0 ? UNKNOWN : texts)) as [Text[], Text[]];
  const all = first.flatMap((one) => second.map((two) => ({ text: one.text + two.text, open: one.open || two.open })));
  return few(all, UNKNOWN);
}
const UNKNOWN: readonly Text[] = [{ text: '', open: true }];

const few = (texts: readonly Text[], otherwise: readonly Text[]): readonly Text[] =>
  texts.length > 16 ? otherwise : texts;
