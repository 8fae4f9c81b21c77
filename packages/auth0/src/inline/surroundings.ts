import { type ParserOptions, parse, parseExpression } from '@babel/parser';
import { analyze, type Reference, type Scope, type Variable } from 'eslint-scope';
import { KEYS } from 'eslint-visitor-keys';
import type { Identifier, Node, Program } from 'estree';
import { FOUNDATIONS, isTarget, moduleName, type Names, runsText, sharedChange } from './changes.ts';
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
    const line = node.loc?.start.line ?? 1;
    if (!found.some((known) => known.line === line && known.problem === problem)) found.push({ line, problem });
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
  const isOwnGlobal = (name: string): boolean =>
    references.every(({ identifier, resolved }) => identifier.name !== name || resolved === null);
  const shared = {
    globals: new Set([...free, ...[...FOUNDATIONS.globals].filter(isOwnGlobal)]),
    modules: new Set([
      ...FOUNDATIONS.modules,
      ...own.flatMap(({ identifier }) => requiredModule(script.parents.get(identifier))),
    ]),
  };
  for (const node of script.nodes.filter((node) => !isOurs(node))) {
    const name = sharedChange(node, script, shared);
    if (name !== undefined)
      report(node, `${name === 'a prototype' ? name : `\`${name}\``}, which the block uses, is changed`);
    if (runsText(node, script)) report(node, 'text is run as code here, and nobody knows what it does to the block');
    if (node.type === 'Identifier' && looksLikeCertpin(node.name))
      report(node, 'a name that looks like `certpin` and is another one');
  }
  return found.sort((a, b) => a.line - b.line);
}

/** Why this use of `certpin` is none that leaves it as it is; undefined where it does. */
function misuse(identifier: Identifier, reference: Reference, { parents }: Script): string | undefined {
  if (reference.resolved === null) return '`certpin` is used where no block has made it';
  if (reference.isWrite()) return '`certpin` is replaced';
  let member: Node = identifier;
  let parent = parents.get(member);
  while (parent?.type === 'MemberExpression' && parent.object === member && !parent.computed) {
    member = parent;
    parent = parents.get(member);
    if (parent !== undefined && isTarget(member, parent)) return 'a function of `certpin` is replaced';
  }
  if (member !== identifier) return undefined;
  const isTakenApart =
    parent?.type === 'VariableDeclarator' && parent.init === identifier && parent.id.type === 'ObjectPattern';
  return isTakenApart ? undefined : '`certpin` is handed on, and can be changed there';
}

/** The module that the block requires where it says `require`. */
function requiredModule(call: Node | undefined): string[] {
  const [name] = call?.type === 'CallExpression' ? call.arguments : [];
  return name?.type === 'Literal' ? [moduleName(name.value)] : [];
}

/** Letters of other scripts in the place of Latin ones, or joiners that nobody sees. */
function looksLikeCertpin(name: string): boolean {
  const letters = [...name.replace(/[\u200C\u200D]/g, '')];
  const expected = [...'certpin'];
  if (name === 'certpin' || letters.length !== expected.length) return false;
  return letters.every((letter, index) => letter === expected[index] || letter > '\u007F');
}

interface Script extends Names {
  readonly nodes: readonly Node[];
  readonly variables: readonly Variable[];
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
    if (error instanceof RangeError) throw error;
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
