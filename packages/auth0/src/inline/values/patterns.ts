import type { Node, Pattern } from 'estree';
import type { Key } from '../keys/key.ts';
import { membersOf } from './members.ts';
import type { Reading } from './reading.ts';
import { OWN, PINNED, Values } from './value.ts';

/** Gets each target in a pattern: what is written to it, and the name under which that was taken from the value. */
export type Visit = (target: Node, values: Values, from: Values, key: Key) => void;

/** Calls `visit` for each name, and each member, that a pattern writes. */
export function takeApart(reading: Reading, pattern: Pattern, values: Values, visit: Visit): void {
  takeFrom(reading, pattern, values, { values: new Values(), key: { ordinary: true } }, visit);
}

interface Origin {
  readonly values: Values;
  readonly key: Key;
}

function takeFrom(reading: Reading, pattern: Pattern, values: Values, origin: Origin, visit: Visit): void {
  switch (pattern.type) {
    case 'AssignmentPattern':
      takeFrom(reading, pattern.left, new Values([...values, ...reading.valuesOf(pattern.right)]), origin, visit);
      break;
    case 'ObjectPattern':
      for (const property of pattern.properties) {
        const key: Key = property.type === 'Property' ? reading.names.keyOf(property as never) : { ordinary: false };
        const target = property.type === 'Property' ? property.value : property.argument;
        const isRest = property.type === 'RestElement' && !values.has('shared', 'certpin');
        const taken = isRest ? copyOf(values) : membersOf(reading, values, key);
        takeFrom(reading, target, taken, { values: isRest ? new Values() : values, key }, visit);
      }
      break;
    case 'ArrayPattern':
      for (const element of pattern.elements) {
        if (element === null) continue;
        const target = element.type === 'RestElement' ? element.argument : element;
        // How something of Node iterates is not understood.
        const key: Key = { ordinary: !values.has('shared', 'certpin') };
        takeFrom(reading, target, membersOf(reading, values, key), { values, key }, visit);
      }
      break;
    default:
      visit(pattern, values, origin.values, origin.key);
  }
}

/** `{ ...rest }`: a new object with the part of the old one that was not taken out. What certpin made may be what was taken out. */
function copyOf(values: Values): Values {
  return new Values(values.has('pinned') ? [PINNED, OWN] : [OWN]);
}
