import { type ParserOptions, parse, parseExpression } from '@babel/parser';
import { analyze, type Reference, type Scope, type Variable } from 'eslint-scope';
import { KEYS } from 'eslint-visitor-keys';
import type { Identifier, MemberExpression, Node, Program } from 'estree';
import type { FoundBlock } from './find.ts';

/** Something in a script that takes the effect of a block away, or may. */
export interface Tampering {
  readonly line: number;
  readonly problem: string;
}

/** The script is no JavaScript. */
export class ScriptUnreadable extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/**
 * Looks at the script around the blocks: whether each block is code, whether `certpin` stays what the block made of it, and whether
 * what the block itself uses is Node's own.
 *
 * @param text with `\n` as its line end
 * @throws ScriptUnreadable
 */
export function findTampering(text: string, blocks: readonly FoundBlock[]): Tampering[] {
  const script = readScript(text);
  const ranges = blocks.map((block) => rangeOf(text, block));
  const isOurs = (node: Node): boolean => ranges.some((range) => isWithin(node, range));
  const { variables, references } = script;
  const own = references.filter(({ identifier }) => isOurs(identifier));
  const others = references.filter(({ identifier }) => !isOurs(identifier));
  const free = new Set(own.filter(({ resolved }) => resolved === null).map(({ identifier }) => identifier.name));
  const found: Tampering[] = [];
  const report = (node: Node, problem: string): void => {
    found.push({ line: node.loc?.start.line ?? 1, problem });
  };

  const made = variables.filter(({ name }) => name === 'certpin');
  for (const [index, range] of ranges.entries()) {
    const isCode = made.some(({ defs }) => defs.some(({ type, node }) => type === 'Variable' && isWithin(node, range)));
    if (!isCode)
      found.push({ line: blocks[index]?.line ?? 1, problem: 'the block is no code here: a comment, or a string' });
  }
  for (const { defs } of made) {
    for (const { name } of defs) if (!isOurs(name)) report(name, '`certpin` is declared a second time');
  }
  for (const { identifier, resolved } of own) {
    if (resolved?.defs.some(({ name }) => !isOurs(name)))
      report(identifier, `the script has a \`${identifier.name}\` of its own, which the block would use`);
  }
  for (const reference of others) {
    const { identifier } = reference;
    if (identifier.name === 'certpin') {
      const problem = misuse(identifier, reference, script);
      if (problem !== undefined) report(identifier, problem);
    } else if (reference.resolved === null && reference.isWrite() && free.has(identifier.name)) {
      report(identifier, `\`${identifier.name}\`, which the block uses, is replaced`);
    }
  }
  const modules = new Set(own.flatMap(({ identifier }) => moduleOf(script.parents.get(identifier)) ?? []));
  for (const node of script.nodes.filter((node) => !isOurs(node))) {
    const changed = changedBy(node, script);
    const name = changed === undefined ? undefined : sharedName(changed, script, { free, modules });
    if (name !== undefined) report(node, `\`${name}\`, which the block uses, is changed`);
    if (runsText(node)) report(node, 'text is run as code here, and nobody knows what it does to the block');
  }
  return found.sort((a, b) => a.line - b.line);
}

/** Why this use of `certpin` is none that leaves it as it is; undefined where it does. */
function misuse(identifier: Identifier, reference: Reference, { parents }: Script): string | undefined {
  if (reference.resolved === null) return '`certpin` is used where no block has made it';
  if (reference.isWrite()) return '`certpin` is replaced';
  const parent = parents.get(identifier);
  if (parent?.type === 'MemberExpression' && parent.object === identifier && !parent.computed) {
    const user = parents.get(parent);
    return user !== undefined && isTarget(parent, user) ? 'a function of `certpin` is replaced' : undefined;
  }
  const isTakenApart =
    parent?.type === 'VariableDeclarator' && parent.init === identifier && parent.id.type === 'ObjectPattern';
  return isTakenApart ? undefined : '`certpin` is handed on, and can be changed there';
}

/** The object of which `node` changes a property. */
function changedBy(node: Node, { parents }: Script): Node | undefined {
  if (node.type === 'MemberExpression') {
    const user = parents.get(node);
    return user !== undefined && isTarget(node, user) ? node : undefined;
  }
  // Object.assign(target, …), Object.defineProperty(target, …), Reflect.set(target, …) and their like
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return undefined;
  const { object, property } = node.callee;
  const changes = /^(?:assign|define(?:Property|Properties)|set(?:PrototypeOf)?|deleteProperty)$/;
  if (object.type !== 'Identifier' || !/^(?:Object|Reflect)$/.test(object.name)) return undefined;
  return property.type === 'Identifier' && changes.test(property.name) ? node.arguments[0] : undefined;
}

function isTarget(member: Node, user: Node): boolean {
  if (user.type === 'AssignmentExpression') return user.left === member;
  if (user.type === 'UpdateExpression') return true;
  if (user.type === 'UnaryExpression') return user.operator === 'delete';
  if (user.type === 'ForOfStatement' || user.type === 'ForInStatement') return user.left === member;
  if (user.type === 'Property') return user.value === member;
  return user.type === 'ArrayPattern' || user.type === 'RestElement' || user.type === 'AssignmentPattern';
}

/** The global, or the module of Node's, that `changed` belongs to, where the block uses it. */
function sharedName(
  changed: Node,
  { references }: Script,
  { free, modules }: { readonly free: ReadonlySet<string>; readonly modules: ReadonlySet<string> },
): string | undefined {
  const path: string[] = [];
  let root: Node = changed;
  while (root.type === 'MemberExpression') {
    path.unshift(propertyName(root));
    root = root.object;
  }
  const required = moduleOf(root);
  if (required !== undefined) return modules.has(required) ? required : undefined;
  if (root.type !== 'Identifier') return undefined;
  const variable = references.find(({ identifier }) => identifier === root)?.resolved;
  if (variable) {
    const [definition] = variable.defs;
    const init = definition?.type === 'Variable' ? definition.node.init : undefined;
    const module = init ? moduleOf(init) : undefined;
    return module !== undefined && modules.has(module) ? module : undefined;
  }
  if (root.name === 'process' && path[0] === 'env') return undefined;
  // The script's own things are kept on `global`, under names of their own.
  const name = /^global(?:This)?$/.test(root.name) ? (path[0] ?? '') : root.name;
  return free.has(name) ? name : undefined;
}

function propertyName({ computed, property }: MemberExpression): string {
  if (!computed && property.type === 'Identifier') return property.name;
  return property.type === 'Literal' ? String(property.value) : '';
}

/** `tls` for `require('node:tls')`, and for the `require` in it. */
function moduleOf(node: Node | undefined): string | undefined {
  if (node?.type !== 'CallExpression' || node.callee.type !== 'Identifier' || node.callee.name !== 'require')
    return undefined;
  const [name] = node.arguments;
  return name?.type === 'Literal' ? String(name.value).replace(/^node:/, '') : undefined;
}

function runsText(node: Node): boolean {
  if (node.type === 'WithStatement') return true;
  if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return false;
  return node.callee.type === 'Identifier' && /^(?:eval|Function)$/.test(node.callee.name);
}

interface Script {
  readonly nodes: readonly Node[];
  readonly parents: ReadonlyMap<Node, Node>;
  readonly variables: readonly Variable[];
  readonly references: readonly Reference[];
}

function readScript(text: string): Script {
  const program = readProgram(text);
  const nodes: Node[] = [];
  const parents = new Map<Node, Node>();
  const walk = (node: Node): void => {
    nodes.push(node);
    const properties = node as unknown as Record<string, Node | (Node | null)[] | undefined>;
    for (const child of (KEYS[node.type] ?? []).flatMap((key) => properties[key] ?? [])) {
      if (child === null) continue; // a hole in an array
      parents.set(child, node);
      walk(child);
    }
  };
  walk(program);
  const { sourceType } = program;
  const { scopes } = analyze(program, {
    ecmaVersion: 2022,
    sourceType,
    // What a script declares at its top is its own.
    nodejsScope: sourceType === 'script',
    childVisitorKeys: KEYS,
    fallback: () => [],
  });
  return {
    nodes,
    parents,
    variables: scopes.flatMap((scope: Scope) => scope.variables),
    references: scopes.flatMap((scope: Scope) => scope.references),
  };
}

/** A script is a program, or one function that need not have a name. */
function readProgram(text: string): Program {
  const options: ParserOptions = {
    sourceType: 'unambiguous',
    allowReturnOutsideFunction: true,
    ranges: true,
    plugins: [['estree', { classFeatures: true }]],
  };
  // What the Deploy CLI will put there is a value.
  const script = text.replace(/@@[\w.-]+@@/g, (marker) => '_'.repeat(marker.length));
  try {
    return parse(script, options).program as unknown as Program;
  } catch (error) {
    try {
      const expression = parseExpression(script.replace(/;\s*$/, ''), options) as unknown as Node;
      return { type: 'Program', sourceType: 'script', body: [{ type: 'ExpressionStatement', expression }] } as Program;
    } catch {
      const { message, loc } = error as Error & { loc?: { line: number } };
      throw new ScriptUnreadable(message.replace(/ \(\d+:\d+\)$/, ''), loc?.line ?? 1);
    }
  }
}

function rangeOf(text: string, { line, lines }: FoundBlock): readonly [number, number] {
  const all = text.split('\n');
  const start = all.slice(0, line - 1).join('\n').length;
  return [start, all.slice(0, line - 1 + lines.length).join('\n').length];
}

function isWithin({ range }: Node, [start, end]: readonly [number, number]): boolean {
  return range !== undefined && range[0] >= start && range[1] <= end;
}
