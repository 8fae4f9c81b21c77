import { type ParserOptions, parse, parseExpression } from '@babel/parser';
import { analyze, type Reference, type Scope, type Variable } from 'eslint-scope';
import { KEYS } from 'eslint-visitor-keys';
import type { Node, Program } from 'estree';
import { foreignLanguage } from '../platform/foreign-source.ts';

/** A script as a tree, with what each of its names stands for. */
export interface Script {
  readonly nodes: readonly Node[];
  readonly parents: ReadonlyMap<Node, Node>;
  readonly variables: readonly Variable[];
  readonly references: readonly Reference[];
}

/** The script is not JavaScript. */
export class ScriptUnreadable extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/**
 * @param text with `\n` as its line end
 * @throws ScriptUnreadable
 */
export function readScript(text: string): Script {
  const program = readProgram(text);
  const nodes: Node[] = [];
  const parents = new Map<Node, Node>();
  const walk = (node: Node): void => {
    nodes.push(node);
    for (const child of childrenOf(node)) {
      parents.set(child, node);
      walk(child);
    }
  };
  walk(program);
  const { sourceType } = program;
  const { scopes } = analyze(program, {
    ecmaVersion: 2022,
    sourceType,
    // What a script declares at the top is its own.
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

/** A node and all that is within it. */
export function nodesIn(node: Node): readonly Node[] {
  return [node, ...childrenOf(node).flatMap(nodesIn)];
}

function childrenOf(node: Node): Node[] {
  const properties = node as unknown as Record<string, Node | (Node | null)[] | undefined>;
  // A hole in an array is null.
  return (KEYS[node.type] ?? []).flatMap((key) => properties[key] ?? []).filter((child) => child !== null);
}

/** A script is a program, or one function, with or without a name. */
function readProgram(text: string): Program {
  const options: ParserOptions = {
    sourceType: 'unambiguous',
    allowReturnOutsideFunction: true,
    ranges: true,
    plugins: [['estree', { classFeatures: true }]],
  };
  // The Deploy CLI will put a value there.
  const script = text.replace(/@@[\w.-]+@@/g, (marker) => '_'.repeat(marker.length));
  try {
    return parse(script, options).program as unknown as Program;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    try {
      const bare = { ...options, sourceType: 'script' } as const;
      const expression = parseExpression(script.replace(/;\s*$/, ''), bare) as unknown as Node;
      return { type: 'Program', sourceType: 'script', body: [{ type: 'ExpressionStatement', expression }] } as Program;
    } catch {
      const { message, loc } = error as Error & { loc?: { line: number } };
      const language = foreignLanguage(script);
      const said = language === undefined ? message.replace(/ \(\d+:\d+\)$/, '') : `it is ${language}`;
      throw new ScriptUnreadable(said, loc?.line ?? 1);
    }
  }
}

/** Whether a name stands for what the Deploy CLI will put there. */
export function isMarker(name: string): boolean {
  return /^_{5,}$/.test(name);
}
