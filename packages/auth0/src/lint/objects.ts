import type { Node } from 'estree';
import { type Entry, either, type ObjectValue, UNKNOWN, type Value } from './value.ts';

/**
 * The object that several parts form. Later parts win, as in a spread.
 *
 * @param nameOf the name of an entry. undefined: not known
 */
export function joinParts(
  node: Node,
  parts: readonly (Value | Entry)[],
  nameOf: (node: Node) => string | undefined,
): ObjectValue {
  const entries = new Map<string, Entry>();
  let open = false;
  for (const part of parts) {
    if (!('kind' in part)) {
      const name = nameOf(part.node);
      if (name === undefined) open = true;
      else entries.set(name, part);
    } else if (part.kind === 'object') {
      for (const [name, entry] of part.entries) entries.set(name, entry);
      open ||= part.open;
    } else if (part.kind !== 'constant') open = true;
  }
  return { kind: 'object', node, entries, open };
}

/** What a value has under a name. */
export function memberOf(value: Value, name: string, values: { of(node: Node): Value }): Value {
  switch (value.kind) {
    case 'module':
      return name === 'default' ? value : { ...value, path: [...value.path, name] };
    case 'made':
    case 'global':
      return { ...value, path: [...value.path, name] };
    case 'object': {
      const entry = value.entries.get(name);
      if (entry !== undefined) return values.of(entry.value);
      return value.open ? UNKNOWN : { kind: 'constant', value: undefined };
    }
    case 'either':
      return either(value.values.map((one) => memberOf(one, name, values)));
    default:
      return UNKNOWN;
  }
}
