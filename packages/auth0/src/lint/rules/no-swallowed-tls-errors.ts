import type { Node } from 'estree';
import { CLOSING, calledMethod, descendants, isFunction, ownNodes, unwrap } from '../ast.ts';
import { packageOf } from '../clients.ts';
import { defineRule, type Rule } from '../rule.ts';
import { isMadeAsServer } from '../servers.ts';
import { switchedOff } from './no-reject-unauthorized-false.ts';

/** Packages that connect over TLS. */
const CLIENT =
  /^(?:https|http2|tls|axios|request|got|node-fetch|undici|superagent|pg|pg-pool|postgres|mysql|mysql2|mysql2\/promise|mariadb|tedious|mssql|mongodb|mongoose|ioredis|redis|ldapjs|ldapts|nodemailer)$/;
export const noSwallowedTlsErrors: Rule = defineRule({
  name: 'no-swallowed-tls-errors',
  severity: 'error',
  description: 'The error of a refused certificate is thrown away, or answered by a connection without verification',
  messages: {
    retried: {
      happens:
        'After a failure the connection is made again without verification: an impostor needs only to fail once.',
      instead: 'Report the failure: call the callback with an error, or throw.',
    },
    swallowed: {
      happens:
        'Errors of the connection are thrown away here, that of a refused certificate too: nobody learns that an impostor answered.',
      instead: 'Pass the error on, or write its code to the log.',
    },
  },
  create({ values, report }) {
    const isClient = (node: Node): boolean => {
      const value = values.of(node);
      if (value.kind === 'global') return value.path.join('.') === 'fetch';
      return CLIENT.test(packageOf(value) ?? '');
    };
    /** Whether a call, or one in the same chain, speaks to a server. */
    const connects = (node: Node): boolean => {
      for (let at: Node = unwrap(node); at.type === 'CallExpression' || at.type === 'NewExpression'; ) {
        const method = calledMethod(at);
        if (isClient(at.callee as Node) && !CLOSING.test(method?.name ?? '') && !isSetUp(at)) return true;
        if (method === undefined) return false;
        at = unwrap(method.object);
      }
      return false;
    };
    const isSetUp = (node: Node): boolean =>
      node.type === 'NewExpression' || /^(?:on|once)$/.test(calledMethod(node)?.name ?? '');
    const checkHandler = (handler: Node): void => {
      if ([...descendants(handler)].some((node) => switchedOff(node, values) !== undefined)) report(handler, 'retried');
    };
    return {
      TryStatement({ block, handler }) {
        if (!handler) return;
        checkHandler(handler);
        if (handler.body.body.length > 0) return;
        if ([...ownNodes(block)].some((node) => node.type === 'CallExpression' && connects(node)))
          report(handler, 'swallowed');
      },
      CallExpression(node) {
        const method = calledMethod(node);
        const handler = node.arguments.at(-1);
        if (method === undefined || !isFunction(handler)) return;
        if (method.name === 'catch') {
          checkHandler(handler);
          if (isEmpty(handler) && connects(method.object)) report(handler, 'swallowed');
        }
        const event = values.of(node.arguments[0]);
        const isError =
          /^(?:on|once|addListener)$/.test(method.name) && event.kind === 'text' && event.text === 'error';
        if (!isError) return;
        checkHandler(handler);
        if (!isEmpty(handler) || !isClient(method.object) || isPool(method.object)) return;
        if (!isMadeAsServer(values.of(method.object), values)) report(handler, 'swallowed');
      },
    };

    /** The error of an idle connection, for which nobody waits. The next error rejects its own call. */
    function isPool(node: Node): boolean {
      const value = values.of(node);
      return value.kind === 'made' && /pool$/i.test(value.by.path.at(-1) ?? value.by.name);
    }

    function isEmpty(handler: Node): boolean {
      if (!isFunction(handler)) return false;
      const { body } = handler;
      return body.type === 'BlockStatement' ? body.body.length === 0 : values.of(body).kind === 'constant';
    }
  },
});
