import type { Node } from 'estree';
import type { Key } from '../keys/key.ts';
import { type Home, homeOf } from './fields.ts';
import type { Reading } from './reading.ts';
import { OUTSIDE, type Value } from './value.ts';

interface FieldMade {
  /** Default: the script's own. */
  readonly home?: Home;
  readonly key: Key;
  readonly values: Iterable<Value>;
}

const AT_INDEX: Key = { ordinary: true, isIndex: true };
const UNKNOWN_FIELD: FieldMade = { key: { ordinary: false }, values: [OUTSIDE] };

/** What object and array literals have in them from the beginning, and what is pushed. */
export function* fieldsMade(reading: Reading): Generator<FieldMade> {
  for (const node of reading.nodes) yield* fieldsMadeBy(reading, node);
}

function* fieldsMadeBy({ names, valuesOf }: Reading, node: Node): Generator<FieldMade> {
  const valuesIn = (element: Node): Iterable<Value> =>
    element.type === 'SpreadElement' ? [OUTSIDE] : valuesOf(element);
  if (node.type === 'ObjectExpression') {
    for (const property of node.properties) {
      if (property.type !== 'Property') yield UNKNOWN_FIELD;
      else
        yield { key: names.keyOf(property), values: property.kind === 'init' ? valuesOf(property.value) : [OUTSIDE] };
    }
  } else if (node.type === 'ArrayExpression') {
    for (const element of node.elements) if (element !== null) yield { key: AT_INDEX, values: valuesIn(element) };
  } else if (node.type === 'PropertyDefinition' || node.type === 'MethodDefinition') {
    if (node.computed) yield UNKNOWN_FIELD;
    else if (node.value)
      yield {
        key: names.keyOf({ ...node, type: 'Property' } as never),
        values: node.type === 'MethodDefinition' && /et$/.test(node.kind) ? [OUTSIDE] : valuesOf(node.value),
      };
  } else if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression') {
    if (!/^(?:push|unshift|splice|fill|concat|set|add)$/.test(names.keyOf(node.callee).text ?? '')) return;
    for (const argument of node.arguments)
      for (const home of new Set([...valuesOf(node.callee.object)].map(homeOf)))
        yield { home, key: AT_INDEX, values: valuesIn(argument) };
  }
}
