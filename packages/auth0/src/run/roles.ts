import { triggers } from './triggers.ts';

/** What a script is to the platform. */
export interface Role {
  readonly kind: ScriptKind;
  /** The key of a database script, the trigger of an Action, the extension point of a Hook; `rule`. */
  readonly name: string;
  /** The exported function of an Action. */
  readonly handler?: string;
}

export type ScriptKind = 'database' | 'action' | 'rule' | 'hook';

/** A custom database script. */
export interface DatabaseScript {
  /** The names that its function may have. */
  readonly functions: readonly string[];
  /** The arguments before `context`, if the connection enables it, and before `callback`. */
  readonly parameters: readonly string[];
}

/** By their key in `options.customScripts`. The last two are not documented: their parameters are a guess. */
export const databaseScripts: Readonly<Record<string, DatabaseScript>> = {
  login: { functions: ['login'], parameters: ['userNameOrEmail', 'password'] },
  get_user: { functions: ['getUser', 'getByEmail', 'get_user'], parameters: ['email'] },
  create: { functions: ['create'], parameters: ['user'] },
  verify: { functions: ['verify'], parameters: ['email'] },
  change_password: { functions: ['changePassword', 'change_password'], parameters: ['email', 'newPassword'] },
  delete: { functions: ['deleteUser', 'remove', 'delete'], parameters: ['id'] },
  change_email: { functions: ['changeEmail', 'change_email'], parameters: ['email', 'newEmail', 'verified'] },
  change_username: { functions: ['changeUsername', 'change_username'], parameters: ['username', 'newUsername'] },
  change_phone_number: {
    functions: ['changePhoneNumber', 'change_phone_number'],
    parameters: ['phoneNumber', 'newPhoneNumber', 'verified'],
  },
};

/** Hooks, by extension point: the arguments before the callback. */
export const hookPoints: Readonly<Record<string, readonly string[]>> = {
  'credentials-exchange': ['client', 'scope', 'audience', 'context'],
  'pre-user-registration': ['user', 'context'],
  'post-user-registration': ['user', 'context'],
  'post-change-password': ['user', 'context'],
  'send-phone-message': ['recipient', 'text', 'context'],
  'password-exchange': ['user', 'client', 'scope', 'audience', 'context'],
};

export const ruleParameters: readonly string[] = ['user', 'context'];

/** Every role, as `--as` spells it. */
export const roleNames: readonly string[] = [
  ...Object.keys(databaseScripts),
  'rule',
  ...Object.keys(triggers).map((name) => `action:${name}`),
  ...Object.keys(hookPoints).map((name) => `hook:${name}`),
];

/** Reads `login`, `rule`, `action:post-login` (or `post-login`), `hook:send-phone-message`. undefined: not one of {@link roleNames}. */
export function parseRole(text: string): Role | undefined {
  const [, kind, name = ''] = /^(?:(database|action|hook|rule):)?(.+)$/.exec(text) ?? [];
  const isIn = (table: object): boolean => Object.hasOwn(table, name);
  if ((kind === undefined || kind === 'rule') && name === 'rule') return { kind: 'rule', name };
  if ((kind === undefined || kind === 'database') && isIn(databaseScripts)) return { kind: 'database', name };
  const trigger = triggers[name];
  const isTrigger = isIn(triggers) && trigger !== undefined;
  // A trigger and an extension point may share a name. Then the kind must be given.
  if (isTrigger && (kind === 'action' || (kind === undefined && !isIn(hookPoints)))) {
    return { kind: 'action', name, handler: trigger.handlers[0] };
  }
  if (isIn(hookPoints) && (kind === 'hook' || (kind === undefined && !isTrigger))) return { kind: 'hook', name };
  return undefined;
}

export function formatRole({ kind, name }: Role): string {
  return kind === 'action' || kind === 'hook' ? `${kind}:${name}` : name;
}
