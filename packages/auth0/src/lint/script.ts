import type { Node, Program } from 'estree';
import { databaseRolesOf, findRoles, type ScriptShape } from '../run/find-roles.ts';
import { databaseScripts, type Role } from '../run/roles.ts';
import { type AnyFunction, isFunction, nameOf, unwrap } from './ast.ts';

/** What a file is for Auth0. `other`: any JavaScript. */
export type ScriptKind = 'database-script' | 'action' | 'rule' | 'hook' | 'other';

export interface Script {
  readonly kind: ScriptKind;
  /** The function that Auth0 calls with a callback, as its last parameter. */
  readonly main?: AnyFunction;
}

const KINDS: Readonly<Record<Role['kind'], ScriptKind>> = {
  database: 'database-script',
  action: 'action',
  rule: 'rule',
  hook: 'hook',
};

/** The folders of the Deploy CLI. Files in them are scripts, whatever they look like. */
const FOLDERS: readonly (readonly [RegExp, ScriptKind])[] = [
  [
    new RegExp(
      `(?:^|/)(?:database-connections|databases)/[^/]+/(?:${Object.keys(databaseScripts).join('|')})\\.[cm]?[jt]s$`,
    ),
    'database-script',
  ],
  [/(?:^|\/)(?:actions|action-modules)\/[^/]+\/code\.[cm]?[jt]s$/, 'action'],
];

const CALLBACK = /^(?:callback|cb|done|next)$/;

/** A function at the top of a file, with the name that it goes by. */
interface TopFunction {
  readonly node: AnyFunction;
  readonly name: string | undefined;
}

/** @param given what the caller says the file is */
export function scriptOf(program: Program, filename: string, given?: ScriptKind): Script {
  const path = filename.replaceAll('\\', '/');
  const functions = program.body.flatMap(functionsOf);
  const kind = given ?? FOLDERS.find(([pattern]) => pattern.test(path))?.[1];
  const found = detect(program, path, functions);
  if (kind === undefined) return found;
  const takesAny = kind === 'database-script' || kind === 'rule';
  const main =
    found.main ?? (takesAny ? functions.find(({ node }) => lastParameter(node) !== undefined)?.node : undefined);
  return main === undefined ? { kind } : { kind, main };
}

/** What a file is, by its name and its functions, as the runner sees it. A file of any other program is `other`. */
function detect(program: Program, path: string, functions: readonly TopFunction[]): Script {
  const { exported, moduleExport } = exportsOf(program.body, functions);
  if (exported.some((name) => /^on(?:Execute|Continue)[A-Z]/.test(name))) return { kind: 'action' };
  const shape: ScriptShape = {
    ...{ file: path, exported, triggerId: undefined },
    functions: functions.map(({ node, name }) => ({ name, parameters: node.params.map(parameterName) })),
    moduleExport: moduleExport && { name: undefined, parameters: moduleExport.params.map(parameterName) },
  };
  const roles = findRoles(shape);
  const [role] = roles;
  if (moduleExport !== undefined)
    return role?.kind === 'hook' && lastParameter(moduleExport)
      ? { kind: 'hook', main: moduleExport }
      : { kind: 'other' };
  if (exported.length > 0 || program.body.some(isOfModule)) return { kind: 'other' };
  const main = mainOf(functions, roles);
  if (role !== undefined && main !== undefined) return { kind: KINDS[role.kind], main };
  // A function that no program can call: only Auth0 keeps such a file.
  const [sole, ...others] = functions;
  const isBare = sole?.name === undefined && others.length === 0 && program.body.length === 1;
  return isBare &&
    sole !== undefined &&
    lastParameter(sole.node) &&
    /^(?:email|userNameOrEmail|identifierValue|user|id)$/.test(parameterName(sole.node.params[0]))
    ? { kind: 'database-script', main: sole.node }
    : { kind: 'other' };
}

/** The function of a script: the one with a known name, or the only one whose parameters fit. */
function mainOf(functions: readonly TopFunction[], roles: readonly Role[]): AnyFunction | undefined {
  const withCallback = functions.filter(({ node }) => lastParameter(node) !== undefined && !isWebHandler(node));
  const named =
    withCallback.find(({ name }) =>
      databaseRolesOf(name).some((own) => roles.some((role) => role.name === own.name)),
    ) ?? withCallback.find(({ name }) => databaseRolesOf(name).length > 0);
  if (named !== undefined) return named.node;
  const [only, ...others] = withCallback;
  const fits = only !== undefined && others.length === 0 && roles.some((role) => hasParameters(only.node, role));
  return fits ? only.node : undefined;
}

/** (req, res, next) => … */
function isWebHandler({ params }: AnyFunction): boolean {
  return /^(?:req|request|ctx)$/.test(parameterName(params[0]));
}

/** As many parameters as the platform passes, with a context or without. */
function hasParameters({ params }: AnyFunction, { kind, name }: Role): boolean {
  const own = kind === 'database' ? (databaseScripts[name]?.parameters.length ?? 0) : 2;
  const names = params.map(parameterName);
  return names.length === own + 1 || (names.length === own + 2 && /^(?:context|ctx)$/.test(names.at(-2) ?? ''));
}

function functionsOf(statement: Node): TopFunction[] {
  if (isFunction(statement)) return [named(statement)];
  if (statement.type === 'ExpressionStatement') {
    const expression = unwrap(statement.expression);
    return isFunction(expression) ? [named(expression)] : [];
  }
  if (statement.type !== 'VariableDeclaration') return [];
  return statement.declarations.flatMap(({ id, init }) => {
    const value = init ? unwrap(init) : undefined;
    return id.type === 'Identifier' && isFunction(value) ? [{ node: value, name: id.name }] : [];
  });
}

function named(node: AnyFunction): TopFunction {
  return { node, name: node.type === 'ArrowFunctionExpression' ? undefined : node.id?.name };
}

function parameterName(parameter: Node | undefined): string {
  const inner = parameter?.type === 'AssignmentPattern' ? parameter.left : parameter;
  return inner?.type === 'Identifier' ? inner.name : '…';
}

/** The name of the callback. */
function lastParameter({ params }: AnyFunction): string | undefined {
  const last = params.at(-1);
  return params.length > 1 && last?.type === 'Identifier' && CALLBACK.test(last.name) ? last.name : undefined;
}

interface Exports {
  readonly exported: string[];
  readonly moduleExport: AnyFunction | undefined;
}

/** `exports.onExecutePostLogin = …` and `export const onExecutePostLogin = …` of an Action; `module.exports = function …` of a Hook. */
function exportsOf(body: Program['body'], functions: readonly TopFunction[]): Exports {
  const exported: string[] = [];
  let moduleExport: AnyFunction | undefined;
  for (const statement of body) {
    if (statement.type === 'ExportNamedDeclaration' && statement.declaration)
      exported.push(...declaredNames(statement.declaration));
    if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression') continue;
    const { left, right } = statement.expression;
    if (left.type !== 'MemberExpression') continue;
    const name = nameOf(left);
    const owner = left.object.type === 'Identifier' ? left.object.name : nameOf(left.object as Node);
    if (owner === 'exports' && name !== undefined) exported.push(name);
    if (owner !== 'module' || name !== 'exports') continue;
    const value = unwrap(right);
    moduleExport = isFunction(value)
      ? value
      : functions.find((found) => value.type === 'Identifier' && found.name === value.name)?.node;
    if (moduleExport === undefined) exported.push('exports');
  }
  return { exported, moduleExport };
}

function declaredNames(declaration: Node): string[] {
  if (declaration.type === 'VariableDeclaration')
    return declaration.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
  return isFunction(declaration) && declaration.type === 'FunctionDeclaration' ? [declaration.id.name] : [];
}

function isOfModule({ type }: Node): boolean {
  return /^(?:Import|Export).*Declaration$/.test(type);
}

/** The name of the callback of a script's function. */
export function callbackOf(main: AnyFunction): string {
  return lastParameter(main) ?? 'callback';
}
