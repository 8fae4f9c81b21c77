import type { Node, Program } from 'estree';
import { type AnyFunction, isFunction, nameOf, unwrap } from './ast.ts';

/** What a file is for Auth0. `other`: any JavaScript. */
export type ScriptKind = 'database-script' | 'action' | 'rule' | 'hook' | 'other';

export interface Script {
  readonly kind: ScriptKind;
  /** The function that Auth0 calls with a callback, as its last parameter. */
  readonly main?: AnyFunction;
}

/** The folders of the Deploy CLI. */
const FOLDERS: readonly (readonly [RegExp, ScriptKind])[] = [
  [
    /(?:^|\/)(?:database-connections|databases)\/[^/]+\/(?:login|get_user|create|verify|change_password|delete|change_email|change_username|change_phone_number)\.js$/,
    'database-script',
  ],
  [/(?:^|\/)(?:actions|action-modules)\/[^/]+\/code\.js$/, 'action'],
];

/** The functions of custom database scripts, by the names that Auth0's templates give them. */
const DATABASE_FUNCTION =
  /^(?:login|getUser|getByEmail|create|verify|changePassword|deleteUser|remove|delete|changeEmail|changeUsername|changePhoneNumber)$/;

const CALLBACK = /^(?:callback|cb|done|next)$/;

export function scriptOf(program: Program, filename: string, given?: ScriptKind): Script {
  const path = filename.replaceAll('\\', '/');
  const byPath = given ?? FOLDERS.find(([pattern]) => pattern.test(path))?.[1];
  const byContent = scriptByContent(program, byPath);
  if (byPath === undefined) return byContent;
  return byContent.main === undefined ? { kind: byPath } : { kind: byPath, main: byContent.main };
}

function scriptByContent({ body }: Program, expected: ScriptKind | undefined): Script {
  for (const statement of body) {
    const exported = exportedFunction(statement);
    if (exported !== undefined) return exported;
  }
  const functions = body.map(functionOf).filter((found) => found !== undefined);
  const main = functions.find((found) => isMain(found, expected === 'database-script' || expected === 'rule'));
  const sole = body.length === 1 ? functions[0] : undefined;
  if (main !== undefined) return { kind: 'database-script', main };
  if (sole === undefined || lastParameter(sole) === undefined) return { kind: 'other' };
  const names = sole.params.map((parameter) => (parameter.type === 'Identifier' ? parameter.name : ''));
  if (/^user,context,(?:callback|cb|done|next)$/.test(names.join())) return { kind: 'rule', main: sole };
  const isAnonymous = sole.type !== 'ArrowFunctionExpression' && !sole.id;
  return isAnonymous && /^(?:email|userNameOrEmail|identifierValue|user|id)$/.test(names[0] ?? '')
    ? { kind: 'database-script', main: sole }
    : { kind: 'other' };
}

function functionOf(statement: Node): AnyFunction | undefined {
  if (isFunction(statement)) return statement;
  if (statement.type !== 'ExpressionStatement') return undefined;
  const expression = unwrap(statement.expression);
  return isFunction(expression) ? expression : undefined;
}

function isMain(found: AnyFunction, anyName: boolean): boolean {
  const name = found.type === 'ArrowFunctionExpression' ? undefined : found.id?.name;
  return lastParameter(found) !== undefined && (anyName || DATABASE_FUNCTION.test(name ?? ''));
}

/** The name of the callback. */
function lastParameter({ params }: AnyFunction): string | undefined {
  const last = params.at(-1);
  return params.length > 1 && last?.type === 'Identifier' && CALLBACK.test(last.name) ? last.name : undefined;
}

/** `exports.onExecutePostLogin = async (event, api) => …` of an Action; `module.exports = function (…, cb)` of a Hook. */
function exportedFunction(statement: Node): Script | undefined {
  if (statement.type !== 'ExpressionStatement') return undefined;
  const { expression } = statement;
  if (expression.type !== 'AssignmentExpression' || expression.left.type !== 'MemberExpression') return undefined;
  const name = nameOf(expression.left);
  if (/^on(?:Execute|Continue)[A-Z]/.test(name ?? '')) return { kind: 'action' };
  const isHook =
    name === 'exports' &&
    isFunction(expression.right) &&
    lastParameter(expression.right) !== undefined &&
    expression.right.params.some((parameter) => parameter.type === 'Identifier' && parameter.name === 'context');
  return isHook ? { kind: 'hook', main: expression.right as AnyFunction } : undefined;
}

/** The name of the callback of a script's function. */
export function callbackOf(main: AnyFunction): string {
  return lastParameter(main) ?? 'callback';
}
