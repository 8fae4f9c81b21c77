import type { Node } from 'estree';
import type { Script } from '../script.ts';
import { type AnyCall, type AnyFunction, isFunction } from '../syntax.ts';
import type { Names } from './names.ts';

/** Who calls the functions of a script. */
export class Functions {
  readonly #script: Script;
  readonly #names: Names;
  readonly #mains: ReadonlySet<Node>;
  /** Functions of which all calls are known. */
  readonly called: ReadonlyMap<AnyFunction, readonly AnyCall[]>;

  /** @param nodes those of the script, without its blocks */
  constructor(script: Script, names: Names, nodes: readonly Node[]) {
    this.#script = script;
    this.#names = names;
    const functions = nodes.filter(isFunction);
    this.#mains = new Set(functions.filter((node) => this.#isCalledByPlatform(node)));
    this.called = new Map(
      functions.flatMap((node): [AnyFunction, readonly AnyCall[]][] => {
        const calls = this.#allCallsOf(node);
        return calls === undefined ? [] : [[node, calls]];
      }),
    );
  }

  /** Whether the platform calls it: a top-level function that the script itself does not call, or the handler of an Action. */
  isMain(node: AnyFunction): boolean {
    return this.#mains.has(node);
  }

  #isCalledByPlatform(node: AnyFunction): boolean {
    const { parents } = this.#script;
    const parent = parents.get(node);
    if (parent?.type === 'AssignmentExpression' && parent.right === node && parent.left.type === 'MemberExpression') {
      const { object } = parent.left;
      const name = this.#names.keyOf(parent.left).text ?? '';
      const isExports =
        object.type === 'Identifier' && object.name === 'exports' && /^on(?:Execute|Continue)[A-Z]/.test(name);
      const isHook = object.type === 'Identifier' && object.name === 'module' && name === 'exports';
      const isAction =
        object.type === 'MemberExpression' &&
        object.object.type === 'Identifier' &&
        object.object.name === 'module' &&
        /^on(?:Execute|Continue)[A-Z]/.test(name);
      return (isExports || isHook || isAction) && !this.#readsExports();
    }
    const isTop = parent?.type === 'Program' || parent === undefined;
    const isExpression =
      parent?.type === 'ExpressionStatement' &&
      (parents.get(parent) === undefined || parents.get(parent)?.type === 'Program');
    if (!isTop && !isExpression) return false;
    return (this.#names.ofFunction(node)?.references ?? []).length === 0;
  }

  /** Whether the script takes its own exports and does something with them. */
  #readsExports(): boolean {
    const { references, parents } = this.#script;
    return references.some(({ identifier, resolved }) => {
      if (resolved !== null || !/^(?:exports|module)$/.test(identifier.name)) return false;
      let member = identifier as Node;
      let parent = parents.get(member);
      while (parent?.type === 'MemberExpression' && parent.object === member) {
        member = parent;
        parent = parents.get(member);
      }
      return parent?.type !== 'AssignmentExpression' || parent.left !== member;
    });
  }

  /** The calls of a function that is used in no other way. */
  #allCallsOf(node: AnyFunction): readonly AnyCall[] | undefined {
    const uses = this.#names.holderOf(node)?.references.filter((reference) => !reference.init) ?? [];
    const calls = uses.flatMap((reference) => {
      const parent = this.#script.parents.get(reference.identifier as Node);
      const isCall =
        (parent?.type === 'CallExpression' || parent?.type === 'NewExpression') &&
        parent.callee === reference.identifier;
      return isCall && !reference.isWrite() ? [parent] : [];
    });
    return uses.length > 0 && calls.length === uses.length ? calls : undefined;
  }

  /** Whether a function is called only with `new`. */
  isConstructor(node: AnyFunction): boolean {
    const uses = this.#names.ofFunction(node)?.references ?? [];
    return (
      uses.length > 0 &&
      uses.every(({ identifier }) => {
        const parent = this.#script.parents.get(identifier as Node);
        const isNew = parent?.type === 'NewExpression' && parent.callee === identifier;
        const isNamed =
          parent?.type === 'AssignmentExpression' &&
          parent.left.type === 'MemberExpression' &&
          this.#names.keyOf(parent.left).text === 'constructor';
        return (
          isNew ||
          isNamed ||
          (parent?.type === 'MemberExpression' &&
            parent.object === identifier &&
            this.#names.keyOf(parent).text === 'prototype')
        );
      })
    );
  }

  /** Whether it is seen what becomes of the arguments of a function, up to the one at `index`. */
  takesByName(node: AnyFunction, index: number): boolean {
    return (
      this.called.has(node) &&
      !node.params.slice(0, index + 1).some(({ type }) => type === 'RestElement') &&
      !this.#usesArguments(node)
    );
  }

  /** Whether a function reads its arguments without their names. */
  #usesArguments(node: AnyFunction): boolean {
    return this.#script.references.some(
      ({ identifier, resolved }) =>
        identifier.name === 'arguments' && (resolved?.scope.block as Node | undefined) === node,
    );
  }
}
