import type { Class, ClassBody, Identifier, Node, Super } from 'estree';
import {
  type AnyCall,
  type AnyFunction,
  ancestors,
  calledMethod,
  descendants,
  isFunction,
  nameOf,
  ownNodes,
  parentOf,
  unwrap,
} from './ast.ts';
import type { InlineBlockRange } from './inline-blocks.ts';
import { HOLE, withHoles } from './markers.ts';
import { asModule, moduleNamed } from './modules.ts';
import { joinParts, memberOf } from './objects.ts';
import type { SourceCode, Variable } from './source-code.ts';
import { either, flatten, type ModuleValue, UNKNOWN, type Value } from './value.ts';
import { type Around, findVariable, valueOfVariable } from './variables.ts';

/** Follows constants, spreads, assignments to members, imports and plain functions. It follows no types, and stays within the file. */
export class Values implements Around {
  readonly #sourceCode: SourceCode;
  readonly #blocks: readonly InlineBlockRange[];
  readonly #found = new Map<Node, Value>();
  readonly #members = new Map<Node, ReadonlyMap<string, readonly (Node | null)[]>>();

  constructor(sourceCode: SourceCode, blocks: readonly InlineBlockRange[]) {
    this.#sourceCode = sourceCode;
    this.#blocks = blocks;
  }

  of(node: Node | null | undefined): Value {
    if (node === null || node === undefined) return UNKNOWN;
    const found = this.#found.get(node);
    if (found !== undefined) return found;
    this.#found.set(node, UNKNOWN); // A value that depends on itself is not known.
    const value = this.#evaluate(node);
    this.#found.set(node, value);
    return value;
  }

  /** All that it may be, one by one. */
  possible(node: Node | null | undefined): Value[] {
    return flatten(this.of(node));
  }

  /** Whether it is this constant, or may be if a condition decides. */
  mayBe(node: Node, value: boolean): boolean {
    return this.possible(node).some((one) => one.kind === 'constant' && one.value === value);
  }

  /** The package of a value. A name that nobody declares counts if Auth0 once declared it. */
  moduleOf(node: Node): ModuleValue | undefined {
    return asModule(this.of(node));
  }

  /** The name of a property or a member, also a computed one if it is known. */
  nameOf(node: Node): string | undefined {
    const written = nameOf(node);
    if (written !== undefined) return written;
    const key = node.type === 'MemberExpression' ? node.property : node.type === 'Property' ? node.key : undefined;
    const value = this.of(key);
    return value.kind === 'text' && !value.text.includes(HOLE) ? value.text : undefined;
  }

  /** The variable of a name. undefined: the file does not declare it. */
  variable(identifier: Identifier): Variable | undefined {
    return findVariable(identifier, this.#sourceCode);
  }

  #evaluate(wrapped: Node): Value {
    const node = unwrap(wrapped);
    switch (node.type) {
      case 'Literal':
        if (typeof node.value === 'string') return { kind: 'text', text: withHoles(node.value) };
        return node.value instanceof RegExp ? UNKNOWN : { kind: 'constant', value: node.value as null };
      case 'TemplateLiteral': {
        const parts = node.quasis.map(({ value }, index) => {
          const next = node.expressions[index];
          return (value.cooked ?? '') + (next === undefined ? '' : this.#asText(next));
        });
        return { kind: 'text', text: withHoles(parts.join('')) };
      }
      case 'BinaryExpression': {
        if (node.operator !== '+') return UNKNOWN;
        const sides = [this.of(node.left), this.of(node.right)];
        if (!sides.some(({ kind }) => kind === 'text')) return UNKNOWN;
        return { kind: 'text', text: `${this.#asText(node.left)}${this.#asText(node.right)}` };
      }
      case 'UnaryExpression':
        if (node.operator === 'void') return { kind: 'constant', value: undefined };
        if (node.operator === '!') return this.#not(this.of(node.argument));
        return UNKNOWN;
      case 'ConditionalExpression':
        return either([this.of(node.consequent), this.of(node.alternate)]);
      case 'LogicalExpression':
        return either([this.of(node.left), this.of(node.right)]);
      case 'AwaitExpression':
        return this.of(node.argument);
      case 'SequenceExpression':
        return this.of(node.expressions.at(-1));
      case 'AssignmentExpression':
        return node.operator === '=' ? this.of(node.right) : UNKNOWN;
      case 'Identifier':
        return node.name === 'undefined' ? { kind: 'constant', value: undefined } : this.#ofName(node);
      case 'MemberExpression': {
        const name = this.nameOf(node);
        if (node.object.type === 'ThisExpression') return this.#ofThis(node, name);
        return name === undefined ? UNKNOWN : memberOf(this.of(node.object), name, this);
      }
      case 'ObjectExpression':
        return this.#joined(
          node,
          node.properties.map((property) =>
            property.type === 'SpreadElement' ? this.of(property.argument) : { node: property, value: property.value },
          ),
        );
      case 'ImportExpression':
        return this.ofModule(node.source);
      case 'CallExpression':
      case 'NewExpression':
        return this.#ofCall(node);
      case 'ClassExpression':
        return this.ofClass(node);
      case 'Super':
        return this.#ofSuper(node);
      default:
        return isFunction(node) ? { kind: 'function', node } : UNKNOWN;
    }
  }

  #asText(node: Node): string {
    const value = this.of(node);
    if (value.kind === 'text') return value.text;
    return value.kind === 'constant' ? String(value.value) : HOLE;
  }

  #not(value: Value): Value {
    if (value.kind === 'constant') return { kind: 'constant', value: !value.value };
    if (value.kind === 'text')
      return value.text.includes(HOLE) ? UNKNOWN : { kind: 'constant', value: value.text === '' };
    return UNKNOWN;
  }

  #joined(node: Node, parts: Parameters<typeof joinParts>[1]): Value {
    return joinParts(node, parts, (property) => this.nameOf(property));
  }

  ofModule(source: Node | undefined): Value {
    const value = this.of(source);
    return value.kind === 'text' ? moduleNamed(value.text) : UNKNOWN;
  }

  #ofCall(node: AnyCall): Value {
    const callee = unwrap(node.callee as Node);
    const called = this.of(callee);
    if (called.kind === 'global') {
      const name = called.path.join('.');
      if (name === 'require') return this.ofModule(node.arguments[0]);
      if (name === 'Object.assign')
        return this.#joined(
          node,
          node.arguments.map((part) => this.of(part)),
        );
      if (/^Object\.(?:freeze|seal)$/.test(name)) return this.of(node.arguments[0]);
    }
    // Methods that return the object itself, or another view of it.
    const method = calledMethod(node);
    if (called.kind === 'made' && /^(?:promise|on|once|addListener|connect)$/.test(method?.name ?? ''))
      return this.of(method?.object);
    const module = asModule(called);
    if (module !== undefined) return { kind: 'made', by: module, node, path: [] };
    if (called.kind === 'function' && node.type === 'CallExpression') return this.#returned(called.node);
    return UNKNOWN;
  }

  /** A class without a constructor is called like its parent. In a constructor, the call of `super` is read. */
  ofClass({ superClass, body }: Class): Value {
    const hasConstructor = body.body.some(
      (member) => member.type === 'MethodDefinition' && member.kind === 'constructor',
    );
    return hasConstructor ? UNKNOWN : this.of(superClass);
  }

  /** `this.agent`: what the class declares or assigns under this name, anywhere. */
  #ofThis(node: Node, name: string | undefined): Value {
    const around = [...ancestors(node)].find((up) => up.type === 'ClassBody');
    if (around === undefined || name === undefined) return UNKNOWN;
    const members = this.#members.get(around) ?? membersOf(around);
    this.#members.set(around, members);
    return either((members.get(name) ?? []).map((value) => this.of(value)));
  }

  /** The parent, where its constructor is called. */
  #ofSuper(node: Super): Value {
    const call = parentOf(node);
    if (call?.type !== 'CallExpression' || call.callee !== node) return UNKNOWN;
    for (const up of ancestors(node))
      if (up.type === 'ClassDeclaration' || up.type === 'ClassExpression') return this.of(up.superClass);
    return UNKNOWN;
  }

  /** The result of a function with one `return`. */
  #returned({ body }: AnyFunction): Value {
    if (body.type !== 'BlockStatement') return this.of(body);
    const returns = [...ownNodes(body)].filter((node) => node.type === 'ReturnStatement');
    return returns.length === 1 ? this.of(returns[0]?.argument) : UNKNOWN;
  }

  #ofName(identifier: Identifier): Value {
    const variable = this.variable(identifier);
    if (variable === undefined) return { kind: 'global', path: [identifier.name] };
    return this.#ofBlock(variable) ?? valueOfVariable(variable, this);
  }

  /** The `certpin` that a pasted block declares is the package, if the script only reads its members. */
  #ofBlock({ name, defs: [definition], references }: Variable): ModuleValue | undefined {
    const [start = -1] = definition?.node.range ?? [];
    const block = this.#blocks.find(({ range: [from, to] }) => start >= from && start < to);
    if (block === undefined || name !== 'certpin' || definition?.node.type !== 'VariableDeclarator') return undefined;
    const isRead = references.every((reference) => reference.isWrite() || isReadMember(reference.identifier as Node));
    return isRead ? { kind: 'module', name: block.module, version: block.otherVersion, path: [] } : undefined;
  }
}

/** `certpin.pinnedAgent` and `const { pinnedAgent } = certpin`, but no assignment to it, and not the object as a whole. */
function isReadMember(object: Node): boolean {
  const member = parentOf(object);
  if (member?.type === 'VariableDeclarator') return member.init === object && member.id.type === 'ObjectPattern';
  if (member?.type !== 'MemberExpression' || member.object !== object) return false;
  const use = parentOf(member);
  if (use?.type === 'AssignmentExpression') return use.left !== member;
  return use?.type !== 'UpdateExpression' && !(use?.type === 'UnaryExpression' && use.operator === 'delete');
}

/** What a class writes to the members of its objects. null: not known. */
function membersOf(body: ClassBody): Map<string, (Node | null)[]> {
  const members = new Map<string, (Node | null)[]>();
  const add = (name: string | undefined, value: Node | null | undefined): void => {
    if (name !== undefined) members.set(name, [...(members.get(name) ?? []), value ?? null]);
  };
  for (const member of body.body) if (member.type === 'PropertyDefinition') add(nameOf(member), member.value);
  for (const node of descendants(body))
    if (node.type === 'AssignmentExpression' && node.left.type === 'MemberExpression')
      if (node.left.object.type === 'ThisExpression') add(nameOf(node.left), node.operator === '=' ? node.right : null);
  return members;
}
