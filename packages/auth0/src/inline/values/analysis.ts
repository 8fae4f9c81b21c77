import type { CallExpression, Node } from 'estree';
import type { Script } from '../script.ts';
import { evaluate } from './evaluate.ts';
import { Functions } from './functions.ts';
import { globalsMade } from './globals-made.ts';
import { Knowledge } from './knowledge.ts';
import { learn } from './learn.ts';
import { type MemberWrite, writesBy, writesByCall } from './member-writes.ts';
import { Names } from './names.ts';
import type { Reading } from './reading.ts';
import { Values } from './value.ts';

/**
 * What every expression of a script may stand for, whatever the order in which the script runs. The analysis goes through the script again
 * and again, until it learns nothing new.
 */
export class Analysis implements Reading {
  readonly script: Script;
  readonly nodes: readonly Node[];
  readonly isOurs: (node: Node) => boolean;
  readonly names: Names;
  readonly functions: Functions;
  readonly knowledge: Knowledge;
  readonly #memberWrites: readonly MemberWrite[];
  readonly #calls: readonly CallExpression[];
  /** By what is known in this pass. */
  #values = new Map<Node, Values>();

  /** @param isOurs whether a node is part of a block */
  constructor(script: Script, isOurs: (node: Node) => boolean) {
    this.script = script;
    this.isOurs = isOurs;
    this.nodes = script.nodes.filter((node) => !isOurs(node));
    this.names = new Names(script);
    this.functions = new Functions(script, this.names, this.nodes);
    this.#memberWrites = this.nodes.flatMap((node) => writesBy(node, this.names));
    this.#calls = this.nodes.filter((node) => node.type === 'CallExpression');
    this.knowledge = new Knowledge(globalsMade(script, this.#memberWrites));
    do {
      learn(this, () => this.memberWrites());
      this.#values = new Map();
    } while (this.knowledge.takeNews());
  }

  readonly valuesOf = (node: Node): Values => {
    const known = this.#values.get(node);
    if (known !== undefined) return known;
    const values = new Values(evaluate(this, node));
    this.#values.set(node, values);
    return values;
  };

  memberWrites(): readonly MemberWrite[] {
    return [...this.#memberWrites, ...this.#calls.flatMap((call) => writesByCall(call, this))];
  }
}
