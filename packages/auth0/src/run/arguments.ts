import { defaultEvents, defaultRuleContext, defaultUser, type Json, type JsonObject, mergeJson } from './events.ts';
import { databaseScripts, hookPoints, type Role } from './roles.ts';
import { RunError } from './run-error.ts';

/** What a script is called with. */
export interface ScriptArguments {
  /**
   * The arguments of a database script or a Hook by name: `email` (or `userNameOrEmail`, `user`), `password`, `newPassword`,
   * `newEmail`, `id`, `verified`; `client`, `scope`, `audience`, `recipient`, `text`.
   */
  readonly args?: JsonObject;
  /** The user of a Rule, a Hook or `create`, laid over a default. */
  readonly user?: JsonObject;
  /** The context of a Rule or a Hook, laid over a default; of a database script, as it is. */
  readonly context?: JsonObject;
  /** The event of an Action, laid over a default. */
  readonly event?: JsonObject;
  /** `event.secrets` of an Action, `context.webtask.secrets` of a Hook. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Other names for the first argument of a database script. */
const whoever = ['userNameOrEmail', 'email', 'user', 'username', 'identifierValue', 'phoneNumber'];

/**
 * The arguments before the callback, in order.
 *
 * @throws RunError `ERR_ARGUMENT_MISSING`
 */
export function toArguments(role: Role, withContext: boolean, given: ScriptArguments): Json[] {
  if (role.kind === 'action') return [toEvent(role.name, given)];
  if (role.kind === 'rule') return [toUser(given), mergeJson(defaultRuleContext, given.context ?? {})];
  if (role.kind === 'hook') return (hookPoints[role.name] ?? []).map((name) => toHookArgument(name, given));
  const { parameters = [] } = databaseScripts[role.name] ?? {};
  const values = parameters.map((name, index) => toDatabaseArgument(role.name, name, index, given));
  return withContext ? [...values, given.context ?? {}] : values;
}

function toEvent(trigger: string, { event = {}, secrets = {} }: ScriptArguments): JsonObject {
  return mergeJson(mergeJson(defaultEvents[trigger] ?? {}, event), { secrets });
}

function toUser({ user = {}, args = {} }: ScriptArguments): JsonObject {
  const { email } = args;
  return mergeJson(mergeJson(defaultUser, typeof email === 'string' ? { email } : {}), user);
}

function toHookArgument(name: string, given: ScriptArguments): Json {
  const { args = {}, context = {}, secrets = {} } = given;
  if (name === 'context') return mergeJson({ webtask: { secrets }, connection: { name: 'users' } }, context);
  if (name === 'user') return toUser(given);
  const defaults: JsonObject = {
    client: { id: 'client-id', name: 'Example application', tenant: 'example', metadata: {} },
    scope: [],
    audience: 'https://api.example.com',
    recipient: '+15550100',
    text: '123456 is your code',
  };
  return args[name] ?? defaults[name] ?? null;
}

function toDatabaseArgument(key: string, name: string, index: number, given: ScriptArguments): Json {
  const { args = {} } = given;
  if (key === 'create') return toNewUser(given);
  const names =
    index === 0 && key !== 'delete' ? [name, ...whoever] : [name, ...(name === 'newPassword' ? ['password'] : [])];
  const found = names.map((candidate) => args[candidate]).find((value) => value !== undefined);
  if (found !== undefined) return found;
  if (name === 'verified') return true;
  throw missingArgument(key, name);
}

/** What a sign-up form hands over: the password is plain text. */
function toNewUser({ args = {}, user = {} }: ScriptArguments): JsonObject {
  const { email = user.email, password = user.password } =
    args.user === undefined ? args : { ...args, email: args.user };
  if (email === undefined || password === undefined) {
    throw missingArgument('create', email === undefined ? 'email' : 'password');
  }
  const defaults = {
    client_id: 'client-id',
    tenant: 'example',
    connection: 'users',
    user_metadata: {},
    app_metadata: {},
  };
  return mergeJson({ ...defaults, email, password }, user);
}

function missingArgument(key: string, name: string): RunError {
  return new RunError(
    'ERR_ARGUMENT_MISSING',
    `${key} needs ${name}`,
    whoever.includes(name) ? '--user NAME' : `--arg ${name}=VALUE`,
    name,
  );
}
