import type { Node } from 'estree';
import {
  type AnyFunction,
  ancestors,
  calledMethod,
  descendants,
  isFunction,
  mentions,
  nameOf,
  ownNodes,
  parentOf,
  unwrap,
} from './ast.ts';
import type { Values } from './values.ts';

// Where the execution of a script continues after its connection, its query or its request has failed.

/** What the error of a callback is called. */
export const ERROR_NAME: RegExp = /^(?:e|er|err|error|ex|exception|.*(?:Err|Error))$/;

/** Packages and methods that work on this machine: their failure is not an outage. */
const LOCAL_PACKAGE =
  /^(?:bcrypt|bcryptjs|bcrypt-nodejs|argon2|scrypt|scrypt-kdf|pbkdf2|easy-pbkdf2|crypto|jsonwebtoken|jose|fs|zlib|util|xml2js)(?:$|\/)/;
const LOCAL_METHOD =
  /^(?:compare|hash|genSalt|verify|pbkdf2|scrypt|sign|randomBytes|decrypt|parseString|parse|json|text|readFile)$/;

/** Whether a call stays on this machine. */
export function isLocalCall(call: Node, values: Values): boolean {
  const node = unwrap(call);
  if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return false;
  const callee = values.of(node.callee as Node);
  const name =
    callee.kind === 'module'
      ? callee.name
      : callee.kind === 'made'
        ? callee.by.name
        : callee.kind === 'global'
          ? callee.path[0]
          : undefined;
  if (name !== undefined && LOCAL_PACKAGE.test(name)) return true;
  return LOCAL_METHOD.test(calledMethod(node)?.name ?? '') && callee.kind !== 'made';
}

/** The name of the error that is the first argument of a function: `(err, rows) => …`. undefined: there is none. */
export function errorParameter({ params: [first] }: AnyFunction): string | undefined {
  return first?.type === 'Identifier' && ERROR_NAME.test(first.name) ? first.name : undefined;
}

/** Which branch of a test every error takes: `then` or `else`. undefined: the test asks something else. */
export function outcomeOfError(test: Node, error: string): 'then' | 'else' | undefined {
  const node = unwrap(test);
  if (node.type === 'Identifier') return node.name === error ? 'then' : undefined;
  if (node.type === 'UnaryExpression' && node.operator === '!') return opposite(outcomeOfError(node.argument, error));
  if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && node.callee.name === 'Boolean')
    return node.arguments[0] && outcomeOfError(node.arguments[0], error);
  if (node.type === 'BinaryExpression' && node.operator === 'instanceof')
    return isName(node.left as Node, error) && isName(node.right, 'Error') ? 'then' : undefined;
  if (node.type === 'BinaryExpression' && /^[!=]==?$/.test(node.operator)) {
    const sides = [node.left as Node, node.right].map(unwrap);
    const isError = sides.some((side) => isName(side, error));
    if (!isError || !sides.some(isNothing)) return undefined;
    return node.operator.startsWith('!') ? 'then' : 'else';
  }
  if (node.type !== 'LogicalExpression' || node.operator === '??') return undefined;
  const [left, right] = [outcomeOfError(node.left, error), outcomeOfError(node.right, error)];
  // err || !rows.length: every error passes. !err && rows.length: no error passes.
  if (node.operator === '||') return left === 'then' || right === 'then' ? 'then' : undefined;
  return left === 'else' || right === 'else' ? 'else' : undefined;
}

function opposite(outcome: 'then' | 'else' | undefined): 'then' | 'else' | undefined {
  return outcome === undefined ? undefined : outcome === 'then' ? 'else' : 'then';
}

function isName(node: Node, name: string): boolean {
  const inner = unwrap(node);
  return inner.type === 'Identifier' && inner.name === name;
}

/** Whether a test is certainly true if a variable has no value: `!user`, `user == null`, `!user || !user.active`. */
export function passesWithout(test: Node, name: string): boolean {
  const node = unwrap(test);
  if (node.type !== 'LogicalExpression' || node.operator === '??') return outcomeOfError(node, name) === 'else';
  const sides = [passesWithout(node.left, name), passesWithout(node.right, name)];
  return node.operator === '||' ? sides.includes(true) : !sides.includes(false);
}

function isNothing(node: Node): boolean {
  return (node.type === 'Literal' && node.value === null) || (node.type === 'Identifier' && node.name === 'undefined');
}

/** Whether a handler asks what the error is: `err.code`, `error.response`, `isAxiosError(error)`. */
export function asksWhatItIs(handler: Node, error: string): boolean {
  const nodes = [...ownNodes(handler)];
  // const status = error.response?.status; if (status === 401) …
  const derived = nodes.flatMap((node) =>
    node.type === 'VariableDeclarator' && node.init && mentions(node.init, error) ? namesIn(node.id) : [],
  );
  return nodes.some((node) => {
    if (node.type !== 'Identifier') return false;
    return node.name === error ? isAskedAbout(node, handler) : derived.includes(node.name) && isInTest(node, handler);
  });
}

function namesIn(pattern: Node): string[] {
  return [...descendants(pattern)].flatMap((node) => (node.type === 'Identifier' ? [node.name] : []));
}

function isInTest(name: Node, within: Node): boolean {
  let inner = name;
  for (const up of ancestors(name)) {
    if ((up.type === 'IfStatement' || up.type === 'ConditionalExpression') && up.test === inner) return true;
    if (up.type === 'SwitchStatement' && up.discriminant === inner) return true;
    if (up === within || isFunction(up)) return false;
    inner = up;
  }
  return false;
}

function isAskedAbout(name: Node, within: Node): boolean {
  let inner = name;
  let isMore = false;
  for (const up of ancestors(name)) {
    if ((up.type === 'IfStatement' || up.type === 'ConditionalExpression') && up.test === inner) return isMore;
    if (up.type === 'SwitchStatement' && up.discriminant === inner) return true;
    if (up.type === 'MemberExpression' && up.object === inner) isMore = true;
    if (up.type === 'CallExpression' && up.callee !== inner && !isBoolean(up)) isMore = true;
    if (up.type === 'BinaryExpression' && up.operator === 'instanceof') isMore ||= !isName(up.right, 'Error');
    if (up === within || isFunction(up)) return false;
    inner = up;
  }
  return false;
}

function isBoolean({ callee }: Node & { type: 'CallExpression' }): boolean {
  return callee.type === 'Identifier' && callee.name === 'Boolean';
}

/** A function that gets only failures: in `.catch(f)`, `.then(ok, f)`, `.on('error', f)`. */
export function isFailureHandler(found: AnyFunction, values: Values): boolean {
  const call = parentOf(found);
  if (call?.type !== 'CallExpression') return false;
  const method = calledMethod(call);
  if (method === undefined) return false;
  if (method.name === 'catch') return call.arguments[0] === found && !isLocalCall(rootOf(method.object), values);
  if (method.name === 'then') return call.arguments[1] === found && !isLocalCall(rootOf(method.object), values);
  if (!/^(?:on|once|addListener)$/.test(method.name) || call.arguments[1] !== found) return false;
  const event = values.of(call.arguments[0]);
  return event.kind === 'text' && /^(?:error|timeout)$/.test(event.text);
}

/** The call at the beginning of a chain of promises. */
function rootOf(node: Node): Node {
  const inner = unwrap(node);
  const method = calledMethod(inner);
  return method !== undefined && /^(?:then|catch|finally)$/.test(method.name) ? rootOf(method.object) : inner;
}

/** Whether a statement leaves the function, or its last one does. */
export function leaves(statement: Node | null | undefined): boolean {
  if (!statement) return false;
  if (statement.type === 'BlockStatement') return leaves(statement.body.at(-1));
  return statement.type === 'ReturnStatement' || statement.type === 'ThrowStatement';
}

const STATUS = /^(?:status|statusCode|ok)$/;

/** Whether a test is true for every answer that is not a success: `!response.ok`, `status !== 200`. As {@link outcomeOfError}. */
export function outcomeOfStatus(test: Node): 'then' | 'else' | undefined {
  const node = unwrap(test);
  if (node.type === 'MemberExpression') return nameOf(node) === 'ok' ? 'else' : undefined;
  if (node.type === 'UnaryExpression' && node.operator === '!') return opposite(outcomeOfStatus(node.argument));
  if (node.type === 'LogicalExpression') {
    const [left, right] = [outcomeOfStatus(node.left), outcomeOfStatus(node.right)];
    if (node.operator === '||') return left === 'then' || right === 'then' ? 'then' : undefined;
    return left === 'else' || right === 'else' ? 'else' : undefined;
  }
  if (node.type !== 'BinaryExpression') return undefined;
  const status = unwrap(node.left as Node);
  const number = unwrap(node.right);
  const name = status.type === 'Identifier' ? status.name : nameOf(status);
  if (name === undefined || !STATUS.test(name) || number.type !== 'Literal') return undefined;
  const value = Number(number.value);
  if (/^!==?$/.test(node.operator) && value >= 200 && value < 300) return 'then';
  if (/^===?$/.test(node.operator) && value >= 200 && value < 300) return 'else';
  if (/^>=?$/.test(node.operator) && value >= 299 && value <= 400) return 'then';
  return /^<=?$/.test(node.operator) && value >= 299 && value <= 400 ? 'else' : undefined;
}

/** Whether a function asks about a status outside of this test too. Then it can tell an outage from a refusal. */
export function asksAboutStatusElsewhere(within: Node, test: Node): boolean {
  return [...ownNodes(within)].some((node) => {
    const isTest =
      node.type === 'IfStatement' || node.type === 'ConditionalExpression'
        ? node.test
        : node.type === 'SwitchStatement'
          ? node.discriminant
          : undefined;
    if (isTest === undefined || isTest === test) return false;
    return [...ownNodes(isTest)].some(
      (one) =>
        (one.type === 'MemberExpression' && STATUS.test(nameOf(one) ?? '')) ||
        (one.type === 'Identifier' && STATUS.test(one.name)),
    );
  });
}

/**
 * The variables of a function that have no value after a failed connection or query, because the error was thrown away: `try { user = await
 * find(); } catch {}`, `const user = await find().catch(() => null)`.
 */
export function lostVariables(within: AnyFunction, values: Values): Set<string> {
  const lost = new Set<string>();
  for (const node of ownNodes(within.body)) {
    if (node.type === 'TryStatement' && node.handler && waits(node.block, values) && swallows(node.handler.body))
      for (const one of ownNodes(node.block))
        if (one.type === 'AssignmentExpression' && one.left.type === 'Identifier') lost.add(one.left.name);
    const [target, value] =
      node.type === 'VariableDeclarator'
        ? [node.id, node.init]
        : node.type === 'AssignmentExpression'
          ? [node.left, node.right]
          : [];
    if (target?.type !== 'Identifier' || !value || unwrap(value).type !== 'AwaitExpression') continue;
    const call = unwrap((unwrap(value) as Node & { type: 'AwaitExpression' }).argument);
    const method = calledMethod(call);
    const handler = call.type === 'CallExpression' ? call.arguments[0] : undefined;
    if (method?.name !== 'catch' || !isFunction(handler) || isLocalCall(rootOf(method.object), values)) continue;
    const isEmpty = handler.body.type === 'BlockStatement' && swallows(handler.body) && !hasReturnValue(handler.body);
    if (isEmpty || values.of(handler.body).kind === 'constant') lost.add(target.name);
  }
  return lost;
}

/** Whether something waits for another machine. */
export function waits(block: Node, values: Values): boolean {
  return [...ownNodes(block)].some((one) => one.type === 'AwaitExpression' && !isLocalCall(one.argument, values));
}

/** Whether a handler neither leaves the function nor keeps anything of its error. */
function swallows(handler: Node): boolean {
  return ![...ownNodes(handler)].some(({ type }) =>
    /^(?:Return|Throw|Continue|Break)Statement$|^(?:Assignment|Update)Expression$/.test(type),
  );
}

function hasReturnValue(body: Node): boolean {
  return [...ownNodes(body)].some((node) => node.type === 'ReturnStatement' && node.argument);
}
