import type { Node } from 'estree';
import {
  type AnyCall,
  type AnyFunction,
  ancestors,
  CLOSING,
  calledMethod,
  descendants,
  enclosingFunction,
  isCaught,
  isFunction,
  mentions,
  nameOf,
  ownNodes,
  parentOf,
  unwrap,
} from '../ast.ts';
import { ERROR_NAME, errorParameter, leaves, outcomeOfError, outcomeOfStatus } from '../failures.ts';
import { defineRule, type Rule } from '../rule.ts';
import { callbackOf } from '../script.ts';
import { callsByName } from '../variables.ts';

export const requireCallbackOnFailure: Rule = defineRule({
  name: 'require-callback-on-failure',
  severity: 'warning',
  description: 'A failure after which the callback of the script is never called',
  messages: {
    uncaughtAwait: {
      happens: 'Where this await fails, {{callback}} is never called: the login hangs until the time limit of Auth0.',
      instead: 'Put it into a try whose catch calls {{callback}} with an error.',
    },
    uncaughtPromise: {
      happens:
        'Where this promise is rejected, {{callback}} is never called: the login hangs until the time limit of Auth0.',
      instead: 'Add a .catch() after it that calls {{callback}} with an error.',
    },
    silentPromise: {
      happens:
        'If this promise is rejected, its handler does not call {{callback}}: the login hangs until the time limit of Auth0.',
      instead: 'Call {{callback}} with an error in it.',
    },
    silentError: {
      happens: 'If there is an error, {{callback}} is never called: the login hangs until the time limit of Auth0.',
      instead: 'Call {{callback}} with an error, and return.',
    },
    alone: {
      happens:
        'Nobody awaits the function around this await. If the await fails, {{callback}} is never called, and the login hangs until the time limit of Auth0.',
      instead:
        'Put it into a try whose catch calls {{callback}} with an error, or add .catch({{callback}}) to the call of the function.',
    },
    silentCatch: {
      happens: 'This catch ends without a call of {{callback}}: the login hangs until the time limit of Auth0.',
      instead: 'Call {{callback}} with an error in it.',
    },
    unreadError: {
      happens:
        'The error is not checked: if the connection fails, the code after it runs as if it had not, and {{callback}} may never be called.',
      instead: 'Begin with: if ({{error}}) return {{callback}}(new Error(…)).',
    },
    thrownError: {
      happens:
        'An error thrown in a callback is an uncaught exception: {{callback}} is never called, and the container ends.',
      instead: 'Call {{callback}} with an error, and return.',
    },
    noResponse: {
      happens:
        'Where the connection or its TLS fails there is no {{error}}.response: this line throws, and {{callback}} is never called.',
      instead: 'Ask for {{error}}.response first: {{error}}.response?.status.',
    },
  },
  create({ values, script: { main }, report }) {
    if (main === undefined) return {};
    const callback = callbackOf(main);
    const inMain = (node: Node): boolean => [...ancestors(node)].includes(main);
    return {
      'Program:exit'() {
        checkAwaits(main);
        for (const node of descendants(main.body)) {
          if (node.type === 'TryStatement' && node.handler && inMain(node)) checkCatch(node.handler, node);
          if (node.type === 'ExpressionStatement' || node.type === 'ReturnStatement') checkChain(node);
          if (node.type === 'CallExpression' || node.type === 'NewExpression') checkArguments(node);
          if (isFunction(node) && node.async) checkAlone(node);
        }
      },
    };

    function checkAwaits(main: AnyFunction): void {
      for (const node of ownNodes(main.body)) {
        if (!isAwait(node) || isCaught(node, main)) continue;
        report(node, 'uncaughtAwait', { data: { callback } });
        return; // One finding is enough.
      }
    }

    function checkCatch(handler: Node & { type: 'CatchClause' }, statement: Node): void {
      const [, end = 0] = statement.range ?? [];
      const isLater = [...descendants(main?.body as Node)].some(
        (node) => node.type === 'Identifier' && node.name === callback && (node.range?.[0] ?? 0) >= end,
      );
      const error = handler.param?.type === 'Identifier' ? handler.param.name : undefined;
      const calls = mentions(statement, callback) && !reaches(handler.body, error);
      const isNested = enclosingFunction(statement) !== main;
      const isSilent = isNested ? !throws(handler) && !isLaterIn(statement, enclosingFunction(statement)) : !isLater;
      if (calls && isSilent && !isRethrown(handler)) report(handler, 'silentCatch', { data: { callback } });
      if (error !== undefined) checkResponse(error, handler.body);
    }

    /** Whether the callback is read after a node, in the same function. */
    function isLaterIn(node: Node, within: Node | undefined): boolean {
      const [, end = 0] = node.range ?? [];
      return [...descendants((within ?? main) as Node)].some(
        (one) => one.type === 'Identifier' && one.name === callback && (one.range?.[0] ?? 0) >= end,
      );
    }

    function throws(handler: Node): boolean {
      return [...ownNodes(handler)].some(({ type }) => type === 'ThrowStatement');
    }

    /**
     * Whether the code after a failure calls the callback, or gives the error to code that may call it. The log does not, and closing a
     * connection does not either.
     */
    function reaches(branch: Node, error: string | undefined): boolean {
      if (mentions(branch, callback)) return true;
      return [...descendants(branch)].some((node) => {
        if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return false;
        const callee = unwrap(node.callee as Node);
        const called = values.of(callee);
        if (called.kind === 'function') return mentions(called.node.body, callback);
        if (isLog(callee) || CLOSING.test(nameOf(callee) ?? '')) return false;
        const isGiven = error !== undefined && node.arguments.some((argument) => mentions(argument, error));
        return isGiven && node.type === 'CallExpression';
      });
    }

    /** A rethrown error may reach another catch. */
    function isRethrown(handler: Node): boolean {
      return throws(handler) && main !== undefined && isCaught(handler, main);
    }

    function checkChain(statement: Node & { type: 'ExpressionStatement' | 'ReturnStatement' }): void {
      const whole = statement.type === 'ExpressionStatement' ? statement.expression : statement.argument;
      if (!whole || !mentions(whole, callback)) return;
      // Somebody may wait for what a nested function returns.
      if (statement.type === 'ReturnStatement' && enclosingFunction(statement) !== main) return;
      const calls: ChainedCall[] = [];
      const start = unwrap(whole);
      for (
        let node = start.type === 'UnaryExpression' ? unwrap(start.argument) : start;
        node.type === 'CallExpression';
      ) {
        const method = calledMethod(node);
        if (method === undefined) break;
        calls.push({ name: method.name, node: unwrap(node.callee), given: node.arguments });
        node = unwrap(method.object);
      }
      const handled = calls.findIndex(({ name, given }) => name === 'catch' || (name === 'then' && given.length > 1));
      const then = calls.find(({ name }) => name === 'then');
      if (handled === -1) {
        if (then?.node.type === 'MemberExpression')
          report(then.node.property, 'uncaughtPromise', { data: { callback } });
        return;
      }
      const { name, given } = calls[handled] as ChainedCall;
      const handler = given[name === 'catch' ? 0 : 1] as Node;
      // Code after the handler may call the callback for both cases.
      const later = calls.slice(0, handled).some((call) => call.given.some((argument) => mentions(argument, callback)));
      if (handler !== undefined && !later && isSilent(handler))
        report(handler, 'silentPromise', { data: { callback } });
    }

    /** Whether a handler of a failure only logs it. */
    function isSilent(handler: Node): boolean {
      if (isFunction(handler)) {
        const [parameter] = handler.params;
        const error = parameter?.type === 'Identifier' ? parameter.name : undefined;
        return !reaches(handler.body, error) && !throws(handler);
      }
      return isLog(handler);
    }

    /** An async function that calls the callback, and whose promise is ignored. Its failure is lost. */
    function checkAlone(found: AnyFunction): void {
      if (!mentions(found.body, callback)) return;
      const lost = [...ownNodes(found.body)].find((node) => {
        return isAwait(node) && !isCaught(node, found);
      });
      if (lost !== undefined && callsOf(found).some(isAlone)) report(lost, 'alone', { data: { callback } });
    }

    /** The calls of a function, as far as they can be seen: at its place, or by its name. */
    function callsOf(found: AnyFunction): Node[] {
      const around = parentOf(found);
      if (around?.type === 'CallExpression')
        return around.callee === found || isNodeStyle(around, found) ? [around] : [];
      if (around?.type === 'NewExpression') return isPromise(around) ? [around] : [];
      return callsByName(found, values);
    }

    /** A client, an emitter and a timer call their functions, and ignore what these return. */
    function isNodeStyle(call: Node & { type: 'CallExpression' }, found: AnyFunction): boolean {
      const method = calledMethod(call)?.name ?? '';
      if (/^(?:on|once|addListener|addEventListener)$/.test(method)) return true;
      const { callee } = call;
      if (callee.type === 'Identifier' && /^set(?:Timeout|Immediate|Interval)$/.test(callee.name)) return true;
      return errorParameter(found) !== undefined && !/^(?:then|catch)$/.test(method);
    }

    function isPromise({ callee }: Node & { type: 'NewExpression' }): boolean {
      return callee.type === 'Identifier' && callee.name === 'Promise';
    }

    /** Whether the failure of a call is ignored: it is not awaited, not returned within the script, and has no handler. */
    function isAlone(call: Node): boolean {
      let inner = call;
      for (const up of ancestors(call)) {
        if (up.type === 'MemberExpression' && up.object === inner) {
          const next = parentOf(up);
          const isHandled =
            next?.type === 'CallExpression' &&
            (nameOf(up) === 'catch' || (nameOf(up) === 'then' && next.arguments.length > 1));
          if (isHandled) return false;
        } else if (up.type === 'ReturnStatement' || isFunction(up)) return enclosingFunction(call) === main;
        else if (up.type === 'ExpressionStatement') return true;
        else if (up.type === 'UnaryExpression' || up.type === 'SequenceExpression' || up.type === 'LogicalExpression') {
          // void f(), !f(), condition && f()
        } else if (up.type !== 'CallExpression' && up.type !== 'ChainExpression') return false;
        else if (up.type === 'CallExpression' && up.callee !== inner) return false;
        inner = up;
      }
      return true;
    }

    function checkArguments(call: AnyCall): void {
      const last = call.arguments.at(-1);
      const method = calledMethod(call)?.name;
      const [first] = call.arguments;
      if (!isFunction(last)) return;
      const [parameter] = last.params;
      if (parameter?.type !== 'Identifier') return;
      const error = parameter.name;
      if (method === 'catch') {
        checkResponse(error, last.body);
        return;
      }
      const isEvent =
        /^(?:on|once|addListener)$/.test(method ?? '') && first?.type === 'Literal' && first.value === 'error';
      if (isEvent && isRequest(call) && isSilent(last)) report(last, 'silentError', { data: { callback } });
      if (!ERROR_NAME.test(error) || method === 'then' || isEvent) return;
      if (!mentions(last.body, error) && mentions(last.body, callback) && usesResult(last))
        report(parameter, 'unreadError', { data: { callback, error } });
      checkBranches(last, error);
      for (const node of ownNodes(last.body))
        if (node.type === 'ThrowStatement' && mentions(node, error) && !isCaught(node, last))
          report(node, 'thrownError', { data: { callback } });
    }

    /** Whether the value next to the error is used for more than a line in the log. */
    function usesResult({ params, body }: AnyFunction): boolean {
      const names = params.slice(1).flatMap((parameter) => (parameter.type === 'Identifier' ? [parameter.name] : ['']));
      if (names.length === 0 || names.includes('')) return true;
      const isLogged = (node: Node): boolean => node.type === 'CallExpression' && isLog(node.callee as Node);
      const used = [...descendants(body, (child) => !isLogged(child))];
      return names.some((name) => used.some((node) => node.type === 'Identifier' && node.name === name));
    }

    /** Whether an event is that of a request of Node.js. Its failure appears nowhere else. */
    function isRequest(call: AnyCall): boolean {
      const object = calledMethod(call)?.object;
      return values
        .possible(object)
        .some(
          (value) =>
            value.kind === 'made' &&
            /^https?$/.test(value.by.name) &&
            /^(?:request|get)$/.test(value.by.path.join('.')),
        );
    }

    /** if (error) { console.log(error); return; } */
    function checkBranches(found: AnyFunction, error: string): void {
      if (!mentions(found.body, callback)) return;
      for (const node of ownNodes(found.body)) {
        const fork = forkOf(node);
        const failing = fork && (outcomeOfError(fork.test, error) ?? outcomeOfStatus(fork.test));
        if (fork === undefined || failing === undefined) continue;
        const branch = failing === 'then' ? fork.consequent : fork.alternate;
        if (branch && (reaches(branch, error) || throws(branch))) continue;
        if (leaves(branch) || !isLaterIn(node, found)) {
          const other = failing === 'then' ? undefined : fork.consequent;
          if (other !== undefined && !mentions(other, callback)) continue;
          report(fork.test, 'silentError', { data: { callback } });
          return;
        }
      }
    }

    function checkResponse(error: string, body: Node): void {
      const uses = [...descendants(body)].filter(
        (node) =>
          node.type === 'MemberExpression' &&
          nameOf(node) === 'response' &&
          node.object.type === 'Identifier' &&
          node.object.name === error,
      );
      const unguarded = uses.map(parentOf).filter((outer, index) => {
        return outer?.type === 'MemberExpression' && outer.object === uses[index] && !outer.optional;
      });
      const [first] = unguarded;
      // Any other use of it only asks whether it exists.
      if (first !== undefined && unguarded.length === uses.length)
        report(first, 'noResponse', { data: { callback, error } });
    }
  },
});

/** `await` and `for await`, where a failure is thrown. */
function isAwait(node: Node): boolean {
  if (node.type === 'ForOfStatement') return node.await;
  if (node.type !== 'AwaitExpression') return false;
  const method = calledMethod(unwrap(node.argument));
  return method?.name !== 'catch' && !CLOSING.test(method?.name ?? '');
}

interface ChainedCall {
  readonly name: string;
  readonly node: Node;
  readonly given: readonly Node[];
}

interface Fork {
  readonly test: Node;
  readonly consequent: Node;
  readonly alternate?: Node | null | undefined;
}

/** `if (error) … else …`, `error ? … : …`, `!error && …` */
function forkOf(node: Node): Fork | undefined {
  if (node.type === 'IfStatement' || node.type === 'ConditionalExpression') return node;
  if (node.type !== 'LogicalExpression' || parentOf(node)?.type !== 'ExpressionStatement') return undefined;
  const { operator, left, right } = node;
  return operator === '&&' ? { test: left, consequent: right, alternate: null } : undefined;
}

/** `console.error`, `logger.warn`, `log` */
function isLog(callee: Node): boolean {
  const inner = unwrap(callee);
  if (inner.type === 'MemberExpression')
    return inner.object.type === 'Identifier' && /^(?:console|log|logger|winston|Sentry)$/.test(inner.object.name);
  return inner.type === 'Identifier' && /^(?:log|debug|warn|print)$/.test(inner.name);
}
