import type { Node } from 'estree';
import { type AnyCall, type AnyFunction, calledMethod, isFunction, ownNodes, parentOf, unwrap } from '../ast.ts';
import { defineRule, type Rule } from '../rule.ts';
import type { ObjectValue, Value } from '../value.ts';
import type { Values } from '../values.ts';
import { ignoredIn } from './no-ignored-check-server-identity.ts';

export const noEmptyCheckServerIdentity: Rule = defineRule({
  name: 'no-empty-check-server-identity',
  severity: 'error',
  description: 'checkServerIdentity compares nothing, so a certificate for any name is accepted',
  messages: {
    empty: {
      happens:
        'This checkServerIdentity compares nothing: every certificate whose chain is trusted is accepted, whatever name it is for. Where there is no ca, that is every certificate of every public authority.',
      instead:
        'Pin the certificate with {{certpin}}; or remove the function and give the name that the certificate has: servername.',
    },
  },
  create({ values, report }) {
    const ignored = new Set<Node>();
    const found: { place: Node; value: Node }[] = [];
    const collect = (node: AnyCall): void => {
      for (const entry of ignoredIn(node, values)?.entries ?? []) ignored.add(entry);
    };
    return {
      CallExpression: collect,
      NewExpression: collect,
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
          // Without verification nobody calls it: that is the finding of another rule.
          const isCalled = !ignored.has(place) && !(options.kind === 'object' && isUnverified(options, values));
          if (isCalled && isEmptyCheck(value, values)) report(place, 'empty');
        }
      },
    };
  },
});

/** Whether the options beside a check switch the verification off. */
export function isUnverified({ entries }: ObjectValue, values: Values): boolean {
  const option = entries.get('rejectUnauthorized');
  return option !== undefined && values.mayBe(option.value, false);
}

/** Whether a check, or one of those that a condition chooses from, lets everything pass. */
export function isEmptyCheck(node: Node, values: Values): boolean {
  return values.possible(node).some((check) => {
    if (check.kind === 'function') return acceptsAll(check.node, values);
    return check.kind === 'module' && /^(?:lodash|underscore)$/.test(check.name) && check.path.join('.') === 'noop';
  });
}

/** It throws nothing, gives back nothing, and asks nobody who could throw. */
function acceptsAll(check: AnyFunction, values: Values): boolean {
  // What an async function or a generator gives back is an object, which Node.js takes for an error.
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

/** A line in the log; or Node.js's own check, which gives back its error and does not throw it. */
function isHarmless(node: Node & { type: 'CallExpression' }, values: Values): boolean {
  const callee = unwrap(node.callee);
  if (isFunction(callee)) return acceptsAll(callee, values);
  const value = values.of(callee);
  if (value.kind === 'module') return value.name === 'tls' && value.path.join('.') === 'checkServerIdentity';
  const method = calledMethod(node);
  const object = method && unwrap(method.object);
  return object?.type === 'Identifier' && /^(?:console|log|logger)$/.test(object.name);
}
