import { analyze } from 'eslint-scope';
import type { Comment, Node } from 'estree';
import { childrenOf, visitorKeys } from './ast.ts';
import type { Parsed } from './parse.ts';
import type { Edit, Fixer, HostContext, Listeners, Location, Rule, Severity } from './rule.ts';
import type { SourceCode } from './source-code.ts';

/** What a rule found. Lines and columns count from 1, in UTF-16 units as in editors. The end is after the last character. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  /** What happens. */
  readonly message: string;
  /** What to write instead. */
  readonly instead: string;
  /** The page of the rule in the package: a path in `node_modules`. */
  readonly page: string;
  /** What `--fix` writes. undefined: a person must decide. */
  readonly fix?: Edit;
  /** An edit that is never made automatically, because it may weaken the program. */
  readonly suggestion?: Suggestion;
}

export interface Suggestion {
  /** What to check before the edit is made. */
  readonly message: string;
  readonly edit: Edit;
}

const fixer: Fixer = { replaceTextRange: (range, text) => ({ range, text }) };

/** Runs rules over a file as ESLint would, as far as the rules need it. */
export function runRules(
  rules: readonly Rule[],
  { ast, comments }: Parsed,
  { text, filename, settings }: { text: string; filename: string; settings: HostContext['settings'] },
): Finding[] {
  const nodes = inOrder(ast);
  const sourceCode = createSourceCode(text, ast, comments);
  const findings: Finding[] = [];
  const listeners = rules.map((rule) =>
    rule.create({
      filename,
      sourceCode,
      settings,
      report: ({ loc, messageId, data, fix, suggest: [suggested] }) => {
        const { happens, instead } = rule.parts[messageId] ?? { happens: messageId, instead: '' };
        const fill = (message: string): string => message.replace(/\{\{(\w+)\}\}/g, (all, name) => data[name] ?? all);
        const edit = fix?.(fixer);
        const suggestion =
          suggested === undefined
            ? undefined
            : { message: rule.meta.messages[suggested.messageId] ?? '', edit: suggested.fix(fixer) };
        findings.push({
          rule: rule.name,
          severity: rule.severity,
          ...placeOf(loc),
          message: fill(happens),
          instead: fill(instead),
          page: rule.meta.docs.url,
          ...(edit === undefined ? {} : { fix: edit }),
          ...(suggestion === undefined ? {} : { suggestion }),
        });
      },
    }),
  );
  for (const node of nodes) for (const listener of listeners) call(listener, node);
  for (const listener of listeners) listener['Program:exit']?.(ast);
  return findings.sort(byPlace);
}

export function byPlace(a: Finding, b: Finding): number {
  return a.line - b.line || a.column - b.column || (a.rule < b.rule ? -1 : Number(a.rule > b.rule));
}

function call(listeners: Listeners, node: Node): void {
  (listeners[node.type] as ((node: Node) => void) | undefined)?.(node);
}

export function placeOf({ start, end }: Location): Pick<Finding, 'line' | 'column' | 'endLine' | 'endColumn'> {
  return { line: start.line, column: start.column + 1, endLine: end.line, endColumn: end.column + 1 };
}

/** All nodes, the outer ones first. Each learns what is around it. */
function inOrder(root: Node): Node[] {
  const nodes: Node[] = [];
  const visit = (node: Node, parent: Node | null): void => {
    (node as { parent?: Node | null }).parent = parent;
    nodes.push(node);
    for (const child of childrenOf(node)) visit(child, node);
  };
  visit(root, null);
  return nodes;
}

function createSourceCode(text: string, ast: Parsed['ast'], comments: Comment[]): SourceCode {
  const scopeManager = analyze(ast, {
    ecmaVersion: 2024,
    sourceType: ast.sourceType,
    childVisitorKeys: visitorKeys as Record<string, string[]>,
    fallback: () => [], // For a node of an unknown type, nothing exists at run time.
  });
  return {
    text,
    ast,
    scopeManager,
    getText: ({ range }) => text.slice(...(range ?? [0, 0])),
    getScope: (node) => {
      const inner = node.type !== 'Program';
      for (let at: Node | null = node; at; at = (at as { parent?: Node | null }).parent ?? null) {
        const scope = scopeManager.acquire(at, inner);
        if (scope) return (scope.type as string) === 'function-expression-name' ? scope.childScopes[0] : scope;
      }
      return scopeManager.scopes[0];
    },
    getAllComments: () => comments,
  };
}
