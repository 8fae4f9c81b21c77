import type { Variable } from 'eslint-scope';
import type { Node, Pattern } from 'estree';
import { isNodeGlobal } from '../known/globals.ts';
import { moduleName } from '../known/modules.ts';
import { functionAround, isFunction } from '../syntax.ts';
import { mayEnd } from './certain.ts';
import { homeOf } from './fields.ts';
import { fieldsMade } from './fields-made.ts';
import type { MemberWrite } from './member-writes.ts';
import { membersOf } from './members.ts';
import { takeApart, type Visit } from './patterns.ts';
import type { Reading } from './reading.ts';
import { mayBeUnset } from './unset.ts';
import {
  FUNCTION,
  GIVEN_VALUE,
  isGlobalObject,
  moduleValue,
  OUTSIDE,
  PLAIN,
  UNSET,
  type Value,
  Values,
} from './value.ts';

/** Goes through the whole script once, and learns the possible values of its names, objects and functions from what is known so far. */
export function learn(reading: Reading, memberWrites: () => readonly MemberWrite[]): void {
  const { script, nodes, knowledge } = reading;
  for (const variable of script.variables) knowledge.learnVariable(variable, definedAs(reading, variable));
  for (const node of nodes) {
    learnNames(reading, node);
    learnReturned(reading, node);
  }
  for (const write of memberWrites()) learnWrite(reading, write);
  for (const { home = 'own', key, values } of fieldsMade(reading)) knowledge.learnField(home, key, values);
  learnArguments(reading);
}

/** What a variable is by its declaration. */
function definedAs({ script, isOurs }: Reading, variable: Variable): Value[] {
  if (variable.name === 'arguments' && variable.defs.length === 0) return [OUTSIDE];
  return variable.defs.flatMap((definition): Value[] => {
    const { type, node, parent } = definition;
    if (type === 'Variable' && !isOurs(definition.name as Node))
      return mayBeUnset(variable, script.parents) ? [UNSET] : [];
    if (type === 'FunctionName' || type === 'ClassName') return [FUNCTION];
    if (type === 'CatchClause') return [OUTSIDE];
    if (isOurs(definition.name as Node)) return [{ kind: 'certpin', path: [] }];
    if (type !== 'ImportBinding' || parent?.type !== 'ImportDeclaration') return [];
    const name = moduleName(parent.source.value);
    const imported = node.type === 'ImportSpecifier' ? node.imported : undefined;
    if (imported === undefined) return [moduleValue(name)];
    return [moduleValue(name, imported.type === 'Identifier' ? imported.name : String(imported.value))];
  });
}

/** What a declaration, an assignment, a loop or the head of a function writes to names. */
function learnNames(reading: Reading, node: Node): void {
  const { functions, valuesOf } = reading;
  const write = (pattern: Pattern, values: Values): void => learnPattern(reading, pattern, values);
  if (node.type === 'VariableDeclarator' && node.init) write(node.id, valuesOf(node.init));
  if (node.type === 'AssignmentExpression' && node.left.type !== 'MemberExpression') write(node.left, valuesOf(node));
  if (node.type === 'ForOfStatement' || node.type === 'ForInStatement') {
    const left = node.left.type === 'VariableDeclaration' ? node.left.declarations[0]?.id : node.left;
    const each =
      node.type === 'ForInStatement'
        ? new Values([PLAIN])
        : membersOf(reading, valuesOf(node.right), { ordinary: !valuesOf(node.right).has('shared') });
    if (left !== undefined && left.type !== 'MemberExpression') write(left, each);
  }
  if (!isFunction(node)) return;
  for (const parameter of node.params) {
    const isRest = parameter.type === 'RestElement';
    if (functions.called.has(node) && !isRest) continue;
    write(isRest ? parameter.argument : parameter, new Values([functions.isMain(node) ? GIVEN_VALUE : OUTSIDE]));
  }
}

function learnPattern(reading: Reading, pattern: Pattern, values: Values): void {
  const { names, knowledge } = reading;
  const visit: Visit = (target, taken) => {
    if (target.type !== 'Identifier') return;
    const variable = names.variableAt(target);
    if (variable) knowledge.learnVariable(variable, taken);
    else if (!isNodeGlobal(target.name)) knowledge.learnGlobal(target.name, taken);
  };
  takeApart(reading, pattern, values, visit);
}

function learnReturned({ script, knowledge, valuesOf }: Reading, node: Node): void {
  if (node.type === 'ArrowFunctionExpression' && node.body.type !== 'BlockStatement')
    knowledge.learnReturned(node, valuesOf(node.body));
  if (isFunction(node) && mayEnd(node)) knowledge.learnReturned(node, [UNSET]);
  if (node.type !== 'ReturnStatement') return;
  const from = functionAround(node, script.parents);
  if (from !== undefined) knowledge.learnReturned(from, node.argument ? valuesOf(node.argument) : [UNSET]);
}

function learnWrite({ knowledge, valuesOf }: Reading, { object, key, value }: MemberWrite): void {
  const written = value === undefined ? [OUTSIDE] : valuesOf(value);
  for (const base of valuesOf(object)) {
    if (base.kind === 'shared' && isGlobalObject(base) && key.text !== undefined && !isNodeGlobal(key.text))
      knowledge.learnGlobal(key.text, written);
    knowledge.learnField(homeOf(base), key, written);
  }
}

/** If a function is called only by its name, its parameters are the arguments of these calls. */
function learnArguments(reading: Reading): void {
  for (const [node, calls] of reading.functions.called) {
    for (const [index, parameter] of node.params.entries()) {
      if (parameter.type === 'RestElement') continue;
      const handed = new Values();
      for (const { arguments: given } of calls) {
        const before = given.slice(0, index + 1);
        const argument = before[index];
        if (before.some(({ type }) => type === 'SpreadElement')) handed.add([OUTSIDE]);
        else handed.add(argument === undefined ? [PLAIN] : reading.valuesOf(argument));
      }
      learnPattern(reading, parameter, handed);
    }
  }
}
