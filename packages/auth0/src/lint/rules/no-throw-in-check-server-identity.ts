import type { CallExpression, Node, ThrowStatement } from 'estree';
import { type AnyFunction, ancestors, calledMethod, descendants, isCaught, ownNodes } from '../ast.ts';
import { defineRule, type Rule } from '../rule.ts';

export const noThrowInCheckServerIdentity: Rule = defineRule({
  name: 'no-throw-in-check-server-identity',
  severity: 'error',
  description: 'checkServerIdentity throws in place of returning its error',
  // Never a fix. A thrown error stops the process, whatever is set. A returned error counts only if the verification is on. An agent, the
  // environment or another file may switch it off. The returned error then reaches handlers that may swallow it or connect again.
  suggestion:
    'Write return for throw, and rejectUnauthorized: true beside the check. Look first: if the verification is off (here, in an agent, in the environment), a returned error is ignored. And code that gets it in place of the exception must not swallow it or connect again.',
  messages: {
    throws: {
      happens:
        'An error thrown in checkServerIdentity is an uncaught exception: the process ends, or, where something catches it, the connection goes on and the request reaches the wrong server.',
      instead: 'Return the error, with rejectUnauthorized: true beside the check: Node then refuses the connection.',
    },
  },
  create({ values, report, sourceCode }) {
    const check = (value: Node): void => {
      for (const found of values.possible(value))
        if (found.kind === 'function') checkFunction(found.node, found.node === value && !isCalledByHand());
    };
    const seen = new Set<Node>();
    const checkFunction = (found: AnyFunction, mayReturn: boolean): void => {
      if (seen.has(found)) return;
      seen.add(found);
      for (const node of ownNodes(found.body)) {
        if (isCaught(node, found)) continue;
        if (node.type === 'ThrowStatement') reportThrow(node, found, mayReturn);
        if (node.type !== 'CallExpression') continue;
        if (isAssertion(node)) report(node, 'throws');
        const called = values.of(node.callee);
        if (called.kind === 'function') checkFunction(called.node, false);
      }
    };
    // Other callers may rely on the exception. Then only a person can decide.
    const isCalledByHand = (): boolean =>
      [...descendants(sourceCode.ast)].some((node) => {
        const method = calledMethod(node);
        return method?.name === 'checkServerIdentity' && values.moduleOf(method.object)?.name !== 'tls';
      });
    const reportThrow = (node: ThrowStatement, found: AnyFunction, mayReturn: boolean): void => {
      const [start = 0] = node.range ?? [];
      // The returned value must certainly be truthy, or the connection would be accepted. So only an error that is made on the spot counts.
      const refuses =
        mayReturn && !found.async && !found.generator && node.argument.type === 'NewExpression' && !inTry(node, found);
      report(
        node,
        'throws',
        refuses ? { suggest: (fixer) => fixer.replaceTextRange([start, start + 5], 'return') } : {},
      );
    };
    const isAssertion = ({ callee }: CallExpression): boolean => {
      const module = values.moduleOf(callee);
      return module?.name === 'assert' || module?.name === 'assert/strict';
    };
    return {
      Property(node) {
        if (values.nameOf(node) === 'checkServerIdentity' && node.kind === 'init') check(node.value);
      },
      AssignmentExpression(node) {
        if (node.left.type === 'MemberExpression' && values.nameOf(node.left) === 'checkServerIdentity')
          check(node.right);
      },
    };
  },
});

function inTry(node: Node, within: Node): boolean {
  for (const up of ancestors(node)) {
    if (up === within) return false;
    if (up.type === 'TryStatement') return true;
  }
  return false;
}
