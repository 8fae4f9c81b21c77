import type { Node } from 'estree';
import type { Key } from '../keys/key.ts';
import type { Analysis } from '../values/analysis.ts';
import type { Values } from '../values/value.ts';
import type { Used } from './used.ts';

/**
 * Why the surroundings of a block are not intact. `tampered`: a change of something that the block needs was seen. `unclear`: something is
 * not understood, and may be such a change.
 */
export interface Problem {
  readonly state: 'tampered' | 'unclear';
  /** The line of the script, from 1. */
  readonly line: number;
  readonly reason: string;
}

/** A script that is judged, and the problems that were found in it. */
export class Scene {
  readonly analysis: Analysis;
  /** What its blocks use. */
  readonly used: Used;
  readonly problems: Problem[] = [];

  constructor(analysis: Analysis, used: Used) {
    this.analysis = analysis;
    this.used = used;
  }

  tampered(node: Node, reason: string): void {
    this.#report('tampered', node, reason);
  }

  unclear(node: Node, reason: string): void {
    this.#report('unclear', node, reason);
  }

  #report(state: Problem['state'], { loc }: Node, reason: string): void {
    const line = loc?.start.line ?? 1;
    if (!this.problems.some((known) => known.line === line && known.reason === reason))
      this.problems.push({ state, line, reason });
  }

  valuesOf(node: Node): Values {
    return this.analysis.valuesOf(node);
  }

  keyOf(node: Parameters<Analysis['names']['keyOf']>[0]): Key {
    return this.analysis.names.keyOf(node);
  }

  parentOf(node: Node): Node | undefined {
    return this.analysis.script.parents.get(node);
  }

  /** Whether a node is what an assignment writes to. */
  isTarget(node: Node): boolean {
    const parent = this.parentOf(node);
    return parent?.type === 'AssignmentExpression' && parent.left === node;
  }
}
