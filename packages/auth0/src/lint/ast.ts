import { KEYS } from 'eslint-visitor-keys';
import type {
  ArrowFunctionExpression,
  CallExpression,
  FunctionDeclaration,
  FunctionExpression,
  Identifier,
  NewExpression,
  Node,
} from 'estree';

/** The children of nodes that TypeScript adds and that exist at run time. Types are not among them, so the walk never enters a type. */
const TYPESCRIPT: Record<string, readonly string[]> = {
  TSAsExpression: ['expression'],
  TSSatisfiesExpression: ['expression'],
  TSTypeAssertion: ['expression'],
  TSNonNullExpression: ['expression'],
  TSInstantiationExpression: ['expression'],
  TSExportAssignment: ['expression'],
  TSParameterProperty: ['parameter'],
  TSModuleDeclaration: ['body'],
  TSModuleBlock: ['body'],
};

export const visitorKeys: Record<string, readonly string[]> = { ...KEYS, ...TYPESCRIPT };

/** The node around a node. Both hosts set it before the first rule runs. */
export function parentOf(node: Node): Node | undefined {
  return (node as { parent?: Node | null }).parent ?? undefined;
}

export function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (const key of visitorKeys[node.type] ?? []) {
    const child = (node as unknown as Record<string, unknown>)[key];
    for (const one of Array.isArray(child) ? child : [child]) if (isNode(one)) children.push(one);
  }
  return children;
}

function isNode(value: unknown): value is Node {
  return typeof (value as { type?: unknown } | null)?.type === 'string';
}

export type AnyFunction = ArrowFunctionExpression | FunctionDeclaration | FunctionExpression;

export function isFunction(node: Node | null | undefined): node is AnyFunction {
  return (
    node?.type === 'FunctionExpression' ||
    node?.type === 'ArrowFunctionExpression' ||
    node?.type === 'FunctionDeclaration'
  );
}

export type AnyCall = CallExpression | NewExpression;

/** Visits the node and everything in it. If `enter` returns false, the content of that node is skipped. */
export function* descendants(node: Node, enter: (node: Node) => boolean = () => true): Generator<Node, void, void> {
  yield node;
  for (const child of childrenOf(node)) if (enter(child)) yield* descendants(child, enter);
}

/** What runs when the body runs. Functions inside it are left out. */
export function ownNodes(node: Node): Generator<Node, void, void> {
  return descendants(node, (child) => !isFunction(child));
}

export function* ancestors(node: Node): Generator<Node, void, void> {
  for (let up = parentOf(node); up !== undefined; up = parentOf(up)) yield up;
}

export function enclosingFunction(node: Node): AnyFunction | undefined {
  for (const up of ancestors(node)) if (isFunction(up)) return up;
  return undefined;
}

/** Without the wrappers that change nothing at run time. */
export function unwrap(node: Node): Node {
  const { type, expression } = node as { type: string; expression?: Node };
  const wraps =
    type === 'ChainExpression' ||
    type === 'ParenthesizedExpression' ||
    (type.startsWith('TS') && TYPESCRIPT[type]?.[0] === 'expression');
  return wraps && expression !== undefined ? unwrap(expression) : node;
}

/** The name of a property or a member where it is written down: `a.name`, `a['name']`, `{ name: … }`. */
export function nameOf(node: Node): string | undefined {
  if (node.type === 'MemberExpression') return keyName(node.property, node.computed);
  if (node.type === 'Property' || node.type === 'MethodDefinition' || node.type === 'PropertyDefinition')
    return keyName(node.key, node.computed);
  return undefined;
}

function keyName(key: Node, computed: boolean): string | undefined {
  if (key.type === 'Identifier' && !computed) return key.name;
  if (key.type === 'TemplateLiteral' && key.expressions.length === 0) return key.quasis[0]?.value.cooked ?? undefined;
  return key.type === 'Literal' ? String(key.value) : undefined;
}

/** The name of the called method: `end` in `client.end()`. */
export function calledMethod(node: Node): { readonly object: Node; readonly name: string } | undefined {
  if (node.type !== 'CallExpression') return undefined;
  const callee = unwrap(node.callee);
  if (callee.type !== 'MemberExpression') return undefined;
  const name = nameOf(callee);
  return name === undefined ? undefined : { object: callee.object, name };
}

/** Whether an identifier of this name is read in the node. Another variable of the same name counts too. */
export function mentions(node: Node, name: string): boolean {
  for (const one of descendants(node)) {
    if (one.type !== 'Identifier' || one.name !== name) continue;
    const parent = parentOf(one);
    const isKey =
      (parent?.type === 'MemberExpression' && parent.property === one && !parent.computed) ||
      (parent?.type === 'Property' && parent.key === one && !parent.computed && !parent.shorthand);
    if (!isKey) return true;
  }
  return false;
}

/** Methods that end a connection: their failure changes nothing. */
export const CLOSING: RegExp = /^(?:end|close|destroy|quit|disconnect|release|terminate|unbind|abort|rollback)$/;

/** Inside a `try` with a `catch`, within `within`. */
export function isCaught(node: Node, within: Node): boolean {
  let inner: Node = node;
  for (const up of ancestors(node)) {
    if (up.type === 'TryStatement' && up.handler && up.block === inner) return true;
    if (up === within) return false;
    inner = up;
  }
  return false;
}

/** The name by which a function is called: that of its declaration, or of the variable that holds it. */
export function declaredName(found: AnyFunction): Identifier | undefined {
  const declarator = parentOf(found);
  if (found.type === 'FunctionDeclaration') return found.id ?? undefined;
  return declarator?.type === 'VariableDeclarator' && declarator.id.type === 'Identifier' ? declarator.id : undefined;
}
