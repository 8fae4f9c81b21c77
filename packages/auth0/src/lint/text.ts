import type { Node } from 'estree';
import { parentOf } from './ast.ts';

const CONNECTION = /^\s*(postgres(?:ql)?|mysqlx?|mysql2|mariadb|mongodb(?:\+srv)?):\/\//i;

/** The scheme of a database's connection string, in lower case. undefined: the text is not one. */
export function connectionScheme(text: string): string | undefined {
  return CONNECTION.exec(text)?.[1]?.toLowerCase();
}

export function isConnectionString(text: string): boolean {
  return CONNECTION.test(text);
}

/** Whether a text is part of a longer one, with which it is checked. */
export function isPartOfText(node: Node): boolean {
  const parent = parentOf(node);
  return parent?.type === 'TemplateLiteral' || (parent?.type === 'BinaryExpression' && parent.operator === '+');
}
