import type { Reference } from 'eslint-scope';
import type { CallExpression, Identifier, MemberExpression, NewExpression, Node, ObjectExpression } from 'estree';
import type { FoundBlock } from './find.ts';
import type { Key } from './keys.ts';
import {
  HARMLESS_METHODS,
  HARMLESS_OPTIONS,
  isNodeGlobal,
  isPackage,
  isUnderstood,
  mayBeExtended,
  mayBeHandedOver,
  mayBeOfNetwork,
  mayBeOfNode,
  REACHING,
} from './known.ts';
import { nodesIn, readScript, type Script } from './script.ts';
import { Analysis, isGlobalObject, type MemberWrite, moduleName, type Value, type Values } from './values.ts';

/**
 * Why the surroundings of a block are not intact. `tampered`: something that the block needs is seen to be changed. `unclear`: it is
 * not understood, and may change something.
 */
export interface Problem {
  readonly state: 'tampered' | 'unclear';
  /** Of the script, from 1. */
  readonly line: number;
  readonly reason: string;
}

/**
 * Looks at the script around the blocks. There is no list of what is forbidden: what is not known to be harmless is unclear.
 *
 * @param text with `\n` as its line end
 * @returns empty where all of it is understood, and leaves the blocks alone
 * @throws ScriptUnreadable
 */
export function judgeSurroundings(text: string, blocks: readonly FoundBlock[]): Problem[] {
  const script = readScript(text);
  const ranges = blocks.map((block) => rangeOf(text, block));
  const isOurs = (node: Node): boolean => ranges.some((range) => isWithin(node, range));
  const found: Problem[] = [];
  const report: Report = (state, node, reason) => {
    const line = node.loc?.start.line ?? 1;
    if (!found.some((known) => known.line === line && known.reason === reason)) found.push({ state, line, reason });
  };
  const isCode = (range: Range): boolean =>
    script.variables.some(
      ({ name, defs }) =>
        name === 'certpin' && defs.some(({ type, node }) => type === 'Variable' && isWithin(node, range)),
    );
  for (const [index, range] of ranges.entries()) {
    const reason = 'the block is no code here: a comment, or a string';
    if (!isCode(range)) found.push({ state: 'tampered', line: blocks[index]?.line ?? 1, reason });
  }
  const analysis = new Analysis(script, isOurs);
  judgeNames(script, analysis, isOurs, report);
  const judge = new Judge(analysis, usedBy(script, isOurs), report);
  for (const node of script.nodes) if (!isOurs(node)) judge.node(node);
  judge.writes();
  return found.sort((a, b) => a.line - b.line);
}

type Report = (state: Problem['state'], node: Node, reason: string) => void;

/** Names: `certpin` is the block's alone, and what the block takes from outside is not the script's. */
function judgeNames(script: Script, analysis: Analysis, isOurs: (node: Node) => boolean, report: Report): void {
  for (const { defs } of script.variables.filter(({ name }) => name === 'certpin'))
    for (const { name } of defs) if (!isOurs(name)) report('tampered', name, '`certpin` is declared a second time');
  for (const { identifier, resolved } of script.references) {
    const { name } = identifier;
    if (isOurs(identifier)) {
      const isOther =
        resolved?.defs.some((definition) => !isOurs(definition.name)) &&
        !isTheSame(analysis.valuesOf(identifier), name);
      if (isOther) report('tampered', identifier, `the script has a \`${name}\` of its own, which the block would use`);
    } else if (name === 'certpin' && resolved === null) {
      report('tampered', identifier, '`certpin` is used where no block has made it');
    }
  }
}

/** `const { URLSearchParams } = require('url')`: the global of that name is the same. */
function isTheSame(values: Values, name: string): boolean {
  return [...values].every(
    (value) =>
      value.kind === 'shared' &&
      value.isModule &&
      new Set(['url.URL', 'url.URLSearchParams', 'buffer.Buffer']).has(value.path.join('.')) &&
      value.path[1] === name,
  );
}

interface Used {
  readonly globals: ReadonlySet<string>;
  readonly modules: ReadonlySet<string>;
}

/** What every block uses without naming it: what literals, classes and promises are made of, and what Node's sockets are. */
const FOUNDATIONS = {
  globals:
    'Array Boolean Buffer Error Function Map Number Object Promise Proxy Reflect RegExp Set String Symbol Uint8Array WeakMap process'.split(
      ' ',
    ),
  modules: ['buffer', 'crypto', 'events', 'module', 'net', 'process', 'stream', 'tls', 'util'],
};

function usedBy({ references, parents }: Script, isOurs: (node: Node) => boolean): Used {
  const own = references.filter(({ identifier, resolved }) => isOurs(identifier) && resolved === null);
  return {
    globals: new Set([...FOUNDATIONS.globals, ...own.map(({ identifier }) => identifier.name)]),
    modules: new Set([
      ...FOUNDATIONS.modules,
      ...own.flatMap(({ identifier }) => {
        const call = parents.get(identifier);
        const [name] = call?.type === 'CallExpression' ? call.arguments : [];
        return name?.type === 'Literal' ? [moduleName(name.value)] : [];
      }),
    ]),
  };
}

class Judge {
  readonly #analysis: Analysis;
  readonly #used: Used;
  readonly #report: Report;
  /** Whether what certpin made went where it is not followed. */
  #lostPinned = false;

  constructor(analysis: Analysis, used: Used, report: Report) {
    this.#analysis = analysis;
    this.#used = used;
    this.#report = report;
  }

  node(node: Node): void {
    if (!UNDERSTOOD_NODES.has(node.type)) this.#unclear(node, `\`${node.type}\` is not looked into`);
    switch (node.type) {
      case 'Literal':
      case 'TemplateElement':
        if (namesWayOut(node.type === 'Literal' ? node.value : node.value.cooked))
          this.#unclear(node, 'a text that may be the name of a prototype');
        break;
      case 'Identifier':
        this.#identifier(node);
        break;
      case 'MemberExpression':
        this.#read(node, this.#analysis.valuesOf(node.object), this.#analysis.keyOf(node));
        break;
      case 'VariableDeclarator':
        if (node.init) this.#takenApart(node.id, this.#analysis.valuesOf(node.init));
        if (node.init && this.#analysis.valuesOf(node.init).has('pinned') && this.#isNeverRead(node.id))
          this.#unclear(node, 'what certpin made is not used');
        break;
      case 'AssignmentExpression':
        if (node.left.type !== 'MemberExpression') this.#takenApart(node.left, this.#analysis.valuesOf(node.right));
        break;
      case 'ForOfStatement':
        if (this.#analysis.valuesOf(node.right).has('shared', 'certpin'))
          this.#unclear(node, 'it goes through something of Node');
        break;
      case 'CallExpression':
      case 'NewExpression':
        this.#call(node);
        break;
      case 'ImportExpression':
        if (this.#analysis.valuesOf(node).has('anything'))
          this.#unclear(node, 'nobody knows which module is imported here');
        break;
      case 'ObjectExpression':
        this.#object(node);
        break;
      default:
    }
    this.#handedOn(node);
  }

  #unclear(node: Node, reason: string): void {
    this.#report('unclear', node, reason);
  }

  #identifier(node: Identifier): void {
    if (looksLikeCertpin(node.name))
      this.#report('tampered', node, 'a name that looks like `certpin` and is another one');
    const reference = this.#analysis.referenceOf(node);
    if (reference === undefined) return;
    if (reference.isWrite()) this.#rename(node, reference);
    if (reference.resolved !== null || !reference.isRead()) return;
    for (const value of this.#analysis.valuesOf(node))
      if (value.kind === 'shared' && !isGlobalObject(value) && !this.#isOnlyLookedAt(node) && !isUnderstood(value))
        this.#unclear(node, `nobody knows what is done with \`${node.name}\``);
  }

  #isNeverRead(name: Node): boolean {
    if (name.type !== 'Identifier') return false;
    const variable = this.#analysis.referenceOf(name)?.resolved;
    return variable?.references.every((reference) => !reference.isRead()) === true;
  }

  /** A name that gets another value. */
  #rename(node: Identifier, { resolved }: Reference): void {
    const { name } = node;
    if (name === 'certpin') {
      if (resolved !== null) this.#report('tampered', node, '`certpin` is replaced');
    } else if (resolved === null && this.#used.globals.has(name)) {
      this.#report('tampered', node, `\`${name}\`, which the block uses, is replaced`);
    } else if (resolved === null && isNodeGlobal(name) && name !== 'exports') {
      this.#unclear(node, `\`${name}\` is replaced`);
    }
  }

  #takenApart(pattern: Parameters<Analysis['takeApart']>[0], values: Values): void {
    if (pattern.type === 'Identifier') return;
    this.#analysis.takeApart(pattern, values, (target, taken, from, key) => {
      this.#read(target, from, key);
      if (target.type === 'MemberExpression' && taken.has('shared', 'certpin', 'pinned'))
        this.#unclear(target, 'something of Node is kept in an object, and may be changed there');
    });
  }

  /** A member that is read, or taken out of a pattern. */
  #read(node: Node, from: Values, key: { readonly text?: string; readonly ordinary: boolean }): void {
    const { text } = key;
    const shared = [...from].filter((value) => value.kind === 'shared' || value.kind === 'certpin');
    if (text === undefined && shared.length > 0) {
      const isListed = shared.every(
        (value) => value.kind === 'shared' && isUnderstood({ ...value, path: [...value.path, ''] }),
      );
      if (!isListed) this.#unclear(node, 'a member of something of Node, under a name that is not known');
    }
    if (text === undefined) return;
    if (
      REACHING.has(text) &&
      !this.#isOwnPrototype(node, from, text) &&
      !this.#isBorrowed(shared, text) &&
      !this.#isOnlyNamed(node, text)
    )
      this.#unclear(node, `\`${text}\` leads to what every script of the container shares`);
    for (const value of shared) {
      if (value.kind !== 'shared' || isGlobalObject(value)) continue;
      const path = [...value.path, text];
      if (!isUnderstood({ isModule: value.isModule, path }) && !this.#isExported(value, text))
        this.#unclear(node, `nobody knows what is done with \`${path.join('.')}\``);
    }
    if ([...from].some((value) => value.kind === 'shared' && isGlobalObject(value)) && isNodeGlobal(text)) {
      const value: Value = { kind: 'shared', isModule: false, path: [text] };
      if (!isUnderstood(value) && !this.#isTarget(node))
        this.#unclear(node, `nobody knows what is done with \`${text}\``);
    }
  }

  #isTarget(node: Node): boolean {
    const parent = this.#parent(node);
    return parent?.type === 'AssignmentExpression' && parent.left === node;
  }

  #isExported(value: Extract<Value, { kind: 'shared' }>, text: string): boolean {
    return !value.isModule && value.path.join('.') === 'module' && text === 'exports';
  }

  /** `Pool.prototype` of a function of the script, and `Pool.prototype.constructor = Pool`. */
  #isOwnPrototype(node: Node, from: Values, text: string): boolean {
    if (text === 'prototype') return from.has('function') && ![...from].some(({ kind }) => kind !== 'function');
    return (
      text === 'constructor' && this.#isTarget(node) && from.has('own') && ![...from].some(({ kind }) => kind !== 'own')
    );
  }

  /** `Array.prototype`, of which a method is borrowed: the member that follows is looked at by itself. */
  #isBorrowed(shared: readonly Value[], text: string): boolean {
    return (
      text === 'prototype' &&
      shared.length > 0 &&
      shared.every((value) => value.kind === 'shared' && isUnderstood({ ...value, path: [...value.path, text] }))
    );
  }

  /** `error.constructor.name`, `value.constructor === Object`. */
  #isOnlyNamed(node: Node, text: string): boolean {
    const parent = this.#parent(node);
    if (text !== 'constructor' || parent === undefined) return false;
    if (parent.type === 'BinaryExpression') return true;
    return (
      parent.type === 'MemberExpression' &&
      parent.object === node &&
      this.#analysis.keyOf(parent).text === 'name' &&
      !this.#isTarget(parent)
    );
  }

  #call(node: CallExpression | NewExpression): void {
    const { callee } = node;
    const values = this.#analysis.valuesOf(callee);
    if (values.has('anything') && !this.#isHarmlessMethod(callee))
      this.#unclear(node, 'nobody knows what is called here');
    for (const value of values)
      if (
        value.kind === 'shared' &&
        !value.isModule &&
        value.path.join('.') === 'require' &&
        this.#analysis.valuesOf(node).has('anything')
      )
        this.#unclear(node, 'nobody knows which module is required here');
    const isPinned = values.has('pinned');
    if (isPinned && values.has('shared', 'function')) this.#unclear(node, 'it is not always what certpin made');
    if (isPinned && callee.type === 'MemberExpression' && LEADS_ELSEWHERE.has(this.#analysis.keyOf(callee).text ?? ''))
      this.#unclear(node, 'what certpin made is given a connection');
    if (isPinned) for (const argument of node.arguments) this.#besidePinned(argument);
    if (node.type === 'CallExpression' && this.#isAssign(callee)) this.#assigned(node);
    const made = this.#analysis.valuesOf(node).has('pinned');
    if (made && values.has('certpin', 'function')) for (const argument of node.arguments) this.#configuration(argument);
    if (made && values.has('certpin') && this.#parent(node)?.type === 'ExpressionStatement')
      this.#unclear(node, 'what certpin made is not used');
  }

  #isHarmlessMethod(callee: Node): boolean {
    return callee.type === 'MemberExpression' && HARMLESS_METHODS.has(this.#analysis.keyOf(callee).text ?? '');
  }

  /** What certpin is given: values, and no code that could take its place. */
  #configuration(argument: Node): void {
    if (argument.type === 'ObjectExpression') {
      for (const property of argument.properties) {
        if (property.type !== 'Property') this.#configuration(property.argument);
        else if (property.kind !== 'init' || property.method)
          this.#unclear(property, 'certpin is given code as a setting');
        else this.#configuration(property.value);
      }
      return;
    }
    const isWrittenTwice = (identifier: Identifier): boolean => {
      const variable = this.#analysis.referenceOf(identifier)?.resolved;
      return (variable?.references ?? []).filter((reference) => reference.isWrite()).length > 1;
    };
    if (argument.type === 'Identifier' && isWrittenTwice(argument))
      this.#unclear(argument, `\`${argument.name}\` is a setting of certpin and is written more than once`);
    if (this.#analysis.valuesOf(argument).has('function'))
      this.#unclear(argument, 'certpin is given code as a setting');
  }

  /** What a client is given for a single request, or in a function that it calls, may lead the request past what certpin made. */
  #besidePinned(argument: Node): void {
    const isOther = (value: Node): boolean => !this.#analysis.valuesOf(value).has('pinned') && !isFalse(value);
    for (const node of nodesIn(argument)) {
      if (node.type !== 'Property' || this.#parent(node)?.type !== 'ObjectExpression') continue;
      if (CONNECTORS.has(this.#analysis.nameOf(node)) && isOther(node.value))
        this.#unclear(node, 'it may lead a request past what certpin made');
    }
    if (argument.type !== 'Identifier') return;
    for (const name of CONNECTORS)
      if (this.#analysis.valuesOf(argument).has('own') && this.#analysis.mayHoldOther(name))
        this.#unclear(argument, `an object has \`${name}\`, which may lead a request past what certpin made`);
  }

  #isAssign(callee: Node): boolean {
    return [...this.#analysis.valuesOf(callee)].some(
      (value) => value.kind === 'shared' && !value.isModule && value.path.join('.') === 'Object.assign',
    );
  }

  /** `Object.assign({}, pinned, { … })`, which is `{ ...pinned, … }`. */
  #assigned({ arguments: given }: CallExpression): void {
    const first = given.findIndex((argument) => this.#analysis.valuesOf(argument).has('pinned'));
    for (const argument of first === -1 ? [] : given.slice(first + 1)) {
      if (argument.type === 'ObjectExpression') this.#options(argument.properties, () => true);
      else if (!this.#analysis.valuesOf(argument).has('pinned'))
        this.#unclear(argument, 'it may switch off what certpin made');
    }
  }

  /** What certpin made stays what it is: nothing beside it in an object switches it off. */
  #object({ properties }: ObjectExpression): void {
    const first = properties.findIndex((property) => this.#isPinned(property));
    if (first === -1) return;
    const isSpread = properties[first]?.type !== 'Property';
    this.#options(properties, (index) => !isSpread || index >= first);
  }

  #isPinned(property: ObjectExpression['properties'][number]): boolean {
    return this.#analysis.valuesOf(property.type === 'Property' ? property.value : property.argument).has('pinned');
  }

  /** @param counts whether the property at a place is not written over by what certpin made */
  #options(properties: ObjectExpression['properties'], counts: (index: number) => boolean): void {
    const first = properties.findIndex((property) => this.#isPinned(property));
    const names = new Set<string>();
    for (const [index, property] of properties.entries()) {
      const key = property.type === 'Property' ? property.key : undefined;
      const name =
        property.type === 'Property' && !property.computed
          ? key?.type === 'Identifier'
            ? key.name
            : key?.type === 'Literal'
              ? String(key.value)
              : ''
          : '';
      // An agent is harmless where it is the pinned one.
      const isNoProxy = name === 'proxy' && property.type === 'Property' && isFalse(property.value);
      const isAllowed = isNoProxy || (HARMLESS_OPTIONS.has(name) && (!AGENTS.has(name) || this.#isPinned(property)));
      const isHarmless =
        name === ''
          ? this.#isPinned(property) || (property.type !== 'Property' && index < first)
          : isAllowed && !names.has(name);
      if (!isHarmless && counts(index)) this.#unclear(property, 'it may switch off what certpin made');
      names.add(name);
    }
  }

  /** What is shared may be called and looked into. Where it goes into an object or to other code, nobody knows what becomes of it. */
  #handedOn(node: Node): void {
    const parent = this.#parent(node);
    if (parent === undefined || !isExpression(node) || !isHandedOn(node, parent)) return;
    if (parent.type === 'Property' && this.#parent(parent)?.type === 'ObjectPattern') return;
    const values = this.#analysis.valuesOf(node);
    for (const value of values) {
      if (value.kind === 'certpin') this.#unclear(node, '`certpin` is handed on, and can be changed there');
      if (
        value.kind === 'shared' &&
        !mayBeHandedOver(value.isModule, value.path) &&
        !this.#isHandedOnHarmlessly(node, parent, value)
      )
        this.#unclear(node, `\`${value.path.join('.')}\` is handed on, and may be changed there`);
    }
    if (!values.has('pinned')) return;
    // A pool that is not there fails; options without what certpin made do not.
    const isReturned = /^(?:ReturnStatement|ArrowFunctionExpression)$/.test(parent.type);
    if (
      values.has('plain', 'own', 'fresh', 'function', 'given', 'data') ||
      (!isReturned && values.has('unset')) ||
      this.#isInGetter(node)
    )
      this.#unclear(node, 'it is not always what certpin made');
    if (this.#isPart(node, parent)) this.#unclear(node, 'a part of what certpin made may be nothing');
    if (!this.#isFollowed(node, parent)) this.#lostPinned = true;
  }

  /** `agents[1]` in the place of an agent; `Object.entries(options)`, of which one may be left out. */
  #isPart(node: Node, parent: Node): boolean {
    if (parent.type === 'Property')
      return node.type === 'MemberExpression' && AGENTS.has(this.#analysis.nameOf(parent)) && !this.#isKept(node);
    if (parent.type !== 'CallExpression') return false;
    return [...this.#analysis.valuesOf(parent.callee)].some(
      (callee) => callee.kind === 'shared' && !callee.isModule && TAKES_APART.test(callee.path.join('.')),
    );
  }

  /** Whether the object in which it stands is not itself what certpin made: `global.agent`. */
  #isKept({ object }: MemberExpression): boolean {
    return !this.#analysis.valuesOf(object).has('pinned');
  }

  #isInGetter(node: Node): boolean {
    const found = this.#analysis.functionAround(node);
    const owner = found === undefined ? undefined : this.#parent(found);
    return (owner?.type === 'Property' || owner?.type === 'MethodDefinition') && owner.kind === 'get';
  }

  #isHandedOnHarmlessly(node: Node, parent: Node, value: Extract<Value, { kind: 'shared' }>): boolean {
    if (parent.type === 'ClassDeclaration' || parent.type === 'ClassExpression')
      return mayBeExtended(value.isModule, value.path);
    // global.x = require('x') is followed
    if (parent.type === 'AssignmentExpression' && parent.left.type === 'MemberExpression')
      return [...this.#analysis.valuesOf(parent.left.object)].every(
        (base) => base.kind === 'shared' && isGlobalObject(base),
      );
    if (parent.type !== 'CallExpression') return false;
    if (this.#analysis.isFollowedInto(parent, node)) return true;
    // pinnedMysql wants the package.
    if (isPackage(value.isModule, value.path) && this.#analysis.valuesOf(parent).has('pinned')) return true;
    return [...this.#analysis.valuesOf(parent.callee)].some((callee) => {
      if (callee.kind !== 'shared') return false;
      const path = callee.path.join('.');
      if (path === 'util.promisify') return value.path.length > 1;
      if (path === 'util.inherits') return parent.arguments[1] === node;
      return path === 'Object.create' && /^\w*Error\.prototype$/.test(value.path.join('.')) && !value.isModule;
    });
  }

  /** Whether what certpin made is still known to be that where it goes. */
  #isFollowed(node: Node, parent: Node): boolean {
    if (parent.type === 'ReturnStatement' || parent.type === 'ArrowFunctionExpression' || parent.type === 'Property')
      return true;
    if (parent.type === 'SpreadElement') return true;
    if (parent.type === 'ArrayExpression') return true;
    if (parent.type === 'AssignmentExpression' && parent.left.type === 'MemberExpression')
      return [...this.#analysis.valuesOf(parent.left.object)].every(
        (base) => base.kind === 'own' || (base.kind === 'shared' && isGlobalObject(base)),
      );
    if (parent.type !== 'CallExpression' && parent.type !== 'NewExpression') return false;
    if (this.#analysis.isFollowedInto(parent, node)) return true;
    return [...this.#analysis.valuesOf(parent.callee)].every(({ kind }) => kind === 'shared');
  }

  /** After all nodes: then it is known whether what certpin made is still followed. */
  writes(): void {
    for (const write of this.#analysis.memberWrites())
      for (const base of this.#analysis.valuesOf(write.object)) this.#write(write, base);
  }

  #write(write: MemberWrite, base: Value): void {
    const { node, object, key, value } = write;
    switch (base.kind) {
      case 'certpin':
        this.#report(
          'tampered',
          node,
          base.path.length === 0 ? 'a function of `certpin` is replaced' : 'a function of `certpin` is changed',
        );
        break;
      case 'pinned':
        this.#report('tampered', node, 'what certpin made is changed');
        break;
      case 'anything':
        this.#unclear(node, 'nobody knows what is changed here: it may be a prototype');
        break;
      case 'outside':
        if (this.#lostPinned) this.#unclear(node, 'it may be what certpin made that is changed here');
        else if (mayBeOfNetwork(key) || !this.#mayBePut(value, key))
          this.#unclear(node, 'the script puts something into an object that it did not make');
        break;
      case 'own':
      case 'fresh':
        if (value !== undefined && this.#analysis.valuesOf(value).has('pinned')) {
          if (!this.#analysis.isCertain(write)) this.#unclear(node, 'it is not always what certpin made');
          break;
        }
        if (
          key.text === undefined
            ? this.#isAny(key) && this.#analysis.mayCarry(object)
            : this.#analysis.mayHoldPinned(key)
        )
          this.#unclear(node, `\`${key.text ?? 'a member'}\` may be what certpin made, and gets another value`);
        break;
      case 'shared':
        this.#writeToShared(node, key.text, base);
        break;
      default:
    }
  }

  #isAny({ isIndex, isApart }: Key): boolean {
    return !isIndex && !isApart;
  }

  #writeToShared(node: Node, key: string | undefined, { isModule, path }: Extract<Value, { kind: 'shared' }>): void {
    const all = isGlobalObject({ kind: 'shared', isModule, path }) ? [key ?? ''] : [...path, key ?? ''];
    const [root = '', member] = all;
    if (!isModule && /^process\.(?:exitCode$|env\.)/.test(all.join('.'))) return;
    if (!isModule && root === 'module' && member === 'exports') return;
    if (!isModule && !isNodeGlobal(root) && all.length === 1 && key !== undefined) return;
    // Some packages ask for it, and where the block does not use it, nothing of it is touched.
    if (!isModule && all.join('.') === 'fetch' && !this.#used.globals.has('fetch')) return;
    const isUsed = (isModule ? this.#used.modules : this.#used.globals).has(root);
    if (isUsed) this.#report('tampered', node, `\`${root}\`, which the block uses, is changed`);
    else this.#unclear(node, root === '' ? 'a global is changed, and nobody knows which' : `\`${root}\` is changed`);
  }

  /** Whether an object that a call gave stays what it is: data may be put into it, and anything but code where nothing of Node has that name. */
  #mayBePut(value: Node | undefined, key: Key): boolean {
    if (value === undefined) return false;
    return (
      this.#isData(value) ||
      (!mayBeOfNode(key) && !this.#analysis.valuesOf(value).has('function', 'shared', 'certpin', 'pinned', 'anything'))
    );
  }

  /** Whether a value is data, in which there is no code. */
  #isData(node: Node): boolean {
    if (node.type === 'ObjectExpression')
      return node.properties.every(
        (property) => property.type === 'Property' && property.kind === 'init' && this.#isData(property.value),
      );
    if (node.type === 'ArrayExpression')
      return node.elements.every(
        (element) => element === null || (element.type !== 'SpreadElement' && this.#isData(element)),
      );
    return [...this.#analysis.valuesOf(node)].every(
      ({ kind }) => kind === 'plain' || kind === 'unset' || kind === 'given' || kind === 'data',
    );
  }

  #isOnlyLookedAt(node: Node): boolean {
    const parent = this.#parent(node);
    if (parent?.type === 'UnaryExpression') return parent.operator === 'typeof';
    return parent?.type === 'BinaryExpression';
  }

  #parent(node: Node): Node | undefined {
    return this.#analysis.script.parents.get(node);
  }
}

/** In which clients find the connection of a request. */
const AGENTS = new Set(['agent', 'httpAgent', 'httpsAgent']);
const CONNECTORS = new Set([
  ...AGENTS,
  'adapter',
  'transport',
  'dispatcher',
  'proxy',
  'createConnection',
  'socketPath',
]);

const TAKES_APART = /^Object\.(?:entries|values|fromEntries|create|defineProperty|defineProperties)$/;

/** Methods of an agent through which it is given a connection. */
const LEADS_ELSEWHERE = new Set(
  'emit addRequest createConnection createSocket keepSocketAlive reuseSocket setRequestSocket'.split(' '),
);

function isFalse(node: Node): boolean {
  return node.type === 'Literal' && node.value === false;
}

function isExpression(node: Node): boolean {
  return /Expression$|^(?:Identifier|Literal|TemplateLiteral|Super)$/.test(node.type);
}

/** Whether an expression leaves for where its value is not followed. */
function isHandedOn(node: Node, parent: Node): boolean {
  switch (parent.type) {
    case 'CallExpression':
    case 'NewExpression':
      return parent.callee !== node;
    case 'AssignmentExpression':
      return parent.right === node && parent.left.type === 'MemberExpression';
    case 'Property':
      return parent.value === node;
    case 'PropertyDefinition':
      return parent.value === node;
    case 'ArrowFunctionExpression':
      return parent.body === node;
    case 'ClassDeclaration':
    case 'ClassExpression':
      return parent.superClass === node;
    case 'TemplateLiteral':
    case 'ArrayExpression':
    case 'SpreadElement':
    case 'ReturnStatement':
    case 'ThrowStatement':
    case 'YieldExpression':
    case 'ExportDefaultDeclaration':
    case 'ExportSpecifier':
      return true;
    default:
      return false;
  }
}

const UNDERSTOOD_NODES = new Set(
  `ArrayExpression ArrayPattern ArrowFunctionExpression AssignmentExpression AssignmentPattern AwaitExpression BinaryExpression
  BlockStatement BreakStatement CallExpression CatchClause ChainExpression ClassBody ClassDeclaration ClassExpression
  ConditionalExpression ContinueStatement DebuggerStatement DoWhileStatement EmptyStatement ExportDefaultDeclaration
  ExportNamedDeclaration ExportSpecifier ExpressionStatement ForInStatement ForOfStatement ForStatement FunctionDeclaration
  FunctionExpression Identifier IfStatement ImportDeclaration ImportDefaultSpecifier ImportExpression ImportNamespaceSpecifier
  ImportSpecifier LabeledStatement Literal LogicalExpression MemberExpression MethodDefinition NewExpression ObjectExpression
  ObjectPattern PrivateIdentifier Program Property PropertyDefinition RestElement ReturnStatement SequenceExpression SpreadElement
  StaticBlock Super SwitchCase SwitchStatement TaggedTemplateExpression TemplateElement TemplateLiteral ThisExpression ThrowStatement
  TryStatement UnaryExpression UpdateExpression VariableDeclaration VariableDeclarator WhileStatement YieldExpression`.split(
    /\s+/,
  ),
);

/** A path or a JSON text may lead to a prototype too: `_.set(object, 'constructor.prototype.then', …)`. */
function namesWayOut(text: unknown): boolean {
  return typeof text === 'string' && /__proto__|\bconstructor\b|\bprototype\b/.test(text);
}

/** Letters of other scripts in the place of Latin ones, or joiners that nobody sees. */
function looksLikeCertpin(name: string): boolean {
  const letters = [...name.replace(/[\u200C\u200D]/g, '')];
  const expected = [...'certpin'];
  if (name === 'certpin' || letters.length !== expected.length) return false;
  return letters.every((letter, index) => letter === expected[index] || letter > '\u007F');
}

type Range = readonly [number, number];

function rangeOf(text: string, { line, lines }: FoundBlock): Range {
  const all = text.split('\n');
  const start = all.slice(0, line - 1).join('\n').length;
  return [start, all.slice(0, line - 1 + lines.length).join('\n').length];
}

function isWithin({ range }: Node, [start, end]: Range): boolean {
  return range !== undefined && range[0] >= start && range[1] <= end;
}
