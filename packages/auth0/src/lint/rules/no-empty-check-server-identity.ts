import type { Node } from 'estree';
import { type AnyFunction, calledMethod, isFunction, ownNodes, parentOf, unwrap } from '../ast.ts';
import { defineRule, type Rule } from '../rule.ts';
import type { ObjectValue, Value } from '../value.ts';
import type { Values } from '../values.ts';
import { watchIgnored } from './no-ignored-check-server-identity.ts';
import { switchedOff } from './no-reject-unauthorized-false.ts';

export const noEmptyCheckServerIdentity: Rule = defineRule({
  name: 'no-empty-check-server-identity',
  severity: 'error',
  description: 'checkServerIdentity compares nothing, so a certificate for any name is accepted',
  messages: {
    empty: {
      happens:
        'This checkServerIdentity compares nothing: every certificate whose chain is trusted is accepted, for any name. Without ca, that is every certificate of every public CA.',
      instead:
        'Pin the certificate with {{certpin}}. Or remove the function, and give the name in the certificate as servername.',
    },
  },
  create({ values, report }) {
    const { ignored, listeners } = watchIgnored(values);
    const found: { place: Node; value: Node }[] = [];
    return {
      ...listeners,
      Property(node) {
        if (values.nameOf(node) === 'checkServerIdentity' && node.kind === 'init')
          found.push({ place: node, value: node.value });
      },
      AssignmentExpression(node) {
        if (node.left.type === 'MemberExpression' && values.nameOf(node.left) === 'checkServerIdentity')
          found.push({ place: node, value: node.right });
      },
      'Program:exit'() {
        for (const { place, value } of found) {
          const options = values.of(place.type === 'Property' ? parentOf(place) : undefined);
          // Without verification, nobody calls it. Another rule finds that.
          const isCalled = !ignored.has(place) && !(options.kind === 'object' && unverifiedBy(options, values));
          if (isCalled && isEmptyCheck(value, values)) report(place, 'empty');
        }
      },
    };
  },
});

/** The option next to a check that switches the verification off. Then nobody calls the check. */
export function unverifiedBy({ entries }: ObjectValue, values: Values): { option: string; value: string } | undefined {
  for (const name of ['rejectUnauthorized', 'tlsAllowInvalidCertificates', 'tlsInsecure', 'sslValidate']) {
    const off = entries.has(name) ? switchedOff(entries.get(name)?.node as Node, values) : undefined;
    if (off !== undefined) return off;
  }
  return undefined;
}

/** Whether a check, or one of those that a condition chooses from, accepts everything. */
export function isEmptyCheck(node: Node, values: Values): boolean {
  return values.possible(node).some((check) => {
    if (check.kind === 'function') return acceptsAll(check.node, values);
    return check.kind === 'module' && /^(?:lodash|underscore)$/.test(check.name) && check.path.join('.') === 'noop';
  });
}

/** It throws nothing, returns nothing, and calls nothing that could throw. */
function acceptsAll(check: AnyFunction, values: Values): boolean {
  // An async function or a generator returns an object, which Node.js treats as an error.
  if (check.async || check.generator) return false;
  if (check.body.type !== 'BlockStatement' && !isNothing(values.of(check.body))) return false;
  for (const node of ownNodes(check.body)) {
    if (node.type === 'ThrowStatement' || node.type === 'NewExpression' || node.type === 'TaggedTemplateExpression')
      return false;
    if (node.type === 'ReturnStatement' && node.argument && !isNothing(values.of(node.argument))) return false;
    if (node.type === 'CallExpression' && !isHarmless(node, values)) return false;
  }
  return true;
}

function isNothing(value: Value): boolean {
  if (value.kind === 'either') return value.values.every(isNothing);
  return (value.kind === 'constant' && !value.value) || (value.kind === 'text' && value.text === '');
}

/** A line in the log. Or Node.js's own check, which returns its error and does not throw it. */
function isHarmless(node: Node & { type: 'CallExpression' }, values: Values): boolean {
  const callee = unwrap(node.callee);
  if (isFunction(callee)) return acceptsAll(callee, values);
  const value = values.of(callee);
  if (value.kind === 'module') return value.name === 'tls' && value.path.join('.') === 'checkServerIdentity';
  const method = calledMethod(node);
  const object = method && unwrap(method.object);
  return object?.type === 'Identifier' && /^(?:console|log|logger)$/.test(object.name);
}
