import type { Node } from 'estree';
import type { Script } from '../script.ts';
import type { Functions } from './functions.ts';
import type { Knowledge } from './knowledge.ts';
import type { Names } from './names.ts';
import type { Values } from './value.ts';

/** A script while it is read: its tree, its names, and what is known so far. */
export interface Reading {
  readonly script: Script;
  /** Those of the script, without its blocks. */
  readonly nodes: readonly Node[];
  readonly isOurs: (node: Node) => boolean;
  readonly names: Names;
  readonly functions: Functions;
  readonly knowledge: Knowledge;
  /** What an expression may stand for. */
  valuesOf(node: Node): Values;
}
