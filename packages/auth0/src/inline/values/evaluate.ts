import type { AssignmentExpression, Identifier, MemberExpression, Node } from 'estree';
import { CONSTANTS, GIVEN } from '../known/globals.ts';
import { moduleName } from '../known/modules.ts';
import { isMarker } from '../script.ts';
import { isFunction, plainPath } from '../syntax.ts';
import { valuesOfCall } from './calls.ts';
import { globalNamed, membersOf } from './members.ts';
import type { Reading } from './reading.ts';
import {
  ANYTHING,
  FUNCTION,
  GIVEN_VALUE,
  globalValue,
  moduleValue,
  OUTSIDE,
  OWN,
  PINNED,
  PLAIN,
  UNSET,
  type Value,
} from './value.ts';

/** What an expression may stand for, by what is known of its parts. */
export function* evaluate(reading: Reading, node: Node): Generator<Value> {
  const { names, valuesOf } = reading;
  switch (node.type) {
    case 'Literal':
      yield 'regex' in node ? OWN : PLAIN;
      break;
    case 'TemplateLiteral':
    case 'UnaryExpression':
    case 'BinaryExpression':
    case 'UpdateExpression':
      yield PLAIN;
      break;
    case 'ObjectExpression':
      yield* madeOf(
        reading,
        node.properties.map((property) => (property.type === 'Property' ? property.value : property)),
      );
      break;
    case 'ArrayExpression':
      yield* madeOf(reading, node.elements);
      break;
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'ClassExpression':
      yield FUNCTION;
      break;
    case 'Identifier':
      yield* named(reading, node);
      break;
    case 'ThisExpression':
      yield* thisIn(reading, node);
      break;
    case 'MemberExpression':
      if (isJustMade(node, reading.script.parents)) yield OWN;
      else yield* membersOf(reading, valuesOf(node.object), names.keyOf(node));
      break;
    case 'CallExpression':
    case 'NewExpression':
      yield* valuesOfCall(reading, node);
      break;
    case 'AssignmentExpression':
      if (/^(?:\|\||&&|\?\?)=$/.test(node.operator)) yield* valuesOf(node.left);
      if (/^(?:(?:\|\||&&|\?\?)?=)$/.test(node.operator)) yield* valuesOf(node.right);
      else yield PLAIN;
      break;
    case 'LogicalExpression':
      yield* valuesOf(node.left);
      yield* valuesOf(node.right);
      if (node.operator === '&&') yield UNSET;
      break;
    case 'ConditionalExpression':
      yield* valuesOf(node.consequent);
      yield* valuesOf(node.alternate);
      break;
    case 'SequenceExpression':
      yield* valuesOf(node.expressions.at(-1) as Node);
      break;
    case 'AwaitExpression':
      yield* valuesOf(node.argument);
      break;
    case 'ChainExpression':
      yield* valuesOf(node.expression);
      break;
    case 'ImportExpression':
      yield node.source.type === 'Literal' ? moduleValue(moduleName(node.source.value)) : ANYTHING;
      break;
    default:
      yield OUTSIDE;
  }
}

/** An object or an array with these parts in it. */
function madeOf({ valuesOf }: Reading, parts: readonly (Node | null)[]): Value[] {
  const isPinned = parts.some(
    (part) => part !== null && valuesOf(part.type === 'SpreadElement' ? part.argument : part).has('pinned'),
  );
  return [isPinned ? PINNED : OWN];
}

function named(reading: Reading, identifier: Identifier): Iterable<Value> {
  const { name } = identifier;
  const reference = reading.names.referenceOf(identifier);
  if (reference === undefined) return []; // a declaration, or the name of a member
  if (reference.resolved) return reading.knowledge.variable(reference.resolved);
  if (CONSTANTS.has(name) || isMarker(name)) return [PLAIN];
  return GIVEN.has(name) ? [GIVEN_VALUE] : globalNamed(reading, name);
}

/** `this` is the script's own object only in constructors: a method can be called on anything. */
function thisIn({ script: { parents }, functions }: Reading, node: Node): readonly Value[] {
  let up = parents.get(node);
  while (up !== undefined && (!isFunction(up) || up.type === 'ArrowFunctionExpression')) {
    if (up.type === 'PropertyDefinition' || up.type === 'StaticBlock') return [OWN];
    up = parents.get(up);
  }
  if (up === undefined) return [GIVEN_VALUE]; // For `module.exports`
  const method = parents.get(up);
  if (method?.type === 'MethodDefinition') return [method.kind === 'constructor' ? OWN : OUTSIDE];
  return functions.isConstructor(up) ? [OWN] : [OUTSIDE, globalValue('globalThis')];
}

/** `user.metadata = {}; user.metadata.name = …`: the statements before it are of this kind, up to the one that makes the object. */
function isJustMade(node: MemberExpression, parents: ReadonlyMap<Node, Node>): boolean {
  const place = plainPath(node);
  const write = parents.get(node);
  const assignment = write === undefined ? undefined : parents.get(write);
  const statement = assignment === undefined ? undefined : parents.get(assignment);
  if (place === undefined || assignment?.type !== 'AssignmentExpression' || statement?.type !== 'ExpressionStatement')
    return false;
  const block = parents.get(statement);
  if (block?.type !== 'BlockStatement') return false;
  for (const before of block.body.slice(0, block.body.indexOf(statement)).reverse()) {
    const { left, right } = (
      before.type === 'ExpressionStatement' &&
      before.expression.type === 'AssignmentExpression' &&
      before.expression.operator === '='
        ? before.expression
        : {}
    ) as Partial<AssignmentExpression>;
    if (left?.type !== 'MemberExpression' || right === undefined) return false;
    if (plainPath(left) === place) return right.type === 'ObjectExpression';
    if (plainPath(left.object) !== place) return false;
  }
  return false;
}
