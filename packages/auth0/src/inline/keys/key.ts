import type { Expression, MemberExpression, Node, PrivateIdentifier, Property } from 'estree';
import { isNumber } from './numbers.ts';
import { REACHING } from './reaching.ts';
import { type ReferenceOf, type Text, textsOf } from './texts.ts';

/**
 * What is known of the name of a member.
 *
 * - `text`: the name.
 * - `ordinary`: it is not one of those that lead to everything (`__proto__`, `constructor`).
 * - `isIndex`: it is a number. `isApart`: it contains a character that no name after a dot can have.
 */
export interface Key {
  readonly text?: string;
  readonly ordinary: boolean;
  readonly isIndex?: boolean;
  readonly isApart?: boolean;
}

export function keyOf(node: MemberExpression | Property, referenceOf: ReferenceOf): Key {
  const key = node.type === 'MemberExpression' ? node.property : node.key;
  return node.computed ? computedKey(key, referenceOf) : knownKey(nameOf(key));
}

function nameOf(key: Expression | PrivateIdentifier): string {
  if (key.type === 'Identifier') return key.name;
  if (key.type === 'PrivateIdentifier') return `#${key.name}`;
  return key.type === 'Literal' ? String(key.value) : '';
}

export function knownKey(text: string): Key {
  return { text, ordinary: !REACHING.has(text), isIndex: /^\d+$/.test(text), isApart: isApart(text) };
}

function isApart(text: string): boolean {
  return /[^\w$#]/.test(text);
}

function computedKey(node: Node, referenceOf: ReferenceOf): Key {
  const texts = textsOf(node, referenceOf);
  if (texts.length === 1 && texts[0] !== undefined && !texts[0].open) return knownKey(texts[0].text);
  const isIndex = isNumber(node, referenceOf);
  const isSome = texts.length > 0;
  return {
    ordinary: isIndex || (isSome && texts.every(isOrdinary)),
    isIndex,
    isApart: isSome && texts.every(({ text }) => isApart(text)),
  };
}

/** A whole text contains the known part of an open text, letter by letter. A name that does not contain it is another name. */
function isOrdinary({ text, open }: Text): boolean {
  return open ? ![...REACHING].some((name) => isWithin(text, name)) : !REACHING.has(text);
}

function isWithin(text: string, name: string): boolean {
  let at = 0;
  for (const letter of name) if (letter === text[at]) at++;
  return at === text.length;
}
