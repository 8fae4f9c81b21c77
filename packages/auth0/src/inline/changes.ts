import type { Reference } from 'eslint-scope';
import type { CallExpression, Identifier, MemberExpression, Node, Pattern } from 'estree';

/** A script, as far as the question goes what its names stand for. */
export interface Names {
  readonly parents: ReadonlyMap<Node, Node>;
  readonly references: readonly Reference[];
}

/** What a block uses of what every script of a container shares. */
export interface Shared {
  readonly globals: ReadonlySet<string>;
  readonly modules: ReadonlySet<string>;
}

/** What every block uses without naming it: what literals, classes and promises are made of, and what Node's sockets are. */
export const FOUNDATIONS: Shared = {
  globals: new Set(
    'Array Boolean Buffer Error Function Map Number Object Promise Proxy Reflect RegExp Set String Symbol Uint8Array WeakMap process'.split(
      ' ',
    ),
  ),
  modules: new Set(['buffer', 'crypto', 'events', 'module', 'net', 'process', 'stream', 'tls', 'util']),
};

/** The shared thing that `node` changes; undefined where it changes none that can be told. */
export function sharedChange(node: Node, names: Names, shared: Shared): string | undefined {
  for (const { object, keys } of changesBy(node, names))
    for (const origin of originsOf(object, [], names))
      for (const key of keys) {
        const name = nameOf(origin, key, shared);
        if (name !== undefined) return name;
      }
  return undefined;
}

/** Whether `node` makes code of a text, or may. */
export function runsText(node: Node, names: Names): boolean {
  switch (node.type) {
    case 'WithStatement':
      return true;
    case 'Identifier':
      return isEvaluator(node, names);
    case 'ImportExpression':
      return node.source.type !== 'Literal' || String(node.source.value).startsWith('data:');
    case 'MemberExpression':
      return (
        /^(?:eval|Function)$/.test(propertyName(node)) &&
        [...originsOf(node.object, [], names)].some(
          ({ kind, name, path }) => kind === 'global' && isGlobalObject(name) && path.length === 0,
        )
      );
    case 'CallExpression':
    case 'NewExpression': {
      const { callee } = node;
      const isConstructor =
        callee.type === 'MemberExpression' &&
        propertyName(callee) === 'constructor' &&
        callee.object.type !== 'ThisExpression';
      return isConstructor || (node.type === 'CallExpression' && requiredBy(node, names) === 'vm');
    }
    default:
      return false;
  }
}

/** `eval`, and `Function` unless it is only compared with, or only looked into. */
function isEvaluator(node: Identifier, { parents, references }: Names): boolean {
  if (!/^(?:eval|Function)$/.test(node.name)) return false;
  const reference = references.find(({ identifier }) => identifier === node);
  const parent = parents.get(node);
  if (reference === undefined || reference.resolved !== null || parent?.type === 'BinaryExpression') return false;
  return node.name === 'eval' || parent?.type !== 'MemberExpression';
}

interface Change {
  readonly object: Node;
  /** '' where it cannot be told. */
  readonly keys: readonly string[];
}

function changesBy(node: Node, names: Names): Change[] {
  if (node.type === 'MemberExpression') {
    const user = names.parents.get(node);
    return user !== undefined && isTarget(node, user) ? [{ object: node.object, keys: [propertyName(node)] }] : [];
  }
  if (node.type !== 'CallExpression') return [];
  const { callee } = node;
  const [target, second] = node.arguments;
  if (callee.type === 'MemberExpression' && /^__define[GS]etter__$/.test(propertyName(callee)))
    return [{ object: callee.object, keys: keysOf(target) }];
  // Object.assign(target, …), Object.defineProperty(target, …), Reflect.set(target, …) and their like
  const changes = /^(?:Object|Reflect)\.(?:assign|define(?:Property|Properties)|set(?:PrototypeOf)?|deleteProperty)$/;
  const doesChange = [...originsOf(callee, [], names)].some(
    ({ kind, name, path }) => kind === 'global' && changes.test([name, ...path].join('.')),
  );
  return doesChange && target !== undefined ? [{ object: target, keys: keysOf(second) }] : [];
}

/** The property that a literal names, or those of an object. */
function keysOf(node: Node | undefined): string[] {
  if (node?.type === 'Literal') return [String(node.value)];
  if (node?.type !== 'ObjectExpression') return [''];
  return node.properties.map((property) =>
    property.type === 'Property' ? keyName(property.key, property.computed) : '',
  );
}

/** Whether `user` writes into the member. */
export function isTarget(member: Node, user: Node): boolean {
  if (user.type === 'AssignmentExpression') return user.left === member;
  if (user.type === 'UpdateExpression') return true;
  if (user.type === 'UnaryExpression') return user.operator === 'delete';
  if (user.type === 'ForOfStatement' || user.type === 'ForInStatement') return user.left === member;
  if (user.type === 'Property') return user.value === member;
  return user.type === 'ArrayPattern' || user.type === 'RestElement' || user.type === 'AssignmentPattern';
}

/** Where an object comes from, and the properties on the way from there. */
interface Origin {
  readonly kind: 'module' | 'global' | 'prototype';
  readonly name: string;
  readonly path: readonly string[];
}

function nameOf({ kind, name, path }: Origin, key: string, { globals, modules }: Shared): string | undefined {
  if (kind === 'prototype') return 'a prototype';
  if (kind === 'module') return modules.has(name) ? name : undefined;
  const [global = '', property] = isGlobalObject(name) ? [...path, key] : [name, ...path, key];
  if (global === 'process' && (property === 'env' || property === 'exitCode')) return undefined;
  return globals.has(global) ? global : undefined;
}

/** What an expression may stand for; its names are followed through all that is written to them. */
function* originsOf(
  node: Node,
  path: readonly string[],
  names: Names,
  seen: ReadonlySet<unknown> = new Set(),
): Generator<Origin, void, void> {
  const follow = (next: Node, more: readonly string[] = path): Generator<Origin, void, void> =>
    originsOf(next, more, names, seen);
  // {}.__proto__ and [].constructor.prototype are everybody's, whatever stands before them.
  if (path.includes('__proto__') || path.join('.').includes('constructor.prototype')) {
    yield { kind: 'prototype', name: '', path };
    return;
  }
  switch (node.type) {
    case 'MemberExpression':
      yield* follow(node.object, [propertyName(node), ...path]);
      break;
    case 'ChainExpression':
      yield* follow(node.expression);
      break;
    case 'AwaitExpression':
      yield* follow(node.argument);
      break;
    case 'AssignmentExpression':
      yield* follow(node.right);
      break;
    case 'SequenceExpression':
      yield* follow(node.expressions.at(-1) as Node);
      break;
    case 'LogicalExpression':
      yield* follow(node.left);
      yield* follow(node.right);
      break;
    case 'ConditionalExpression':
      yield* follow(node.consequent);
      yield* follow(node.alternate);
      break;
    case 'ThisExpression': // of a function that is called without an object
      if (!isInClass(node, names)) yield { kind: 'global', name: 'globalThis', path };
      break;
    case 'ImportExpression':
      if (node.source.type === 'Literal') yield { kind: 'module', name: moduleName(node.source.value), path };
      break;
    case 'CallExpression': {
      const module = requiredBy(node, names);
      if (module !== undefined) yield { kind: 'module', name: module, path };
      if (node.callee.type === 'MemberExpression' && propertyName(node.callee) === 'getPrototypeOf')
        yield { kind: 'prototype', name: '', path };
      break;
    }
    case 'Identifier':
      yield* originsOfName(node, path, names, seen);
      break;
    default:
  }
}

function* originsOfName(
  node: Identifier,
  path: readonly string[],
  names: Names,
  seen: ReadonlySet<unknown>,
): Generator<Origin, void, void> {
  const reference = names.references.find(({ identifier }) => identifier === node);
  const variable = reference?.resolved;
  if (!variable) {
    if (reference !== undefined) yield { kind: 'global', name: node.name, path };
    return;
  }
  if (seen.has(variable)) return;
  const further = new Set([...seen, variable]);
  for (const { type, name, node: definition, parent } of variable.defs) {
    if (type === 'ImportBinding' && parent?.type === 'ImportDeclaration')
      yield { kind: 'module', name: moduleName(parent.source.value), path };
    if (type !== 'Variable' || !definition.init) continue;
    const taken = pathTo(definition.id, name);
    if (taken !== undefined) yield* originsOf(definition.init, [...taken, ...path], names, further);
  }
  for (const { writeExpr, init } of variable.references)
    if (writeExpr && !init) yield* originsOf(writeExpr as Node, path, names, further);
}

/** The properties by which a pattern takes a name: `['prototype']` for `{ prototype: p }`; undefined: it is not in it. */
function pathTo(pattern: Pattern, name: Node): string[] | undefined {
  if (pattern === name) return [];
  if (pattern.type === 'AssignmentPattern') return pathTo(pattern.left, name);
  if (pattern.type !== 'ObjectPattern') return undefined;
  for (const property of pattern.properties) {
    if (property.type === 'RestElement') continue;
    const rest = pathTo(property.value, name);
    if (rest !== undefined) return [keyName(property.key, property.computed), ...rest];
  }
  return undefined;
}

/** `tls` for `require('node:tls')`, by whatever name `require` is called; undefined for any other call. */
function requiredBy({ callee, arguments: [name] }: CallExpression, names: Names): string | undefined {
  const isMember = callee.type === 'MemberExpression' && propertyName(callee) === 'require'; // module.require
  const isRequire =
    isMember ||
    (callee.type === 'Identifier' &&
      [...originsOf(callee, [], names)].some(
        ({ kind, name, path }) => kind === 'global' && name === 'require' && path.length === 0,
      ));
  if (!isRequire) return undefined;
  if (name?.type === 'TemplateLiteral' && name.expressions.length === 0)
    return moduleName(name.quasis[0]?.value.cooked);
  return name?.type === 'Literal' ? moduleName(name.value) : undefined;
}

export function moduleName(specifier: unknown): string {
  return String(specifier).replace(/^node:/, '');
}

function isInClass(node: Node, { parents }: Names): boolean {
  for (let up = parents.get(node); up !== undefined; up = parents.get(up)) if (up.type === 'ClassBody') return true;
  return false;
}

function isGlobalObject(name: string): boolean {
  return name === 'global' || name === 'globalThis';
}

function propertyName({ computed, property }: MemberExpression): string {
  return keyName(property, computed);
}

function keyName(key: Node, computed: boolean): string {
  if (!computed && key.type === 'Identifier') return key.name;
  return key.type === 'Literal' ? String(key.value) : '';
}
