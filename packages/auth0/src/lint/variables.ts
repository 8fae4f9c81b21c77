import type { CallExpression, Class, Identifier, Node, Pattern } from 'estree';
import { type AnyFunction, declaredName, isFunction, nameOf, parentOf } from './ast.ts';
import { memberOf } from './objects.ts';
import type { Scope, SourceCode, Variable } from './source-code.ts';
import { type Entry, either, UNKNOWN, type Value } from './value.ts';

/** The variable of a name. undefined: the file does not declare it. */
export function findVariable(identifier: Identifier, sourceCode: SourceCode): Variable | undefined {
  let scope = sourceCode.getScope(identifier) as Scope | null;
  for (; scope !== null; scope = scope.upper) {
    const variable = scope.set.get(identifier.name);
    if (variable !== undefined) return variable.defs.length === 0 ? undefined : variable;
  }
  return undefined;
}

/** What is known of the file besides a variable. */
export interface Around {
  /** What an expression is. */
  of(node: Node | null | undefined): Value;
  ofClass(node: Class): Value;
  ofModule(source: Node | undefined): Value;
  /** undefined: the file does not declare the name. */
  variable(identifier: Identifier): Variable | undefined;
}

/** The value of a variable, with what is assigned to its members: `config.ssl = {…}` after `const config = {…}`. */
export function valueOfVariable(variable: Variable, around: Around): Value {
  const value = declaredAs(variable, around);
  const assigned = variable.references.flatMap(({ identifier }) => assignedMember(identifier as Node) ?? []);
  if (value.kind !== 'object' || assigned.length === 0) return value;
  const entries = new Map(value.entries);
  for (const { name, ...entry } of assigned) entries.set(name, entry);
  return { ...value, entries };
}

function assignedMember(object: Node): (Entry & { readonly name: string }) | undefined {
  const member = parentOf(object);
  if (member?.type !== 'MemberExpression' || member.object !== object) return undefined;
  const assignment = parentOf(member);
  const name = nameOf(member);
  if (assignment?.type !== 'AssignmentExpression' || assignment.left !== member || name === undefined) return undefined;
  return { name, node: assignment, value: assignment.right };
}

function declaredAs(variable: Variable, around: Around): Value {
  const [definition] = variable.defs;
  if (definition === undefined || variable.defs.length > 1) return UNKNOWN;
  const { type, node, name } = definition;
  if (type === 'FunctionName' && isFunction(node)) return { kind: 'function', node };
  if (type === 'ClassName') return around.ofClass(node as Class);
  if (type === 'ImportBinding') return imported(definition, around);
  if (type === 'Parameter') return argument(variable, node, name, around);
  if (type !== 'Variable' || node.type !== 'VariableDeclarator') return UNKNOWN;
  const loop = parentOf(parentOf(node) ?? node)?.type;
  if (loop === 'ForOfStatement' || loop === 'ForInStatement') return UNKNOWN;
  const writes = variable.references.filter((reference) => reference.isWrite());
  return either(
    writes.map(({ identifier, writeExpr }) => {
      if (identifier === name) return destructured(node.id, name, around.of(node.init), around);
      const assignment = parentOf(identifier as Node);
      return assignment?.type === 'AssignmentExpression' && assignment.operator === '='
        ? around.of(writeExpr as Node)
        : UNKNOWN;
    }),
  );
}

function imported({ node, parent }: Variable['defs'][number], around: Around): Value {
  const module = around.ofModule((parent as { source?: Node } | undefined)?.source);
  if (node.type !== 'ImportSpecifier') return module;
  const name = node.imported.type === 'Identifier' ? node.imported.name : String(node.imported.value);
  return memberOf(module, name, around);
}

/** The part of a value that a name in a pattern gets: `{ Pool: P }`. */
function destructured(pattern: Pattern, name: Node, value: Value, around: Around): Value {
  if (pattern === name) return value;
  if (pattern.type === 'AssignmentPattern')
    return either([destructured(pattern.left, name, value, around), around.of(pattern.right)]);
  if (pattern.type !== 'ObjectPattern') return UNKNOWN;
  for (const property of pattern.properties) {
    if (property.type !== 'Property' || !contains(property.value, name)) continue;
    const key = nameOf(property);
    return key === undefined ? UNKNOWN : destructured(property.value, name, memberOf(value, key, around), around);
  }
  return UNKNOWN;
}

/** If a function has only one call, a parameter is its argument. If there are more calls, it is not known. */
function argument(variable: Variable, node: Node, name: Node, around: Around): Value {
  if (!isFunction(node)) return UNKNOWN;
  const position = node.params.findIndex((parameter) => contains(parameter, name));
  const parameter = node.params[position];
  const isDefault = ({ identifier }: Variable['references'][number]): boolean =>
    parameter !== undefined && contains(parameter, identifier as Node);
  if (variable.references.some((reference) => reference.isWrite() && !isDefault(reference))) return UNKNOWN;
  const call = onlyCall(node, around);
  if (parameter === undefined || parameter.type === 'RestElement') return UNKNOWN;
  if (call === undefined) return destructured(parameter, name, UNKNOWN, around); // Its default, or the taken part
  const before = call.arguments.slice(0, position + 1);
  if (before.some(({ type }) => type === 'SpreadElement')) return UNKNOWN;
  return destructured(parameter, name, around.of(call.arguments[position]), around);
}

function onlyCall(node: AnyFunction, around: Around): CallExpression | undefined {
  const name = declaredName(node);
  const variable = name ? around.variable(name) : undefined;
  const uses = variable?.references.filter((reference) => reference.identifier !== name) ?? [];
  const call = uses.length === 1 ? parentOf(uses[0]?.identifier as Node) : undefined;
  return call?.type === 'CallExpression' && call.callee === uses[0]?.identifier ? call : undefined;
}

/** The calls of a function by its name, as far as they can be seen. */
export function callsByName(found: AnyFunction, around: Pick<Around, 'variable'>): Node[] {
  const name = declaredName(found);
  const uses = (name && around.variable(name)?.references) ?? [];
  return uses.flatMap(({ identifier }) => {
    const call = parentOf(identifier as Node);
    return call?.type === 'CallExpression' && call.callee === identifier ? [call] : [];
  });
}

function contains({ range }: Node, { range: inner }: Node): boolean {
  return range !== undefined && inner !== undefined && range[0] <= inner[0] && inner[1] <= range[1];
}
