import type { CallExpression, Class, Identifier, Node, ObjectExpression, Pattern, Super } from 'estree';
import {
  type AnyCall,
  type AnyFunction,
  ancestors,
  calledMethod,
  isFunction,
  nameOf,
  ownNodes,
  parentOf,
  unwrap,
} from './ast.ts';
import { HOLE, withHoles } from './markers.ts';
import type { Scope, SourceCode, Variable } from './source-code.ts';

/** What an expression is, as far as it can be known without running it. */
export type Value =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'constant'; readonly value: number | bigint | boolean | null | undefined }
  /** A string; {@link HOLE} stands for every part that is not known. */
  | { readonly kind: 'text'; readonly text: string }
  | ObjectValue
  | { readonly kind: 'function'; readonly node: AnyFunction }
  /** A package, or a member of one: `require('pg').Pool`. */
  | ModuleValue
  /** What a package's function or class made, or a member of it. */
  | { readonly kind: 'made'; readonly by: ModuleValue; readonly node: AnyCall; readonly path: readonly string[] }
  /** A name that the file does not declare, or a member of it: `process.env.PGSSLMODE`. */
  | { readonly kind: 'global'; readonly path: readonly string[] }
  | { readonly kind: 'either'; readonly values: readonly Value[] };

export interface ObjectValue {
  readonly kind: 'object';
  readonly node: Node;
  readonly entries: ReadonlyMap<string, Entry>;
  /** It may have properties that cannot be seen. */
  readonly open: boolean;
}

export interface Entry {
  /** The property, or the assignment, that wrote it. */
  readonly node: Node;
  readonly value: Node;
}

export interface ModuleValue {
  readonly kind: 'module';
  readonly name: string;
  /** `require('pg@8.7.1')`, as Auth0 has it. */
  readonly version: string | undefined;
  readonly path: readonly string[];
}

const UNKNOWN: Value = { kind: 'unknown' };

/** The names that Auth0 declared for scripts up to Node.js 12, and the packages that they were. */
const MAGIC: Readonly<Record<string, string>> = {
  mysql: 'mysql',
  mysql2: 'mysql2',
  mysql_pool: 'mysql',
  pg: 'pg',
  postgres: 'pg',
  request: 'request',
  axios: 'axios',
  https: 'https',
  tls: 'tls',
};

/** Follows constants, spreads, assignments to members, imports and plain functions; no types, and no more than the file itself. */
export class Values {
  readonly #sourceCode: SourceCode;
  readonly #found = new Map<Node, Value>();

  constructor(sourceCode: SourceCode) {
    this.#sourceCode = sourceCode;
  }

  of(node: Node | null | undefined): Value {
    if (node === null || node === undefined) return UNKNOWN;
    const found = this.#found.get(node);
    if (found !== undefined) return found;
    this.#found.set(node, UNKNOWN); // what depends on itself is not known
    const value = this.#evaluate(node);
    this.#found.set(node, value);
    return value;
  }

  /** All that it may be, one by one. */
  possible(node: Node | null | undefined): Value[] {
    return flatten(this.of(node));
  }

  /** Whether it is this constant, or may be, where a condition decides. */
  mayBe(node: Node, value: boolean): boolean {
    return this.possible(node).some((one) => one.kind === 'constant' && one.value === value);
  }

  /** The package that a value belongs to; a name that nobody declares counts where Auth0 once declared it. */
  moduleOf(node: Node): ModuleValue | undefined {
    return asModule(this.of(node));
  }

  /** The name of a property or a member, a computed one too where it can be known. */
  nameOf(node: Node): string | undefined {
    const written = nameOf(node);
    if (written !== undefined) return written;
    const key = node.type === 'MemberExpression' ? node.property : node.type === 'Property' ? node.key : undefined;
    const value = this.of(key);
    return value.kind === 'text' && !value.text.includes(HOLE) ? value.text : undefined;
  }

  /** The variable of a name, and undefined for one that the file does not declare. */
  variable(identifier: Identifier): Variable | undefined {
    let scope = this.#sourceCode.getScope(identifier) as Scope | null;
    for (; scope !== null; scope = scope.upper) {
      const variable = scope.set.get(identifier.name);
      if (variable !== undefined) return variable.defs.length === 0 ? undefined : variable;
    }
    return undefined;
  }

  #evaluate(wrapped: Node): Value {
    const node = unwrap(wrapped);
    switch (node.type) {
      case 'Literal':
        if (typeof node.value === 'string') return { kind: 'text', text: withHoles(node.value) };
        return node.value instanceof RegExp ? UNKNOWN : { kind: 'constant', value: node.value as null };
      case 'TemplateLiteral': {
        const parts = node.quasis.map(({ value }, index) => {
          const next = node.expressions[index];
          return (value.cooked ?? '') + (next === undefined ? '' : this.#asText(next));
        });
        return { kind: 'text', text: withHoles(parts.join('')) };
      }
      case 'BinaryExpression': {
        if (node.operator !== '+') return UNKNOWN;
        const sides = [this.of(node.left), this.of(node.right)];
        if (!sides.some(({ kind }) => kind === 'text')) return UNKNOWN;
        return { kind: 'text', text: `${this.#asText(node.left)}${this.#asText(node.right)}` };
      }
      case 'UnaryExpression':
        if (node.operator === 'void') return { kind: 'constant', value: undefined };
        if (node.operator === '!') return this.#not(this.of(node.argument));
        return UNKNOWN;
      case 'ConditionalExpression':
        return either([this.of(node.consequent), this.of(node.alternate)]);
      case 'LogicalExpression':
        return either([this.of(node.left), this.of(node.right)]);
      case 'AwaitExpression':
        return this.of(node.argument);
      case 'SequenceExpression':
        return this.of(node.expressions.at(-1));
      case 'AssignmentExpression':
        return node.operator === '=' ? this.of(node.right) : UNKNOWN;
      case 'Identifier':
        return node.name === 'undefined' ? { kind: 'constant', value: undefined } : this.#ofName(node);
      case 'MemberExpression': {
        const name = this.nameOf(node);
        return name === undefined ? UNKNOWN : this.#member(this.of(node.object), name);
      }
      case 'ObjectExpression':
        return this.#ofObject(node);
      case 'ImportExpression':
        return this.#ofModule(node.source);
      case 'CallExpression':
      case 'NewExpression':
        return this.#ofCall(node);
      case 'ClassExpression':
        return this.#ofClass(node);
      case 'Super':
        return this.#ofSuper(node);
      default:
        return isFunction(node) ? { kind: 'function', node } : UNKNOWN;
    }
  }

  #asText(node: Node): string {
    const value = this.of(node);
    if (value.kind === 'text') return value.text;
    return value.kind === 'constant' ? String(value.value) : HOLE;
  }

  #not(value: Value): Value {
    if (value.kind === 'constant') return { kind: 'constant', value: !value.value };
    if (value.kind === 'text')
      return value.text.includes(HOLE) ? UNKNOWN : { kind: 'constant', value: value.text === '' };
    return UNKNOWN;
  }

  #member(value: Value, name: string): Value {
    switch (value.kind) {
      case 'module':
        return name === 'default' ? value : { ...value, path: [...value.path, name] };
      case 'made':
      case 'global':
        return { ...value, path: [...value.path, name] };
      case 'object': {
        const entry = value.entries.get(name);
        if (entry !== undefined) return this.of(entry.value);
        return value.open ? UNKNOWN : { kind: 'constant', value: undefined };
      }
      case 'either':
        return either(value.values.map((one) => this.#member(one, name)));
      default:
        return UNKNOWN;
    }
  }

  #ofObject(node: ObjectExpression): ObjectValue {
    return this.#merge(
      node,
      node.properties.map((property) =>
        property.type === 'SpreadElement' ? this.of(property.argument) : { node: property, value: property.value },
      ),
    );
  }

  /** Later parts win, as in a spread. */
  #merge(node: Node, parts: readonly (Value | Entry)[]): ObjectValue {
    const entries = new Map<string, Entry>();
    let open = false;
    for (const part of parts) {
      if (!('kind' in part)) {
        const name = this.nameOf(part.node);
        if (name === undefined) open = true;
        else entries.set(name, part);
      } else if (part.kind === 'object') {
        for (const [name, entry] of part.entries) entries.set(name, entry);
        open ||= part.open;
      } else if (part.kind !== 'constant') open = true;
    }
    return { kind: 'object', node, entries, open };
  }

  #ofModule(source: Node | undefined): Value {
    const value = this.of(source);
    if (value.kind !== 'text') return UNKNOWN;
    const [, name = '', version] = /^(?:node:)?((?:@[^/]+\/)?[^@]+)(?:@(.+))?$/.exec(value.text) ?? [];
    return { kind: 'module', name, version, path: [] };
  }

  #ofCall(node: AnyCall): Value {
    const callee = unwrap(node.callee as Node);
    const called = this.of(callee);
    if (called.kind === 'global') {
      const name = called.path.join('.');
      if (name === 'require') return this.#ofModule(node.arguments[0]);
      if (name === 'Object.assign')
        return this.#merge(
          node,
          node.arguments.map((part) => this.of(part)),
        );
      if (/^Object\.(?:freeze|seal)$/.test(name)) return this.of(node.arguments[0]);
    }
    // Methods that answer with the object itself, or with another face of it.
    const method = calledMethod(node);
    if (called.kind === 'made' && /^(?:promise|on|once|addListener|connect)$/.test(method?.name ?? ''))
      return this.of(method?.object);
    const module = asModule(called);
    if (module !== undefined) return { kind: 'made', by: module, node, path: [] };
    if (called.kind === 'function' && node.type === 'CallExpression') return this.#returned(called.node);
    return UNKNOWN;
  }

  /** A class that leaves the constructor to its parent is called as that is; in a constructor, the call of `super` is looked at. */
  #ofClass({ superClass, body }: Class): Value {
    const hasConstructor = body.body.some(
      (member) => member.type === 'MethodDefinition' && member.kind === 'constructor',
    );
    return hasConstructor ? UNKNOWN : this.of(superClass);
  }

  /** The parent, where its constructor is called. */
  #ofSuper(node: Super): Value {
    const call = parentOf(node);
    if (call?.type !== 'CallExpression' || call.callee !== node) return UNKNOWN;
    for (const up of ancestors(node))
      if (up.type === 'ClassDeclaration' || up.type === 'ClassExpression') return this.of(up.superClass);
    return UNKNOWN;
  }

  /** What a function returns that has one `return`. */
  #returned({ body }: AnyFunction): Value {
    if (body.type !== 'BlockStatement') return this.of(body);
    const returns = [...ownNodes(body)].filter((node) => node.type === 'ReturnStatement');
    return returns.length === 1 ? this.of(returns[0]?.argument) : UNKNOWN;
  }

  #ofName(identifier: Identifier): Value {
    const variable = this.variable(identifier);
    if (variable === undefined) return { kind: 'global', path: [identifier.name] };
    return this.#withAssignments(variable, this.#ofVariable(variable));
  }

  #ofVariable(variable: Variable): Value {
    const [definition] = variable.defs;
    if (definition === undefined || variable.defs.length > 1) return UNKNOWN;
    const { type, node, name } = definition;
    if (type === 'FunctionName' && isFunction(node)) return { kind: 'function', node };
    if (type === 'ClassName') return this.#ofClass(node as Class);
    if (type === 'ImportBinding') return this.#imported(definition);
    if (type === 'Parameter') return this.#argument(variable, node, name);
    if (type !== 'Variable' || node.type !== 'VariableDeclarator') return UNKNOWN;
    const loop = parentOf(parentOf(node) ?? node)?.type;
    if (loop === 'ForOfStatement' || loop === 'ForInStatement') return UNKNOWN;
    const writes = variable.references.filter((reference) => reference.isWrite());
    return either(
      writes.map(({ identifier, writeExpr }) => {
        if (identifier === name) return this.#destructured(node.id, name, this.of(node.init));
        const assignment = parentOf(identifier as Node);
        return assignment?.type === 'AssignmentExpression' && assignment.operator === '='
          ? this.of(writeExpr as Node)
          : UNKNOWN;
      }),
    );
  }

  #imported({ node, parent }: Variable['defs'][number]): Value {
    const module = this.#ofModule((parent as { source?: Node } | undefined)?.source);
    if (node.type !== 'ImportSpecifier') return module;
    return this.#member(module, node.imported.type === 'Identifier' ? node.imported.name : String(node.imported.value));
  }

  /** The part of a value that a name in a pattern takes: `{ Pool: P }`. */
  #destructured(pattern: Pattern, name: Node, value: Value): Value {
    if (pattern === name) return value;
    if (pattern.type === 'AssignmentPattern')
      return either([this.#destructured(pattern.left, name, value), this.of(pattern.right)]);
    if (pattern.type !== 'ObjectPattern') return UNKNOWN;
    for (const property of pattern.properties) {
      if (property.type !== 'Property' || !contains(property.value, name)) continue;
      const key = nameOf(property);
      return key === undefined ? UNKNOWN : this.#destructured(property.value, name, this.#member(value, key));
    }
    return UNKNOWN;
  }

  /** A parameter is the argument of the only call of its function; where there are more, nobody knows. */
  #argument(variable: Variable, node: Node, name: Node): Value {
    if (!isFunction(node)) return UNKNOWN;
    const position = node.params.findIndex((parameter) => contains(parameter, name));
    const parameter = node.params[position];
    const isDefault = ({ identifier }: Variable['references'][number]): boolean =>
      parameter !== undefined && contains(parameter, identifier as Node);
    if (variable.references.some((reference) => reference.isWrite() && !isDefault(reference))) return UNKNOWN;
    const call = this.#onlyCall(node);
    if (parameter === undefined || parameter.type === 'RestElement') return UNKNOWN;
    if (call === undefined) return this.#destructured(parameter, name, UNKNOWN); // its default, or else
    const before = call.arguments.slice(0, position + 1);
    if (before.some(({ type }) => type === 'SpreadElement')) return UNKNOWN;
    return this.#destructured(parameter, name, this.of(call.arguments[position]));
  }

  #onlyCall(node: AnyFunction): CallExpression | undefined {
    const declarator = parentOf(node);
    const name =
      node.type === 'FunctionDeclaration'
        ? node.id
        : declarator?.type === 'VariableDeclarator' && declarator.id.type === 'Identifier'
          ? declarator.id
          : undefined;
    const variable = name ? this.variable(name) : undefined;
    const uses = variable?.references.filter((reference) => reference.identifier !== name) ?? [];
    const call = uses.length === 1 ? parentOf(uses[0]?.identifier as Node) : undefined;
    return call?.type === 'CallExpression' && call.callee === uses[0]?.identifier ? call : undefined;
  }

  /** `config.ssl = {…}` after `const config = {…}`. */
  #withAssignments(variable: Variable, value: Value): Value {
    const assigned = variable.references.flatMap(({ identifier }) => assignedMember(identifier as Node) ?? []);
    if (value.kind !== 'object' || assigned.length === 0) return value;
    const entries = new Map(value.entries);
    for (const { name, ...entry } of assigned) entries.set(name, entry);
    return { ...value, entries };
  }
}

function assignedMember(object: Node): (Entry & { readonly name: string }) | undefined {
  const member = parentOf(object);
  if (member?.type !== 'MemberExpression' || member.object !== object) return undefined;
  const assignment = parentOf(member);
  const name = nameOf(member);
  if (assignment?.type !== 'AssignmentExpression' || assignment.left !== member || name === undefined) return undefined;
  return { name, node: assignment, value: assignment.right };
}

function contains({ range }: Node, { range: inner }: Node): boolean {
  return range !== undefined && inner !== undefined && range[0] <= inner[0] && inner[1] <= range[1];
}

function flatten(value: Value): Value[] {
  return value.kind === 'either' ? value.values.flatMap(flatten) : [value];
}

/** Each of them once: conditions behind conditions would double their number. */
function either(values: readonly Value[]): Value {
  const different = new Map<unknown, Value>();
  for (const value of values.flatMap(flatten))
    different.set(value.kind === 'text' ? value.text : value.kind === 'constant' ? `=${value.value}` : value, value);
  const [first, ...others] = different.values();
  if (first === undefined) return UNKNOWN;
  return others.length === 0 ? first : { kind: 'either', values: [first, ...others] };
}

function asModule(value: Value): ModuleValue | undefined {
  if (value.kind === 'module') return value;
  if (value.kind !== 'global') return undefined;
  const [name = '', ...path] = value.path;
  const module = Object.hasOwn(MAGIC, name) ? MAGIC[name] : undefined;
  return module === undefined ? undefined : { kind: 'module', name: module, version: undefined, path };
}

/** The objects among all that a value may be. */
export function objectsOf(values: readonly Value[]): ObjectValue[] {
  return values.filter((value) => value.kind === 'object');
}
