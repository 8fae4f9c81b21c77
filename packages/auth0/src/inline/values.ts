import type { Reference, Variable } from 'eslint-scope';
import type {
  AssignmentExpression,
  CallExpression,
  Function as Fn,
  Identifier,
  MemberExpression,
  NewExpression,
  Node,
  Pattern,
  Property,
} from 'estree';
import { isCertain, mayEnd } from './certain.ts';
import { type Key, keyOf, known } from './keys.ts';
import {
  CONSTANTS,
  GIVEN,
  isFreshCall,
  isInternal,
  isLegacyPackage,
  isNodeGlobal,
  isNodeModule,
  isPackage,
  isPlainCall,
  PLAIN_METHODS,
  WRITING_CALLS,
  writesIntoFirst,
} from './known.ts';
import { isMarker, type Script } from './script.ts';

/**
 * What an expression may stand for.
 *
 * - `plain`: a text, a number, nothing. `unset`: nothing, as nobody may have written it.
 * - `own`: an object that this script made; what stands in it is followed. `function`: a function or a class of it.
 * - `fresh`: an object that was made for this script alone, of which it is not known what stands in it.
 * - `given`: what the platform hands to the function that it calls. `data`: what `JSON.parse` gave.
 * - `outside`: what a call gave, what a callback was given, what stands in an object: data, as far as is known.
 * - `anything`: read under a name that is not known, and so it may be a prototype.
 * - `shared`: a module, a global, or a member of one: what all scripts of a container share.
 * - `certpin`: the block's, or a member. `pinned`: what certpin made, or what was made with that.
 */
export type Value =
  | {
      readonly kind:
        | 'plain'
        | 'unset'
        | 'own'
        | 'fresh'
        | 'function'
        | 'given'
        | 'data'
        | 'outside'
        | 'anything'
        | 'pinned';
    }
  | { readonly kind: 'shared'; readonly isModule: boolean; readonly path: readonly string[] }
  | { readonly kind: 'certpin'; readonly path: readonly string[] };

type Kind = Value['kind'];
type Shared = Extract<Value, { kind: 'shared' }>;

const PLAIN: Value = { kind: 'plain' };
const UNSET: Value = { kind: 'unset' };
const OWN: Value = { kind: 'own' };
const FRESH: Value = { kind: 'fresh' };
const DATA: Value = { kind: 'data' };
const FUNCTION: Value = { kind: 'function' };
const OUTSIDE: Value = { kind: 'outside' };
const ANYTHING: Value = { kind: 'anything' };
const PINNED: Value = { kind: 'pinned' };
const GIVEN_VALUE: Value = { kind: 'given' };
const module = (name: string, ...path: string[]): Shared => ({ kind: 'shared', isModule: true, path: [name, ...path] });
const global = (...path: string[]): Shared => ({ kind: 'shared', isModule: false, path });

/** Where the name of a field is not known: a number, a name with a special character in it, or nothing is known. */
const [INDEX, APART, UNNAMED] = ['[]', '~', '?'] as const;

/** Deeper members are not told apart. */
const DEPTH = 6;

/** A set of values. */
export class Values implements Iterable<Value> {
  readonly #values = new Map<string, Value>();

  /** @returns whether there is a new one among them */
  add(values: Iterable<Value>): boolean {
    const before = this.#values.size;
    for (const value of values) {
      const key =
        'path' in value ? `${value.kind} ${'isModule' in value && value.isModule} ${value.path.join('.')}` : value.kind;
      this.#values.set(key, value);
    }
    return this.#values.size > before;
  }

  has(...kinds: readonly Kind[]): boolean {
    return [...this].some(({ kind }) => kinds.includes(kind));
  }

  [Symbol.iterator](): Iterator<Value> {
    return this.#values.values();
  }
}

/** A member that is written: `object.key = value`, `delete object.key`, `Object.assign(object, value)`. */
export interface MemberWrite {
  readonly node: Node;
  readonly object: Node;
  readonly key: Key;
  /** undefined: what is written cannot be told. */
  readonly value: Node | undefined;
}

/**
 * What every expression of a script may stand for, whatever the order in which the script runs: names are followed through all that
 * is written to them, until nothing new is found.
 */
export class Analysis {
  readonly script: Script;
  readonly #isOurs: (node: Node) => boolean;
  readonly #references = new Map<Identifier, Reference>();
  /** By the identifiers that declare them: parameters are no references. */
  readonly #declared = new Map<Node, Variable>();
  readonly #variables = new Map<Variable, Values>();
  /** Those that the script makes itself. */
  readonly #globals = new Map<string, Values>();
  /** Those of them that nothing may have been written to. */
  readonly #unsetGlobals = new Set<string>();
  readonly #returned = new Map<Node, Values>();
  readonly #functions = new Map<Node, Variable>();
  /** What was put into objects, by whose they are and the name under which it was put there. */
  readonly #fields = new Map<string, Values>();
  readonly #memberWrites: readonly MemberWrite[];
  readonly #calls: readonly CallExpression[];
  readonly #mains: ReadonlySet<Node>;
  /** Functions of which all calls are known. */
  readonly #called: ReadonlyMap<Fn, readonly (CallExpression | NewExpression)[]>;
  #memo = new Map<Node, Values>();

  constructor(script: Script, isOurs: (node: Node) => boolean) {
    this.script = script;
    this.#isOurs = isOurs;
    for (const reference of script.references) this.#references.set(reference.identifier as Identifier, reference);
    for (const variable of script.variables)
      for (const { type, name, node } of variable.defs) {
        this.#declared.set(name as Node, variable);
        if (type === 'FunctionName') this.#functions.set(node, variable);
      }
    this.#memberWrites = script.nodes.filter((node) => !isOurs(node)).flatMap((node) => this.#writesBy(node));
    this.#calls = script.nodes.filter((node) => node.type === 'CallExpression').filter((node) => !isOurs(node));
    for (const name of this.#globalsMade()) {
      this.#globals.set(name, new Values());
      if (!this.#isCertainGlobal(name)) this.#unsetGlobals.add(name);
    }
    this.#mains = new Set(script.nodes.filter((node) => isFunction(node) && this.#isMain(node)));
    this.#called = this.#onlyCalled();
    while (this.#pass()) this.#memo = new Map();
    this.#memo = new Map();
  }

  readonly referenceOf = (identifier: Identifier): Reference | undefined => this.#references.get(identifier);

  memberWrites(): readonly MemberWrite[] {
    return [...this.#memberWrites, ...this.#calls.flatMap((call) => this.#writesByCall(call))];
  }

  keyOf(node: MemberExpression): Key {
    return keyOf(node, this.referenceOf);
  }

  nameOf(node: Property): string {
    return keyOf(node, this.referenceOf).text ?? '';
  }

  valuesOf(node: Node): Values {
    const known = this.#memo.get(node);
    if (known !== undefined) return known;
    const values = new Values();
    values.add(this.#evaluate(node));
    this.#memo.set(node, values);
    return values;
  }

  /** Whether a function of the script is called, and what becomes of the argument is seen there. */
  isFollowedInto(call: CallExpression | NewExpression, argument: Node): boolean {
    const { callee } = call;
    const functions = callee.type === 'Identifier' ? this.#functionsNamed(callee) : [];
    const index = call.arguments.indexOf(argument as never);
    return (
      functions.length > 0 &&
      index !== -1 &&
      !call.arguments.slice(0, index).some(({ type }) => type === 'SpreadElement') &&
      functions.every(
        (node) =>
          this.#called.has(node as Fn) &&
          !(node as Fn).params.slice(0, index + 1).some(({ type }) => type === 'RestElement') &&
          !this.#usesArguments(node as Fn),
      ) &&
      [...this.valuesOf(callee)].every(({ kind }) => kind === 'function')
    );
  }

  /** Whether a function takes its arguments without their names. */
  #usesArguments(node: Fn): boolean {
    return this.script.references.some(
      ({ identifier, resolved }) =>
        identifier.name === 'arguments' && (resolved?.scope.block as Node | undefined) === node,
    );
  }

  /** Whether what certpin made stands somewhere under this name. */
  mayHoldPinned({ text }: Key): boolean {
    return text !== undefined && this.#fields.get(`own ${text}`)?.has('pinned') === true;
  }

  /** Whether something else stands somewhere under this name. */
  mayHoldOther(name: string): boolean {
    const held = this.#fields.get(`own ${name}`);
    return held !== undefined && [...held].some(({ kind }) => kind !== 'pinned');
  }

  /** Whether an object may be one into which the script has put what certpin made. */
  mayCarry(object: Node): boolean {
    const carriers = this.memberWrites()
      .filter(({ value }) => value !== undefined && this.valuesOf(value).has('pinned'))
      .filter((write) => this.valuesOf(write.object).has('own'))
      .map((write) => this.#variableNamed(write.object));
    if (carriers.length === 0) return false;
    const variable = this.#variableNamed(object);
    const isApart = variable?.references.every(
      ({ writeExpr }) => !writeExpr || /^(?:Object|Array|New)Expr/.test(writeExpr.type),
    );
    return !isApart || carriers.some((carrier) => carrier === undefined || carrier === variable);
  }

  #variableNamed(node: Node): Variable | undefined {
    return node.type === 'Identifier' ? (this.referenceOf(node)?.resolved ?? undefined) : undefined;
  }

  /** What `values` have under a name. */
  members(values: Iterable<Value>, key: Key): Values {
    const found = new Values();
    for (const value of values) found.add(this.#member(value, key));
    return found;
  }

  /** Calls `visit` for each name, and each member, that a pattern writes, with what is written. */
  takeApart(
    pattern: Pattern,
    values: Values,
    visit: (target: Node, values: Values, from: Values, key: Key) => void,
  ): void {
    this.#takeApart(pattern, values, new Values(), { ordinary: true }, visit);
  }

  #takeApart(
    pattern: Pattern,
    values: Values,
    from: Values,
    key: Key,
    visit: (target: Node, values: Values, from: Values, key: Key) => void,
  ): void {
    switch (pattern.type) {
      case 'AssignmentPattern': {
        const either = new Values();
        either.add(values);
        either.add(this.valuesOf(pattern.right));
        this.#takeApart(pattern.left, either, from, key, visit);
        break;
      }
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          const named: Key =
            property.type === 'Property' ? keyOf(property as never, this.referenceOf) : { ordinary: false };
          const target = property.type === 'Property' ? property.value : property.argument;
          const rest = property.type === 'RestElement' && !values.has('shared', 'certpin');
          const taken = rest ? copyOf(values) : this.members(values, named);
          this.#takeApart(target, taken, rest ? new Values() : values, named, visit);
        }
        break;
      case 'ArrayPattern':
        for (const element of pattern.elements) {
          if (element === null) continue;
          const target = element.type === 'RestElement' ? element.argument : element;
          // An iterator of Node's things is none that is understood.
          const at: Key = { ordinary: !values.has('shared', 'certpin') };
          this.#takeApart(target, this.members(values, at), values, at, visit);
        }
        break;
      default:
        visit(pattern, values, from, key);
    }
  }

  /** @returns whether something new was found */
  #pass(): boolean {
    let isNew = false;
    const learn = <K>(map: Map<K, Values>, key: K, values: Iterable<Value>): void => {
      const known = map.get(key) ?? new Values();
      map.set(key, known);
      if (known.add(values)) isNew = true;
    };
    for (const variable of this.script.variables) learn(this.#variables, variable, this.#definedAs(variable));
    const toTarget = (target: Node, values: Values): void => {
      if (target.type !== 'Identifier') return;
      const variable = this.#declared.get(target) ?? this.referenceOf(target)?.resolved;
      if (variable) learn(this.#variables, variable, values);
      else if (!isNodeGlobal(target.name)) learn(this.#globals, target.name, values);
    };
    for (const node of this.script.nodes) {
      if (this.#isOurs(node)) continue;
      if (node.type === 'VariableDeclarator' && node.init) this.takeApart(node.id, this.valuesOf(node.init), toTarget);
      if (node.type === 'AssignmentExpression' && node.left.type !== 'MemberExpression')
        this.takeApart(node.left, this.valuesOf(node), toTarget);
      if (node.type === 'ForOfStatement' || node.type === 'ForInStatement') {
        const left = node.left.type === 'VariableDeclaration' ? node.left.declarations[0]?.id : node.left;
        const each =
          node.type === 'ForInStatement'
            ? new Values()
            : this.members(this.valuesOf(node.right), { ordinary: !this.valuesOf(node.right).has('shared') });
        if (node.type === 'ForInStatement') each.add([PLAIN]);
        if (left !== undefined && left.type !== 'MemberExpression') this.takeApart(left, each, toTarget);
      }
      if (isFunction(node)) {
        for (const parameter of node.params) {
          const handed = new Values();
          const isRest = parameter.type === 'RestElement';
          if (this.#called.has(node) && !isRest) continue;
          handed.add([this.#mains.has(node) ? GIVEN_VALUE : OUTSIDE]);
          this.takeApart(isRest ? parameter.argument : parameter, handed, toTarget);
        }
        if (node.type === 'ArrowFunctionExpression' && node.body.type !== 'BlockStatement')
          learn(this.#returned, node, this.valuesOf(node.body));
        if (mayEnd(node)) learn(this.#returned, node, [UNSET]);
      }
      if (node.type === 'ReturnStatement') {
        const from = this.functionAround(node);
        if (from !== undefined) learn(this.#returned, from, node.argument ? this.valuesOf(node.argument) : [UNSET]);
      }
    }
    for (const { object, key, value } of this.memberWrites()) {
      const written = value === undefined ? [OUTSIDE] : this.valuesOf(value);
      for (const base of this.valuesOf(object)) {
        if (base.kind === 'shared' && isGlobalObject(base) && key.text !== undefined && !isNodeGlobal(key.text))
          learn(this.#globals, key.text, written);
        learn(this.#fields, fieldOf(homeOf(base), key), written);
      }
    }
    for (const { home = 'own', key, values } of this.#fieldsMade()) learn(this.#fields, fieldOf(home, key), values);
    for (const [parameter, values] of this.#handedToOwn()) this.takeApart(parameter, values, toTarget);
    return isNew;
  }

  /** What object and array literals have in them from the beginning, and what is pushed. */
  *#fieldsMade(): Generator<{ readonly home?: Home; readonly key: Key; readonly values: Iterable<Value> }> {
    const unknown = { key: { ordinary: false }, values: [OUTSIDE] };
    for (const node of this.script.nodes) {
      if (this.#isOurs(node)) continue;
      if (node.type === 'ObjectExpression') {
        for (const property of node.properties) {
          if (property.type !== 'Property') yield unknown;
          else
            yield {
              key: keyOf(property, this.referenceOf),
              values: property.kind === 'init' ? this.valuesOf(property.value) : [OUTSIDE],
            };
        }
      } else if (node.type === 'ArrayExpression') {
        for (const element of node.elements) {
          if (element !== null)
            yield { key: AT_INDEX, values: element.type === 'SpreadElement' ? [OUTSIDE] : this.valuesOf(element) };
        }
      } else if (node.type === 'PropertyDefinition' || node.type === 'MethodDefinition') {
        if (node.computed) yield unknown;
        else if (node.value)
          yield {
            key: keyOf({ ...node, type: 'Property' } as never, this.referenceOf),
            values: node.type === 'MethodDefinition' && /et$/.test(node.kind) ? [OUTSIDE] : this.valuesOf(node.value),
          };
      } else if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression') {
        if (!/^(?:push|unshift|splice|fill|concat|set|add)$/.test(this.keyOf(node.callee).text ?? '')) continue;
        for (const argument of node.arguments)
          for (const home of new Set([...this.valuesOf(node.callee.object)].map(homeOf)))
            yield {
              home,
              key: AT_INDEX,
              values: argument.type === 'SpreadElement' ? [OUTSIDE] : this.valuesOf(argument),
            };
      }
    }
  }

  /** The parameters of functions that are only ever called by their name, with what they are called with. */
  *#handedToOwn(): Generator<readonly [Pattern, Values]> {
    for (const [node, calls] of this.#called) {
      for (const [index, parameter] of node.params.entries()) {
        if (parameter.type === 'RestElement') continue;
        const handed = new Values();
        for (const { arguments: given } of calls) {
          const before = given.slice(0, index + 1);
          const argument = before[index];
          if (before.some(({ type }) => type === 'SpreadElement')) handed.add([OUTSIDE]);
          else handed.add(argument === undefined ? [PLAIN] : this.valuesOf(argument));
        }
        yield [parameter, handed];
      }
    }
  }

  /** The calls of every function that is used in no other way. */
  #onlyCalled(): Map<Fn, readonly (CallExpression | NewExpression)[]> {
    const found = new Map<Fn, readonly (CallExpression | NewExpression)[]>();
    for (const node of this.script.nodes) {
      if (!isFunction(node) || this.#isOurs(node)) continue;
      const uses = this.#variableOf(node)?.references.filter((reference) => !reference.init) ?? [];
      const calls = uses.flatMap((reference) => {
        const parent = this.script.parents.get(reference.identifier as Node);
        const isCall =
          (parent?.type === 'CallExpression' || parent?.type === 'NewExpression') &&
          parent.callee === reference.identifier;
        return isCall && !reference.isWrite() ? [parent] : [];
      });
      if (uses.length > 0 && calls.length === uses.length) found.set(node, calls);
    }
    return found;
  }

  /** The name of a function: of its declaration, or of the constant that holds it. */
  #variableOf(node: Fn): Variable | undefined {
    if (node.type === 'FunctionDeclaration') return this.#functions.get(node);
    const parent = this.script.parents.get(node);
    if (parent?.type !== 'VariableDeclarator' || parent.init !== node || parent.id.type !== 'Identifier')
      return undefined;
    if (node.type === 'FunctionExpression' && node.id) return undefined;
    const { name } = parent.id;
    const variable = this.script.variables.find(
      ({ defs }) => defs.length === 1 && defs[0]?.node === parent && defs[0].name.name === name,
    );
    return variable?.references.some((reference) => reference.isWrite() && !reference.init) ? undefined : variable;
  }

  #definedAs(variable: Variable): Value[] {
    if (variable.name === 'arguments' && variable.defs.length === 0) return [OUTSIDE];
    const unset = this.#mayBeUnset(variable) ? [UNSET] : [];
    return variable.defs.flatMap((definition): Value[] => {
      const { type, node, parent } = definition;
      if (type === 'Variable' && !this.#isOurs(definition.name as Node)) return unset;
      if (type === 'FunctionName' || type === 'ClassName') return [FUNCTION];
      if (type === 'CatchClause') return [OUTSIDE];
      if (this.#isOurs(definition.name as Node)) return [{ kind: 'certpin', path: [] }];
      if (type !== 'ImportBinding' || parent?.type !== 'ImportDeclaration') return [];
      const name = moduleName(parent.source.value);
      const imported = node.type === 'ImportSpecifier' ? node.imported : undefined;
      if (imported === undefined) return [module(name)];
      return [module(name, imported.type === 'Identifier' ? imported.name : String(imported.value))];
    });
  }

  /** Whether a variable can be read before, or without, anything being written to it. */
  #mayBeUnset({ defs, references }: Variable): boolean {
    const place = (node: Node): boolean =>
      node.type === 'Identifier' && references.some(({ identifier }) => identifier === node);
    const isConstant = defs.some(
      ({ type, parent, node }) =>
        type !== 'Variable' ||
        this.#isLoop(parent as Node) ||
        (parent?.type === 'VariableDeclaration' && parent.kind !== 'var' && node.init),
    );
    if (isConstant) return false;
    const writes = references.filter((reference) => reference.isWrite());
    return !writes.some(({ identifier }) => isCertain(identifier as Node, place, this.script.parents));
  }

  #isLoop(declaration: Node): boolean {
    return /^For(?:In|Of)Statement$/.test(this.script.parents.get(declaration)?.type ?? '');
  }

  /** Whether a member is written whenever it has to be. */
  isCertain(write: MemberWrite): boolean {
    const place = placeOf(write.node);
    return isCertain(write.node, (node) => place !== undefined && placeOf(node) === place, this.script.parents);
  }

  *#evaluate(node: Node): Generator<Value> {
    switch (node.type) {
      case 'Literal':
        yield 'regex' in node ? OWN : PLAIN;
        break;
      case 'TemplateLiteral':
      case 'UnaryExpression':
      case 'BinaryExpression':
      case 'UpdateExpression':
        yield PLAIN;
        break;
      case 'ObjectExpression':
        yield node.properties.some((property) =>
          this.valuesOf(property.type === 'Property' ? property.value : property.argument).has('pinned'),
        )
          ? PINNED
          : OWN;
        break;
      case 'ArrayExpression':
        yield node.elements.some(
          (element) =>
            element !== null &&
            this.valuesOf(element.type === 'SpreadElement' ? element.argument : element).has('pinned'),
        )
          ? PINNED
          : OWN;
        break;
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
      case 'ClassExpression':
        yield FUNCTION;
        break;
      case 'Identifier':
        yield* this.#named(node);
        break;
      case 'ThisExpression':
        yield* this.#thisIn(node);
        break;
      case 'MemberExpression':
        if (this.#isJustMade(node)) yield OWN;
        else yield* this.members(this.valuesOf(node.object), this.keyOf(node));
        break;
      case 'CallExpression':
      case 'NewExpression':
        yield* this.#calledWith(node);
        break;
      case 'AssignmentExpression':
        if (/^(?:\|\||&&|\?\?)=$/.test(node.operator)) yield* this.valuesOf(node.left);
        if (/^(?:(?:\|\||&&|\?\?)?=)$/.test(node.operator)) yield* this.valuesOf(node.right);
        else yield PLAIN;
        break;
      case 'LogicalExpression':
        yield* this.valuesOf(node.left);
        yield* this.valuesOf(node.right);
        if (node.operator === '&&') yield UNSET;
        break;
      case 'ConditionalExpression':
        yield* this.valuesOf(node.consequent);
        yield* this.valuesOf(node.alternate);
        break;
      case 'SequenceExpression':
        yield* this.valuesOf(node.expressions.at(-1) as Node);
        break;
      case 'AwaitExpression':
        yield* this.valuesOf(node.argument);
        break;
      case 'ChainExpression':
        yield* this.valuesOf(node.expression);
        break;
      case 'ImportExpression':
        yield node.source.type === 'Literal' ? module(moduleName(node.source.value)) : ANYTHING;
        break;
      default:
        yield OUTSIDE;
    }
  }

  /** `user.metadata = {}; user.metadata.name = …`: the statements before it are of this kind, up to the one that makes it. */
  #isJustMade(node: MemberExpression): boolean {
    const place = placeOf(node);
    const write = this.script.parents.get(node);
    const assignment = write === undefined ? undefined : this.script.parents.get(write);
    const statement = assignment === undefined ? undefined : this.script.parents.get(assignment);
    if (place === undefined || assignment?.type !== 'AssignmentExpression' || statement?.type !== 'ExpressionStatement')
      return false;
    const block = this.script.parents.get(statement);
    if (block?.type !== 'BlockStatement') return false;
    for (const before of block.body.slice(0, block.body.indexOf(statement)).reverse()) {
      const { left, right } = (
        before.type === 'ExpressionStatement' &&
        before.expression.type === 'AssignmentExpression' &&
        before.expression.operator === '='
          ? before.expression
          : {}
      ) as Partial<AssignmentExpression>;
      if (left?.type !== 'MemberExpression' || right === undefined) return false;
      if (placeOf(left) === place) return right.type === 'ObjectExpression';
      if (placeOf(left.object) !== place) return false;
    }
    return false;
  }

  *#named(identifier: Identifier): Generator<Value> {
    const { name } = identifier;
    const reference = this.referenceOf(identifier);
    if (reference === undefined) return; // a declaration, or the name of a member
    if (reference.resolved) yield* this.#variables.get(reference.resolved) ?? [];
    else if (CONSTANTS.has(name) || isMarker(name)) yield PLAIN;
    else if (GIVEN.has(name)) yield GIVEN_VALUE;
    else yield* this.#globalNamed(name);
  }

  /** `global.pool = …`, and a name that is written and nowhere declared. */
  #globalsMade(): string[] {
    const members = this.#memberWrites.flatMap(({ object, key }) =>
      object.type === 'Identifier' && /^(?:global|globalThis)$/.test(object.name) ? (key.text ?? []) : [],
    );
    const names = this.script.references
      .filter((reference) => reference.resolved === null && reference.isWrite())
      .map(({ identifier }) => identifier.name);
    return [...members, ...names].filter((name) => !isNodeGlobal(name));
  }

  #isCertainGlobal(name: string): boolean {
    const isPlace = (node: Node): boolean => (placeOf(node) ?? '').replace(/^global(?:This)?\./, '') === name;
    const writes = [
      ...this.#memberWrites.map(({ node }) => node).filter(isPlace),
      ...this.script.references.flatMap((reference) =>
        reference.resolved === null && reference.isWrite() && reference.identifier.name === name
          ? [reference.identifier as Node]
          : [],
      ),
    ];
    return writes.some((write) => isCertain(write, isPlace, this.script.parents));
  }

  #globalNamed(name: string): Iterable<Value> {
    if (isNodeGlobal(name)) return name === 'crypto' ? [global(name), module(name)] : [global(name)];
    // Where the script writes it, it is what the script wrote; else it is a package that old platforms have as a global.
    const made = this.#globals.get(name);
    if (made !== undefined) return this.#unsetGlobals.has(name) ? [...made, UNSET] : made;
    return isLegacyPackage(name) ? [isNodeModule(name) ? module(name) : global(name)] : [OUTSIDE];
  }

  /** `this` is the script's own object in constructors only: a method can be called on anything. */
  *#thisIn(node: Node): Generator<Value> {
    const { parents } = this.script;
    let up = parents.get(node);
    while (up !== undefined && (!isFunction(up) || up.type === 'ArrowFunctionExpression')) {
      if (up.type === 'PropertyDefinition' || up.type === 'StaticBlock') return yield OWN;
      up = parents.get(up);
    }
    if (up === undefined) return yield GIVEN_VALUE; // `module.exports`
    const method = parents.get(up);
    if (method?.type === 'MethodDefinition') return yield method.kind === 'constructor' ? OWN : OUTSIDE;
    if (this.#isConstructor(up)) return yield OWN;
    yield OUTSIDE;
    yield global('globalThis');
  }

  /** Whether a function is called with `new`, and never in another way. */
  #isConstructor(node: Node): boolean {
    const uses = this.#functions.get(node)?.references ?? [];
    return (
      uses.length > 0 &&
      uses.every(({ identifier }) => {
        const parent = this.script.parents.get(identifier as Node);
        const isNew = parent?.type === 'NewExpression' && parent.callee === identifier;
        const isNamed =
          parent?.type === 'AssignmentExpression' &&
          parent.left.type === 'MemberExpression' &&
          this.keyOf(parent.left).text === 'constructor';
        return (
          isNew ||
          isNamed ||
          (parent?.type === 'MemberExpression' &&
            parent.object === identifier &&
            this.keyOf(parent).text === 'prototype')
        );
      })
    );
  }

  *#member(value: Value, key: Key): Generator<Value> {
    const { kind } = value;
    if (kind === 'shared' && key.text !== undefined) {
      if (isGlobalObject(value)) yield* this.#globalNamed(key.text);
      else if (value.path.join('.') === 'module' && key.text === 'exports' && !value.isModule) yield GIVEN_VALUE;
      else if (/^process\.(?:env|version|versions)\.?/.test(value.path.join('.')) && !value.isModule) yield PLAIN;
      else if (value.path.length < DEPTH) yield { ...value, path: [...value.path, key.text] };
      else yield ANYTHING;
    } else if (kind === 'certpin' && key.text !== undefined) yield { kind, path: [...value.path, key.text] };
    else if (kind === 'shared' || kind === 'certpin' || kind === 'anything') yield ANYTHING;
    else if (kind === 'pinned') yield key.ordinary ? PINNED : ANYTHING;
    else if (!key.ordinary) yield key.text === 'prototype' && kind === 'function' ? OWN : ANYTHING;
    else if (kind === 'outside' && isInternal(key.text ?? '')) yield ANYTHING;
    else if (/^(?:outside|plain|unset|function)$/.test(kind)) yield OUTSIDE;
    else yield* this.#fieldsAt(homeOf(value), key, kind === 'own' ? [] : [kind === 'fresh' ? OUTSIDE : value]);
  }

  /** What may stand in an object under a name, beside what is known of it. */
  *#fieldsAt(home: Home, key: Key, known: readonly Value[]): Generator<Value> {
    const { text, isIndex, isApart } = key;
    const names = [UNNAMED, ...(isIndex ? [INDEX] : isApart ? [APART] : []), ...(text === undefined ? [] : [text])];
    const fields = names.flatMap((name) =>
      [home, 'unknown'].flatMap((at) => [...(this.#fields.get(`${at} ${name}`) ?? [])]),
    );
    // A name of which only a part is known may be any; and what nobody put there is what all objects have.
    const isAny = text === undefined && !isIndex && !isApart;
    yield* known;
    yield* fields;
    if (isAny || (known.length === 0 && fields.length === 0)) yield OUTSIDE;
  }

  *#calledWith(node: CallExpression | NewExpression): Generator<Value> {
    const { callee } = node;
    const [first] = node.arguments;
    if (this.#isPlainMethod(callee)) return yield PLAIN;
    const handsOnPinned = node.arguments.some((argument) =>
      this.valuesOf(argument.type === 'SpreadElement' ? argument.argument : argument).has('pinned'),
    );
    for (const value of this.valuesOf(callee)) {
      if (value.kind === 'certpin') yield value.path.join('.').startsWith('pinned') ? PINNED : OUTSIDE;
      else if (value.kind === 'function') yield* node.type === 'NewExpression' ? [OWN] : this.#returnedBy(callee);
      else if (value.kind === 'shared' && handsOnPinned) yield PINNED;
      else if (value.kind === 'shared' && value.isModule && /^(?:url|querystring)\.parse$/.test(value.path.join('.')))
        yield DATA;
      else if (value.kind !== 'shared' || value.isModule) yield OUTSIDE;
      else yield* this.#calledGlobal(value.path.join('.'), first, node);
    }
  }

  #calledGlobal(path: string, first: Node | undefined, node: CallExpression | NewExpression): Iterable<Value> {
    if (path === 'require') return [first === undefined ? ANYTHING : this.#required(first)];
    if (/^Object\.(?:assign|freeze|seal)$/.test(path) && first !== undefined) return this.valuesOf(first);
    if (isPlainCall(path) && (node.type === 'CallExpression' || path === 'Date')) return [PLAIN];
    if (path === 'JSON.parse' && node.arguments.length === 1) return [DATA];
    return [isFreshCall(path) ? FRESH : OUTSIDE];
  }

  /** `x.toString()`. An object of the script may have a method of that name which gives something else. */
  #isPlainMethod(callee: Node): boolean {
    return (
      callee.type === 'MemberExpression' &&
      PLAIN_METHODS.has(this.keyOf(callee).text ?? '') &&
      !this.valuesOf(callee.object).has('own', 'fresh', 'function', 'shared', 'anything', 'certpin', 'pinned')
    );
  }

  /** What a function of the script returns, where it can be told which one is called. */
  #returnedBy(callee: Node): Iterable<Value> {
    const values = new Values();
    values.add([OUTSIDE]);
    const functions = callee.type === 'Identifier' ? this.#functionsNamed(callee) : isFunction(callee) ? [callee] : [];
    for (const found of functions) values.add(this.#returned.get(found) ?? []);
    return values;
  }

  #functionsNamed(identifier: Identifier): Node[] {
    const variable = this.referenceOf(identifier)?.resolved;
    return (variable?.defs ?? []).flatMap(({ type, node }) => {
      if (type === 'FunctionName') return [node as Node];
      return type === 'Variable' && node.init && isFunction(node.init) ? [node.init as Node] : [];
    });
  }

  /** The module for `require('…')`. */
  #required(name: Node): Value {
    const { text } = keyOf(
      { type: 'MemberExpression', computed: true, property: name } as MemberExpression,
      this.referenceOf,
    );
    return text === undefined ? ANYTHING : module(moduleName(text));
  }

  /** Whether the platform calls it: a function at the top that nobody here calls, or the handler of an Action. */
  #isMain(node: Fn): boolean {
    const { parents } = this.script;
    const parent = parents.get(node);
    if (parent?.type === 'AssignmentExpression' && parent.right === node && parent.left.type === 'MemberExpression') {
      const { object } = parent.left;
      const name = this.keyOf(parent.left).text ?? '';
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
    return (this.#functions.get(node)?.references ?? []).length === 0;
  }

  /** Whether the script takes its own exports and does something with them. */
  #readsExports(): boolean {
    return this.script.references.some(({ identifier, resolved }) => {
      if (resolved !== null || !/^(?:exports|module)$/.test(identifier.name)) return false;
      let member = identifier as Node;
      let parent = this.script.parents.get(member);
      while (parent?.type === 'MemberExpression' && parent.object === member) {
        member = parent;
        parent = this.script.parents.get(member);
      }
      return parent?.type !== 'AssignmentExpression' || parent.left !== member;
    });
  }

  functionAround(node: Node): Node | undefined {
    let up = this.script.parents.get(node);
    while (up !== undefined && !isFunction(up)) up = this.script.parents.get(up);
    return up;
  }

  /** `Object.assign(target, …)`, `Object.defineProperty(target, …)`, `_.extend(target, …)`. */
  #writesByCall(node: CallExpression): MemberWrite[] {
    const [object, second] = node.arguments;
    if (object === undefined || object.type === 'SpreadElement') return [];
    const isWrite = [...this.valuesOf(node.callee)].some(
      (callee) =>
        callee.kind === 'shared' &&
        (isPackage(callee.isModule, callee.path)
          ? writesIntoFirst(callee.path)
          : !callee.isModule && WRITING_CALLS.has(callee.path.join('.'))),
    );
    if (!isWrite) return [];
    const isOne = node.arguments.length === 2 && second?.type === 'ObjectExpression';
    if (!isOne) return [{ node, object, key: this.#keyIn(second), value: undefined }];
    return second.properties.map((property) => {
      if (property.type !== 'Property') return { node, object, key: { ordinary: false }, value: undefined };
      return { node, object, key: keyOf(property, this.referenceOf), value: property.value };
    });
  }

  /** The name in `Object.defineProperty(object, name, …)`. */
  #keyIn(name: Node | undefined): Key {
    return name?.type === 'Literal' ? known(String(name.value)) : { ordinary: false };
  }

  #writesBy(node: Node): MemberWrite[] {
    const write = (target: Node, value: Node | undefined): MemberWrite[] =>
      target.type === 'MemberExpression'
        ? [{ node: target, object: target.object, key: this.keyOf(target), value }]
        : [];
    switch (node.type) {
      case 'AssignmentExpression':
        return node.left.type === 'MemberExpression'
          ? write(node.left, node.operator === '=' || /^\W\W=$/.test(node.operator) ? node.right : node)
          : [];
      case 'UpdateExpression':
        return write(node.argument, node);
      case 'UnaryExpression':
        return node.operator === 'delete' ? write(unchained(node.argument), node) : [];
      case 'ForOfStatement':
      case 'ForInStatement':
        return write(node.left, undefined);
      case 'ArrayPattern':
        return node.elements.flatMap((element) => (element === null ? [] : write(element, undefined)));
      case 'AssignmentPattern':
        return write(node.left, undefined);
      case 'RestElement':
        return write(node.argument, undefined);
      case 'ObjectPattern':
        return node.properties.flatMap((property) =>
          property.type === 'Property' ? write(property.value, undefined) : [],
        );
      default:
        return [];
    }
  }
}

function isFunction(node: Node): node is Fn {
  return /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

/** `user.metadata` as text; undefined where it is no plain way from a name. */
function placeOf(node: Node): string | undefined {
  if (node.type === 'Identifier') return node.name;
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return undefined;
  const object = placeOf(node.object);
  return object === undefined ? undefined : `${object}.${node.property.name}`;
}

const AT_INDEX: Key = { ordinary: true, isIndex: true };

/** Whose object it is. What is put into one of which that is not known may be in any. */
type Home = 'own' | 'given' | 'unknown';

function homeOf({ kind }: Value): Home {
  if (kind === 'own' || kind === 'fresh' || kind === 'pinned') return 'own';
  return kind === 'given' || kind === 'data' ? 'given' : 'unknown';
}

/** Under which name something is put into an object. */
function fieldOf(home: Home, { text, isIndex, isApart }: Key): string {
  return `${home} ${isIndex ? INDEX : (text ?? (isApart ? APART : UNNAMED))}`;
}

export function isGlobalObject(value: Shared): boolean {
  return !value.isModule && value.path.length === 1 && /^(?:global|globalThis)$/.test(value.path[0] ?? '');
}

/** `tls` for `node:tls` and for `tls`, `pg` for `pg@8.11.3`. */
export function moduleName(specifier: unknown): string {
  return String(specifier)
    .replace(/^node:/, '')
    .replace(/(?<=.)@[\w.^~-]*$/, '');
}

function unchained(node: Node): Node {
  return node.type === 'ChainExpression' ? node.expression : node;
}

/** `{ ...rest }`: a new object with what stands in the old one, less what was taken out: of what certpin made, it may be that. */
function copyOf(values: Values): Values {
  const copy = new Values();
  copy.add(values.has('pinned') ? [PINNED, OWN] : [OWN]);
  return copy;
}
