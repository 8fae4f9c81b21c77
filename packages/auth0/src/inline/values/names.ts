import type { Reference, Variable } from 'eslint-scope';
import type { Identifier, MemberExpression, Node, Property } from 'estree';
import { type Key, keyOf } from '../keys/key.ts';
import type { Script } from '../script.ts';
import { type AnyFunction, isFunction } from '../syntax.ts';

/** The names in a script: which variable each of them means. */
export class Names {
  readonly #script: Script;
  readonly #references = new Map<Identifier, Reference>();
  /** By the identifiers that declare them: parameters are not references. */
  readonly #declared = new Map<Node, Variable>();
  /** By the functions that they name. */
  readonly #ofFunctions = new Map<Node, Variable>();

  constructor(script: Script) {
    this.#script = script;
    for (const reference of script.references) this.#references.set(reference.identifier as Identifier, reference);
    for (const variable of script.variables)
      for (const { type, name, node } of variable.defs) {
        this.#declared.set(name as Node, variable);
        if (type === 'FunctionName') this.#ofFunctions.set(node, variable);
      }
  }

  readonly referenceOf = (identifier: Identifier): Reference | undefined => this.#references.get(identifier);

  keyOf(node: MemberExpression | Property): Key {
    return keyOf(node, this.referenceOf);
  }

  /** The variable that an identifier declares or uses. */
  variableAt(identifier: Identifier): Variable | null | undefined {
    return this.#declared.get(identifier) ?? this.referenceOf(identifier)?.resolved;
  }

  /** The variable that the name of a function makes. */
  ofFunction(node: Node): Variable | undefined {
    return this.#ofFunctions.get(node);
  }

  /** The variable by which a function is called: that of its name, or the constant that holds it. */
  holderOf(node: AnyFunction): Variable | undefined {
    if (node.type === 'FunctionDeclaration') return this.ofFunction(node);
    const parent = this.#script.parents.get(node);
    if (parent?.type !== 'VariableDeclarator' || parent.init !== node || parent.id.type !== 'Identifier')
      return undefined;
    if (node.type === 'FunctionExpression' && node.id) return undefined;
    const { name } = parent.id;
    const variable = this.#script.variables.find(
      ({ defs }) => defs.length === 1 && defs[0]?.node === parent && defs[0].name.name === name,
    );
    return variable?.references.some((reference) => reference.isWrite() && !reference.init) ? undefined : variable;
  }

  /** The functions of the script that a name stands for. */
  functionsNamed(identifier: Identifier): AnyFunction[] {
    const variable = this.referenceOf(identifier)?.resolved;
    return (variable?.defs ?? []).flatMap(({ type, node }) => {
      if (type === 'FunctionName') return [node as AnyFunction];
      return type === 'Variable' && node.init && isFunction(node.init) ? [node.init] : [];
    });
  }
}
