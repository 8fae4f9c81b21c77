import type { Reference } from 'eslint-scope';
import type { Expression, Identifier, MemberExpression, Node, PrivateIdentifier, Property } from 'estree';
import { REACHING } from './known.ts';

/**
 * What is known of the name of a member.
 *
 * - `text`: the name.
 * - `ordinary`: it is another one than those that lead to everything (`__proto__`, `constructor`).
 * - `isIndex`: it is a number. `isApart`: it has a character in it that no name written with a dot has.
 */
export interface Key {
  readonly text?: string;
  readonly ordinary: boolean;
  readonly isIndex?: boolean;
  readonly isApart?: boolean;
}

export type ReferenceOf = (identifier: Identifier) => Reference | undefined;

export function keyOf(node: MemberExpression | Property, referenceOf: ReferenceOf): Key {
  const key = node.type === 'MemberExpression' ? node.property : node.key;
  return node.computed ? computedKey(key, referenceOf) : known(nameOf(key));
}

function nameOf(key: Expression | PrivateIdentifier): string {
  if (key.type === 'Identifier') return key.name;
  if (key.type === 'PrivateIdentifier') return `#${key.name}`;
  return key.type === 'Literal' ? String(key.value) : '';
}

export function known(text: string): Key {
  return { text, ordinary: !REACHING.has(text), isIndex: /^\d+$/.test(text), isApart: isApart(text) };
}

function isApart(text: string): boolean {
  return /[^\w$#]/.test(text);
}

function computedKey(node: Node, referenceOf: ReferenceOf): Key {
  const texts = textsOf(node, referenceOf);
  if (texts.length === 1 && texts[0] !== undefined && !texts[0].open) return known(texts[0].text);
  const isIndex = isNumber(node, referenceOf);
  const isSome = texts.length > 0;
  return {
    ordinary: isIndex || (isSome && texts.every(isOrdinary)),
    isIndex,
    isApart: isSome && texts.every(({ text }) => isApart(text)),
  };
}

/** A text, or what is known of one: `open` where something unknown stands before, within or behind. */
interface Text {
  readonly text: string;
  readonly open: boolean;
}

/** What is known of an open text stands in the whole of it, letter by letter; so a name in which it does not stand is another one. */
function isOrdinary({ text, open }: Text): boolean {
  return open ? ![...REACHING].some((name) => isWithin(text, name)) : !REACHING.has(text);
}

function isWithin(text: string, name: string): boolean {
  let at = 0;
  for (const letter of name) if (letter === text[at]) at++;
  return at === text.length;
}

/** All the texts that an expression may be; empty where nothing is known. */
function textsOf(node: Node, referenceOf: ReferenceOf, seen: ReadonlySet<unknown> = new Set()): readonly Text[] {
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

/** `name = …`: the name stands for that, and not for a part of it, or for that with something before it. */
function isWhole(write: Reference): boolean {
  return write.isWriteOnly() && !isPartial(write) && Boolean(write.writeExpr);
}

/** Of eslint-scope, and not in its types: taken out of a pattern, or one of those that a loop goes through. */
function isPartial(write: Reference): boolean {
  return (write as Reference & { readonly partial?: boolean }).partial === true;
}

function either(one: readonly Text[], other: readonly Text[]): readonly Text[] {
  return one.length === 0 || other.length === 0 ? [] : few([...one, ...other], []);
}

/** One behind the other; what is not known on one side leaves what is known of the other. */
function joined(before: readonly Text[], after: readonly Text[]): readonly Text[] {
  const [first, second] = [before, after].map((texts) => (texts.length === 0 ? UNKNOWN : texts)) as [Text[], Text[]];
  const all = first.flatMap((one) => second.map((two) => ({ text: one.text + two.text, open: one.open || two.open })));
  return few(all, UNKNOWN);
}
const UNKNOWN: readonly Text[] = [{ text: '', open: true }];

const few = (texts: readonly Text[], otherwise: readonly Text[]): readonly Text[] =>
  texts.length > 16 ? otherwise : texts;

const NUMERIC = new Set(['-', '*', '/', '%', '**', '|', '&', '^', '<<', '>>', '>>>']);

/** Whether an expression is a number whatever happens. */
function isNumber(node: Node, referenceOf: ReferenceOf, seen: ReadonlySet<unknown> = new Set()): boolean {
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
