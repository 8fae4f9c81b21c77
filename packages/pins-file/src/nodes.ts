import type { Node } from 'jsonc-parser';
import { closest } from './closest.ts';

/** The place of the mistake: an offset in the text. */
export type Refuse = (offset: number, message: string, hint?: string) => never;

/** @param later keys of the next version of the format */
export function readObject<Key extends string>(
  node: Node,
  keys: readonly Key[],
  refuse: Refuse,
  later: readonly string[] = [],
): Map<Key, Node> {
  if (node.type !== 'object') refuse(node.offset, 'an object is expected');
  const fields = new Map<Key, Node>();
  for (const { children: [name, value] = [], offset } of node.children ?? []) {
    const key = String(name?.value) as Key;
    if (!keys.includes(key)) {
      if (later.includes(key)) refuse(offset, `"${key}" needs "version": 2, and this file says 1`);
      const meant = closest(key, keys);
      const shown = /^[\w$-]{1,40}$/.test(key) ? ` "${key}"` : '';
      refuse(offset, `unknown key${shown}${meant === undefined ? '' : `; did you mean "${meant}"?`}`);
    }
    if (fields.has(key)) refuse(offset, `"${key}" is given twice`);
    if (value !== undefined) fields.set(key, value);
  }
  return fields;
}

export function readArray(node: Node, refuse: Refuse): readonly Node[] {
  if (node.type !== 'array') refuse(node.offset, 'a list in brackets is expected');
  return node.children ?? [];
}

export function readString(node: Node, refuse: Refuse): string {
  return node.type === 'string' ? String(node.value) : refuse(node.offset, 'a string is expected');
}
