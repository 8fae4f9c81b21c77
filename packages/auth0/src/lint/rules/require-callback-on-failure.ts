import type { Node } from 'estree';
import {
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
import { defineRule, type Rule } from '../rule.ts';
import { callbackOf } from '../script.ts';

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
  create({ script: { main }, report }) {
    if (main === undefined) return {};
    const callback = callbackOf(main);
    const inMain = (node: Node): boolean => [...ancestors(node)].includes(main);
    return {
      'Program:exit'() {
        checkAwaits(main);
        for (const node of descendants(main.body)) {
          if (node.type === 'TryStatement' && node.handler && inMain(node)) checkCatch(node.handler, node);
          if (node.type === 'ExpressionStatement' || node.type === 'ReturnStatement') checkChain(node);
          if (node.type === 'CallExpression') checkArguments(node);
        }
      },
    };

    function checkAwaits(main: AnyFunction): void {
      for (const node of ownNodes(main.body)) {
        if (node.type !== 'AwaitExpression' || isCaught(node, main)) continue;
        const method = calledMethod(unwrap(node.argument));
        if (method?.name === 'catch' || CLOSING.test(method?.name ?? '')) continue;
        report(node, 'uncaughtAwait', { data: { callback } });
        return; // one is enough to say it
      }
    }

    function checkCatch(handler: Node & { type: 'CatchClause' }, statement: Node): void {
      const [, end = 0] = statement.range ?? [];
      const isLater = [...descendants(main?.body as Node)].some(
        (node) => node.type === 'Identifier' && node.name === callback && (node.range?.[0] ?? 0) >= end,
      );
      const calls = mentions(statement, callback) && !mentions(handler.body, callback) && !isLater;
      if (calls && enclosingFunction(statement) === main && !isRethrown(handler))
        report(handler, 'silentCatch', { data: { callback } });
      if (handler.param?.type === 'Identifier') checkResponse(handler.param.name, handler.body);
    }

    /** A rethrown error may have another catch around it. */
    function isRethrown(handler: Node): boolean {
      const throws = [...ownNodes(handler)].some(({ type }) => type === 'ThrowStatement');
      return throws && main !== undefined && isCaught(handler, main);
    }

    function checkChain(statement: Node & { type: 'ExpressionStatement' | 'ReturnStatement' }): void {
      const whole = statement.type === 'ExpressionStatement' ? statement.expression : statement.argument;
      if (!whole || enclosingFunction(statement) !== main || !mentions(whole, callback)) return;
      const calls: { name: string; node: Node; count: number }[] = [];
      for (let node = unwrap(whole); node.type === 'CallExpression'; ) {
        const method = calledMethod(node);
        if (method === undefined) break;
        calls.push({ name: method.name, node: unwrap(node.callee), count: node.arguments.length });
        node = unwrap(method.object);
      }
      const isHandled = calls.some(({ name, count }) => name === 'catch' || (name === 'then' && count > 1));
      const then = calls.find(({ name }) => name === 'then');
      if (then?.node.type === 'MemberExpression' && !isHandled)
        report(then.node.property, 'uncaughtPromise', { data: { callback } });
    }

    function checkArguments(call: Node & { type: 'CallExpression' }): void {
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
      if (!/^(?:err|error|e)$/.test(error) || method === 'then' || isEvent) return;
      if (!mentions(last.body, error) && mentions(last.body, callback))
        report(parameter, 'unreadError', { data: { callback, error } });
      for (const node of ownNodes(last.body))
        if (node.type === 'ThrowStatement' && mentions(node, error) && !isCaught(node, last))
          report(node, 'thrownError', { data: { callback } });
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
      // Any other use of it is a question whether it is there.
      if (first !== undefined && unguarded.length === uses.length)
        report(first, 'noResponse', { data: { callback, error } });
    }
  },
});
