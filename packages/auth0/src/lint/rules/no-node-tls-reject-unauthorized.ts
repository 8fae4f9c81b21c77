import type { Node } from 'estree';
import { calledMethod, nameOf } from '../ast.ts';
import { HOLE } from '../markers.ts';
import { defineRule, type Rule } from '../rule.ts';
import type { Value } from '../value.ts';

const NAME = 'NODE_TLS_REJECT_UNAUTHORIZED';

export const noNodeTlsRejectUnauthorized: Rule = defineRule({
  name: 'no-node-tls-reject-unauthorized',
  severity: 'error',
  description: 'NODE_TLS_REJECT_UNAUTHORIZED switches off the verification of the whole process',
  messages: {
    everywhere: {
      happens:
        'NODE_TLS_REJECT_UNAUTHORIZED switches the verification off for every connection of the process, and in Auth0 for every script of the container.',
      instead: 'Remove the line, and pin the certificate of the one server with {{certpin}}.',
    },
  },
  create({ values, report }) {
    // The environment holds text, and Node.js reads only `0`. So `false`, `no` and undefined switch nothing off.
    const switchesOff = (value: Node): boolean =>
      values.possible(value).some((one) => {
        if (one.kind === 'text') return one.text.replaceAll(HOLE, '0') === '0';
        if (one.kind === 'constant') return String(one.value) === '0';
        return !isItself(one);
      });
    /** The old value, written back. */
    const isItself = (value: Value): boolean =>
      value.kind === 'global' && value.path.join('.') === `process.env.${NAME}`;
    return {
      AssignmentExpression(node) {
        const { left, right } = node;
        if (left.type !== 'MemberExpression') return;
        const name = nameOf(left) ?? (left.computed ? textOf(left.property) : undefined);
        if (name === NAME && switchesOff(right)) report(node, 'everywhere');
      },
      // Object.assign(process.env, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }), and the environment of a child process
      Property(node) {
        if (nameOf(node) === NAME && switchesOff(node.value)) report(node, 'everywhere');
      },
      CallExpression(node) {
        const method = calledMethod(node);
        if (method?.name !== 'set' && method?.name !== 'defineProperty') return;
        const at = node.arguments.findIndex((argument) => textOf(argument) === NAME);
        const value = node.arguments[at + 1];
        if (at !== -1 && value !== undefined && switchesOff(value)) report(node, 'everywhere');
      },
    };

    function textOf(node: Node): string | undefined {
      const value = values.of(node);
      return value.kind === 'text' ? value.text : undefined;
    }
  },
});
