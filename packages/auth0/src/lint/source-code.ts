import type { Comment, Node, Program } from 'estree';

// The part of ESLint's `SourceCode` that our rules need. ESLint or our own host provides it and can run them.

export interface Variable {
  readonly name: string;
  readonly defs: readonly {
    readonly type: string;
    readonly name: Node;
    readonly node: Node;
    readonly parent?: unknown;
  }[];
  readonly references: readonly Reference[];
}

interface Reference {
  readonly identifier: unknown;
  readonly writeExpr?: unknown;
  isWrite(): boolean;
}

export interface Scope {
  readonly type: string;
  readonly set: ReadonlyMap<string, Variable>;
  readonly upper: Scope | null;
  readonly through: readonly Reference[];
}

export interface SourceCode {
  readonly text: string;
  readonly ast: Program;
  readonly scopeManager: { readonly globalScope?: unknown } | null;
  getText(node: Node): string;
  getScope(node: Node): unknown;
  getAllComments(): Comment[];
}
