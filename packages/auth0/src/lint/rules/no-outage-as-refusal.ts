import type { CallExpression, Node } from 'estree';
import { type AnyFunction, ancestors, enclosingFunction, nameOf, parentOf, unwrap } from '../ast.ts';
import {
  asksAboutStatusElsewhere,
  asksWhatItIs,
  errorParameter,
  isFailureHandler,
  isLocalCall,
  leaves,
  lostVariables,
  outcomeOfError,
  outcomeOfStatus,
  passesWithout,
  waits,
} from '../failures.ts';
import { defineRule, type Rule } from '../rule.ts';
import { callbackOf } from '../script.ts';
import type { Values } from '../values.ts';
import { callsByName } from '../variables.ts';

/** Errors by which a script says no. */
const REFUSALS: Readonly<Record<string, string>> = {
  WrongUsernameOrPasswordError: 'a wrong password',
  ValidationError: 'a refusal of what was entered',
};
const NOBODY = '"no such user", or "done"';

const STATUS_TEXT =
  'Every answer that is not a success becomes {{answer}} here, also the answer of a broken server: nobody learns of the outage.';

export const noOutageAsRefusal: Rule = defineRule({
  name: 'no-outage-as-refusal',
  severity: 'error',
  description: 'A failed connection or query is answered as a wrong password, or as no such user',
  messages: {
    outage: {
      happens:
        'If the connection or the query fails, the answer is {{answer}}: nobody learns of the outage, or of an impostor that was refused.',
      instead: 'After a failure, call {{callback}}(new Error(…)). Give this answer only if the server said so.',
    },
    status: {
      happens: STATUS_TEXT,
      instead:
        'Check for the one status that means this (401, 404), and call {{callback}} with an error for every other status.',
    },
  },
  create({ values, script: { kind, main }, report }) {
    if (kind !== 'database-script' || main === undefined) return {};
    const callback = callbackOf(main);
    return {
      CallExpression(node) {
        if (node.callee.type !== 'Identifier' || node.callee.name !== callback) return;
        if (node.arguments.some(({ type }) => type === 'SpreadElement')) return;
        if (![...ancestors(node)].includes(main)) return;
        for (const { answer, tests } of answersOf(node, values)) {
          for (const place of [node, ...callsOfHelper(node, main, values)]) {
            const cause = causeOf(place, place === node ? tests : [], main, values);
            if (cause === undefined) continue;
            report(place, cause, { data: { answer, callback } });
            return;
          }
        }
      },
    };
  },
});

/** A function that does nothing but call the callback: `const wrong = () => callback(new …)`. */
function callsOfHelper(node: Node, main: AnyFunction, values: Values): Node[] {
  const helper = enclosingFunction(node);
  if (helper === undefined || helper === main || branchesAround(node, helper).length > 0) return [];
  return callsByName(helper, values);
}

/** What a call of the callback says, and the tests inside the call on which that depends. */
interface Answer {
  readonly answer: string;
  readonly tests: readonly Branch[];
}

interface Branch {
  readonly test: Node;
  readonly branch: 'then' | 'else';
}

/** The refusals that a call of the callback may be. */
function answersOf({ arguments: [first, second] }: CallExpression, values: Values): Answer[] {
  return branches(first, [], values).flatMap(({ node, tests }) => {
    const refusal = node && refusalOf(node);
    if (refusal !== undefined) return [{ answer: refusal, tests }];
    const isNoError = node === undefined || isConstant(node, values);
    return isNoError && (second === undefined || isConstant(second, values)) ? [{ answer: NOBODY, tests }] : [];
  });
}

/** What an expression may be, with the conditions for it. Names are followed to their constants. */
function branches(
  node: Node | undefined,
  tests: readonly Branch[],
  values: Values,
): { node: Node | undefined; tests: readonly Branch[] }[] {
  if (node === undefined) return [{ node, tests }];
  const inner = unwrap(node);
  if (inner.type === 'ConditionalExpression') {
    return [
      ...branches(inner.consequent, [...tests, { test: inner.test, branch: 'then' }], values),
      ...branches(inner.alternate, [...tests, { test: inner.test, branch: 'else' }], values),
    ];
  }
  // err || new WrongUsernameOrPasswordError(): if there is a failure, the callback gets the error itself.
  if (inner.type === 'LogicalExpression' && inner.operator !== '&&')
    return branches(inner.right, [...tests, { test: inner.left, branch: 'else' }], values);
  if (inner.type === 'LogicalExpression')
    return branches(inner.right, [...tests, { test: inner.left, branch: 'then' }], values);
  if (inner.type === 'Identifier' && inner.name !== 'undefined') {
    const variable = values.variable(inner);
    const definition = variable?.defs[0]?.node;
    const isConstant = variable?.references.filter((reference) => reference.isWrite()).length === 1;
    if (isConstant && definition?.type === 'VariableDeclarator' && definition.init)
      return branches(definition.init, tests, values);
  }
  return [{ node: inner, tests }];
}

function refusalOf(node: Node): string | undefined {
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return undefined;
  const callee = unwrap(node.callee as Node);
  const name = callee.type === 'Identifier' ? callee.name : (nameOf(callee) ?? '');
  return Object.hasOwn(REFUSALS, name) ? REFUSALS[name] : undefined;
}

function isConstant(node: Node, values: Values): boolean {
  const value = values.of(node);
  return value.kind === 'constant' && (value.value === null || typeof value.value !== 'number');
}

/** Why the callback is called here, if the reason is a failure that nobody checks. */
function causeOf(
  node: Node,
  tests: readonly Branch[],
  main: AnyFunction,
  values: Values,
): 'outage' | 'status' | undefined {
  const found = enclosingFunction(node);
  if (found === undefined) return undefined;
  const around = [...tests, ...branchesAround(node, found)];
  // A function that gets an error first: if (err) return callback(…)
  const error = found === main ? undefined : errorParameter(found);
  const call = parentOf(found);
  const isLocal = call !== undefined && isLocalCall(call, values);
  const isExcluded = error !== undefined && around.some(({ test, branch }) => excludes(test, branch, error));
  if (error !== undefined && !isLocal && !isExcluded && !asksWhatItIs(found.body, error)) {
    if (around.some(({ test, branch }) => outcomeOfError(test, error) === branch)) return 'outage';
    if (isFailureHandler(found, values)) return 'outage';
  }
  if (error === undefined && found !== main && isFailureHandler(found, values) && !asks(found)) return 'outage';
  if (isInCatch(node, found, values)) return 'outage';
  // A thrown-away error leaves a missing value: catch (error) {} if (!user) return callback(…)
  const lost = lostVariables(found, values);
  if (around.some(({ test, branch }) => branch === 'then' && [...lost].some((name) => passesWithout(test, name))))
    return 'outage';
  const byStatus = around.find(({ test, branch }) => outcomeOfStatus(test) === branch);
  return byStatus !== undefined && !asksAboutStatusElsewhere(found.body, byStatus.test) ? 'status' : undefined;
}

/** Whether there is certainly no error at this point: after `if (err) return callback(err)`, and to the right of `err ||`. */
function excludes(test: Node, branch: Branch['branch'], error: string): boolean {
  const outcome = outcomeOfError(test, error);
  return outcome !== undefined && outcome !== branch;
}

/** Whether a handler whose parameter has another name looks at it. */
function asks({ params: [first], body }: AnyFunction): boolean {
  return first?.type === 'Identifier' ? asksWhatItIs(body, first.name) : first !== undefined;
}

/** The conditions under which a node is reached in its function: those around it, and those that returned before it. */
function branchesAround(node: Node, within: AnyFunction): Branch[] {
  const found: Branch[] = [];
  let inner = node;
  for (const up of ancestors(node)) {
    if (up === within) break;
    if (up.type === 'IfStatement' || up.type === 'ConditionalExpression') {
      if (up.consequent === inner) found.push({ test: up.test, branch: 'then' });
      if (up.alternate === inner) found.push({ test: up.test, branch: 'else' });
    }
    if (up.type === 'LogicalExpression' && up.right === inner && up.operator !== '??')
      found.push({ test: up.left, branch: up.operator === '&&' ? 'then' : 'else' });
    if (up.type === 'BlockStatement') {
      for (const statement of up.body) {
        if (statement === inner) break;
        if (statement.type === 'IfStatement' && leaves(statement.consequent) && !statement.alternate)
          found.push({ test: statement.test, branch: 'else' });
      }
    }
    inner = up;
  }
  return found;
}

/** In a `catch` that ignores its error, of a `try` that waits for another machine. */
function isInCatch(node: Node, within: AnyFunction, values: Values): boolean {
  for (const up of ancestors(node)) {
    if (up === within) return false;
    if (up.type !== 'CatchClause') continue;
    const statement = parentOf(up);
    if (statement?.type !== 'TryStatement') return false;
    const name = up.param?.type === 'Identifier' ? up.param.name : undefined;
    return waits(statement.block, values) && (up.param ? name !== undefined && !asksWhatItIs(up.body, name) : true);
  }
  return false;
}
