import { defaultEvents, defaultRuleContext, defaultUser, type Json, type JsonObject, mergeJson } from './events.ts';
import { hookArguments, hookContexts, hookUsers } from './hook-arguments.ts';
import { databaseScripts, hookPoints, type Role } from './roles.ts';
import { RunError } from './run-error.ts';

/** What a script is called with. */
export interface ScriptArguments {
  /**
   * The arguments of a database script or a Hook by name: `email` (or `userNameOrEmail`, `user`), `password`, `newPassword`, `newEmail`,
   * `id`, `verified`, `client`, `scope`, `audience`, `recipient`, `text`. For a Rule, a Hook and an Action, `email` says who logs in. A
   * name that the script does not take is an error.
   */
  readonly args?: JsonObject;
  /** The user of a Rule, a Hook or `create`. It overrides parts of a default. */
  readonly user?: JsonObject;
  /** The context. For a Rule or a Hook, it overrides parts of a default. A database script gets it unchanged. */
  readonly context?: JsonObject;
  /** The event of an Action. It overrides parts of a default. */
  readonly event?: JsonObject;
  /** `event.secrets` of an Action, `context.webtask.secrets` of a Hook. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Other names for the first argument of a database script, and for the user who logs in. */
export const whoever: readonly string[] = [
  ...['userNameOrEmail', 'email', 'user', 'username', 'identifierValue', 'phoneNumber'],
];

/** What a sign-up passes to `create`. */
export const newUserNames: readonly string[] = [
  ...['client_id', 'tenant', 'email', 'password', 'username', 'phone_number', 'connection', 'user_metadata'],
  'app_metadata',
];

/**
 * The arguments before the callback, in order.
 *
 * @throws RunError `ERR_ARGUMENT_MISSING`
 */
export function toArguments(role: Role, withContext: boolean, given: ScriptArguments): Json[] {
  if (role.kind === 'action') return [toEvent(role.name, given)];
  if (role.kind === 'rule') return [toUser(defaultUser, given), mergeJson(defaultRuleContext, given.context ?? {})];
  if (role.kind === 'hook') return (hookPoints[role.name] ?? []).map((name) => toHookArgument(role.name, name, given));
  const { parameters = [] } = databaseScripts[role.name] ?? {};
  const values = parameters.map((_, index) => toDatabaseArgument(role.name, index, given));
  return withContext ? [...values, given.context ?? {}] : values;
}

/** The names under which an argument of a database script can be given. The script's own name comes first. */
export function namesOf(key: string, index: number): readonly string[] {
  const name = databaseScripts[key]?.parameters[index] ?? '';
  if (index === 0 && key !== 'delete') return [...new Set([name, ...whoever])];
  return name === 'newPassword' ? [name, 'password'] : [name];
}

function toEvent(trigger: string, { args = {}, event = {}, secrets = {} }: ScriptArguments): JsonObject {
  const usual = defaultEvents[trigger] ?? {};
  const laid = mergeJson(usual, event);
  const user = laid.user === undefined ? {} : { user: mergeJson(laid.user as JsonObject, identityOf(args)) };
  return mergeJson({ ...laid, ...user }, { secrets });
}

function toUser(usual: JsonObject, { user = {}, args = {} }: ScriptArguments): JsonObject {
  return mergeJson(mergeJson(usual, user), identityOf(args));
}

/** Who logs in, as a profile says it. */
function identityOf(args: JsonObject): JsonObject {
  const who = whoever.map((name) => args[name]).find((value) => value !== undefined);
  if (typeof who !== 'string') return typeof who === 'object' ? (who as JsonObject) : {};
  const [local = ''] = who.split('@');
  return who.includes('@') ? { email: who, name: who, nickname: local } : { username: who, nickname: who };
}

function toHookArgument(point: string, name: string, given: ScriptArguments): Json {
  const { args = {}, context = {}, secrets = {} } = given;
  if (name === 'context') return mergeJson({ ...hookContexts[point], webtask: { secrets } }, context);
  if (name === 'user') return toUser(hookUsers[point] ?? {}, given);
  return args[name] ?? hookArguments[name] ?? null;
}

function toDatabaseArgument(key: string, index: number, given: ScriptArguments): Json {
  const { args = {} } = given;
  if (key === 'create') return toNewUser(given);
  const [name = '', ...others] = namesOf(key, index);
  const found = [name, ...others].map((candidate) => args[candidate]).find((value) => value !== undefined);
  if (found !== undefined) return found;
  if (name === 'verified') return true;
  throw missingArgument(key, name);
}

/** What a sign-up form passes on: the password is plain text. */
function toNewUser({ args: { user: who, ...args } = {}, user = {} }: ScriptArguments): JsonObject {
  const given = mergeJson(
    mergeJson(user, typeof who === 'string' ? { email: who } : ((who ?? {}) as JsonObject)),
    args,
  );
  for (const name of ['email', 'password']) if (given[name] === undefined) throw missingArgument('create', name);
  const defaults = {
    client_id: 'client-id',
    tenant: 'example',
    connection: 'users',
    user_metadata: {},
    app_metadata: {},
  };
  return mergeJson(defaults, given);
}

function missingArgument(key: string, name: string): RunError {
  return new RunError(
    'ERR_ARGUMENT_MISSING',
    `${key} needs ${name}`,
    whoever.includes(name) ? '--user NAME' : `--arg ${name}=VALUE`,
    name,
  );
}
