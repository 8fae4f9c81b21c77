import type { MemberExpression, Node } from 'estree';
import { isFreshCall, isPlainCall, PLAIN_METHODS } from '../known/functions.ts';
import { moduleName } from '../known/modules.ts';
import { type AnyCall, isFunction } from '../syntax.ts';
import type { Reading } from './reading.ts';
import { ANYTHING, DATA, FRESH, moduleValue, OUTSIDE, OWN, PINNED, PLAIN, type Value, Values } from './value.ts';

/** What a call gives. */
export function* valuesOfCall(reading: Reading, node: AnyCall): Generator<Value> {
  const { callee } = node;
  if (isPlainMethod(reading, callee)) return yield PLAIN;
  const handsOnPinned = node.arguments.some((argument) =>
    reading.valuesOf(argument.type === 'SpreadElement' ? argument.argument : argument).has('pinned'),
  );
  for (const value of reading.valuesOf(callee)) {
    if (value.kind === 'certpin') yield value.path.join('.').startsWith('pinned') ? PINNED : OUTSIDE;
    else if (value.kind === 'function') yield* node.type === 'NewExpression' ? [OWN] : returnedBy(reading, callee);
    else if (value.kind === 'shared' && handsOnPinned) yield PINNED;
    else if (value.kind === 'shared' && value.isModule && /^(?:url|querystring)\.parse$/.test(value.path.join('.')))
      yield DATA;
    else if (value.kind !== 'shared' || value.isModule) yield OUTSIDE;
    else yield* valuesOfGlobalCall(reading, value.path.join('.'), node);
  }
}

function valuesOfGlobalCall(reading: Reading, path: string, node: AnyCall): Iterable<Value> {
  const [first] = node.arguments;
  if (path === 'require') return [first === undefined ? ANYTHING : required(reading, first)];
  if (/^Object\.(?:assign|freeze|seal)$/.test(path) && first !== undefined) return reading.valuesOf(first);
  if (isPlainCall(path) && (node.type === 'CallExpression' || path === 'Date')) return [PLAIN];
  if (path === 'JSON.parse' && node.arguments.length === 1) return [DATA];
  return [isFreshCall(path) ? FRESH : OUTSIDE];
}

/** The module for `require('…')`. */
function required({ names }: Reading, name: Node): Value {
  const { text } = names.keyOf({ type: 'MemberExpression', computed: true, property: name } as MemberExpression);
  return text === undefined ? ANYTHING : moduleValue(moduleName(text));
}

/** `x.toString()`. An object of the script may have its own method of that name, which gives something else. */
function isPlainMethod({ names, valuesOf }: Reading, callee: Node): boolean {
  return (
    callee.type === 'MemberExpression' &&
    PLAIN_METHODS.has(names.keyOf(callee).text ?? '') &&
    !valuesOf(callee.object).has('own', 'fresh', 'function', 'shared', 'anything', 'certpin', 'pinned')
  );
}

/** What a function of the script returns, if it is known which one is called. */
function returnedBy({ names, knowledge }: Reading, callee: Node): Iterable<Value> {
  const values = new Values([OUTSIDE]);
  const functions = callee.type === 'Identifier' ? names.functionsNamed(callee) : isFunction(callee) ? [callee] : [];
  for (const found of functions) values.add(knowledge.returned(found));
  return values;
}

/** Whether a function of the script is called, and it is seen what happens to the argument. */
export function isFollowedInto({ names, functions, valuesOf }: Reading, call: AnyCall, argument: Node): boolean {
  const { callee } = call;
  const called = callee.type === 'Identifier' ? names.functionsNamed(callee) : [];
  const index = call.arguments.indexOf(argument as never);
  return (
    called.length > 0 &&
    index !== -1 &&
    !call.arguments.slice(0, index).some(({ type }) => type === 'SpreadElement') &&
    called.every((node) => functions.takesByName(node, index)) &&
    [...valuesOf(callee)].every(({ kind }) => kind === 'function')
  );
}
