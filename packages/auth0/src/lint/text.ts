import type { Node } from 'estree';
import { parentOf } from './ast.ts';

const CONNECTION = /^\s*(postgres(?:ql)?|mysqlx?|mysql2|mariadb|mongodb(?:\+srv)?):\/\//i;

/** The scheme of a connection string of a database, in lower case; undefined for any other text. */
export function connectionScheme(text: string): string | undefined {
  return CONNECTION.exec(text)?.[1]?.toLowerCase();
}

export function isConnectionString(text: string): boolean {
  return CONNECTION.test(text);
}

/** Whether a text stands within a longer one, with which it is looked at. */
export function isPartOfText(node: Node): boolean {
  const parent = parentOf(node);
  return parent?.type === 'TemplateLiteral' || (parent?.type === 'BinaryExpression' && parent.operator === '+');
}
