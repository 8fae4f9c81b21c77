import { MAX_SCRIPT_BYTES } from '../platform/script-size.ts';
import type { Json, JsonObject } from './events.ts';
import { adviseOnMissing } from './missing.ts';
import { adviseOnGlobal, judgeModule } from './modules.ts';
import type { RunRecord } from './record.ts';
import type { ClientView, LogEntry, Outcome, RunResult, SerializedError } from './result.ts';
import { databaseScripts, hookPoints, type Role, ruleParameters } from './roles.ts';
import type { Source } from './source.ts';
import { adviseOnFailure } from './symptoms.ts';
import { refusals } from './triggers.ts';

/** Bytes of a script, without its modules: Auth0's limit. */

/** Problems of a script that are visible before it runs. */
export function judgeSource(
  source: Source,
  role: Role,
  withContext: boolean,
  context: boolean,
  record: RunRecord,
): void {
  if (source.bytes > MAX_SCRIPT_BYTES) {
    record.find(
      'too-large',
      `the script has ${source.bytes} bytes; the platform takes 100 kB (${MAX_SCRIPT_BYTES} bytes)`,
    );
  }
  if (role.kind !== 'database' && role.kind !== 'rule') return;
  if (source.form === 'statements') {
    const message =
      'the script is more than one function; the platform takes one bare function, with everything else inside it';
    record.find('not-one-function', message);
  }
  if (source.trailingSemicolon) {
    const message = 'a semicolon follows the function; the platform puts the script into an expression';
    if (role.kind === 'rule') record.find('trailing-semicolon', message);
    else record.warn('trailing-semicolon', message);
  }
  if (role.kind === 'database' && context && !withContext) {
    record.warn('context-unused', 'a context is given, and the function has no context parameter before the callback');
  }
  const expected = parametersOf(role).length + 1 + (withContext ? 1 : 0);
  const actual = entryOf(source, role)?.parameters;
  if (actual !== undefined && actual.length !== expected && !actual.includes('…')) {
    const message = `the function has ${actual.length} parameters (${actual.join(', ')}); it is called with ${expected}, the callback last`;
    record.find('signature', message);
  }
}

function parametersOf({ kind, name }: Role): readonly string[] {
  if (kind === 'database') return databaseScripts[name]?.parameters ?? [];
  return kind === 'rule' ? ruleParameters : (hookPoints[name] ?? []);
}

/** The function of a script that is called: by its name, or the last one at the top. */
export function entryOf({ form, functions }: Source, role: Role): Source['functions'][number] | undefined {
  if (form === 'expression') return functions[0];
  const names = role.kind === 'database' ? (databaseScripts[role.name]?.functions ?? []) : [];
  return functions.find(({ name }) => name !== undefined && names.includes(name)) ?? functions.at(-1);
}

/** Whether the function of a database script has a parameter for the context before the callback. */
export function takesContext(source: Source, role: Role): boolean {
  return role.kind === 'database' && (entryOf(source, role)?.parameters.length ?? 0) > parametersOf(role).length + 1;
}

/** Everything of a result except what only the container knows. */
export type JudgedOutcome = Pick<RunResult, 'status' | 'outcome' | 'client' | 'log'>;

/** Reads what happened as the platform would. */
export function judgeOutcome(role: Role, text: string, values: readonly Json[], record: RunRecord): JudgedOutcome {
  for (const module of record.modules)
    for (const { code, message } of judgeModule(role.kind, module)) record.warn(code, message);
  const outcome: Outcome = record.outcome ?? { type: 'none', reason: 'exited' };
  const error = errorOf(outcome);
  // A module that the platform does not have is not installed here either. Its own message comes first.
  const isRemoved =
    error?.code === 'MODULE_NOT_FOUND' &&
    record.warnings.some(({ code }) => code === 'module-removed' || code === 'module-not-offered');
  const advice =
    error === null || isRemoved ? undefined : (adviseOnGlobal(error.message ?? '') ?? adviseOnFailure(error));
  if (advice !== undefined) record.warn('advice', advice);
  if (outcome.type === 'callback' && outcome.error === null) judgeValues(role, outcome.values, record);
  const missing = error === null ? undefined : adviseOnMissing(role, text, values, error);
  if (missing !== undefined) record.warn('advice', missing);
  const status = statusOf(role, outcome, record);
  return { status, outcome, client: viewOf(role, outcome, record), log: logOf(role, outcome) };
}

function errorOf(outcome: Outcome): SerializedError | null {
  return outcome.type === 'callback' || outcome.type === 'exception' ? outcome.error : null;
}

/** Errors by which a script says no on purpose. */
const refusalNames: readonly string[] = [
  ...['WrongUsernameOrPasswordError', 'ValidationError', 'UnauthorizedError', 'PreUserRegistrationError'],
  ...['InvalidScopeError', 'InvalidRequestError'],
];

function statusOf(role: Role, outcome: Outcome, { calls, findings }: RunRecord): RunResult['status'] {
  if (outcome.type === 'none' || outcome.type === 'exception') return 'error';
  if (outcome.type === 'returned') return calls.some(({ method }) => refusals.includes(method)) ? 'refused' : 'success';
  if (outcome.error !== null) return refusalNames.includes(outcome.error.name ?? '') ? 'refused' : 'error';
  if (findings.some(({ code }) => code === 'profile')) return 'error';
  const says = role.kind === 'database' && ['verify', 'change_password', 'change_email'].includes(role.name);
  return says && outcome.values[0] === false ? 'refused' : 'success';
}

/** A profile must have a `user_id` that is a string. login must return a profile; get_user may return nothing. */
function judgeValues(role: Role, values: readonly Json[], record: RunRecord): void {
  const value = values[0] ?? null;
  if (role.kind === 'rule' && values.length < 2) {
    record.find('rule-values', 'a Rule hands on user and context: callback(null, user, context)');
  }
  if (role.kind !== 'database' || (role.name !== 'login' && role.name !== 'get_user')) return;
  if (value === null) {
    if (role.name === 'login') record.find('profile', 'login called back without an error and without a profile');
    return;
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    record.find('profile', 'the profile is not an object');
    return;
  }
  const profile = value as JsonObject;
  if (profile.user_id === undefined || profile.user_id === null || profile.user_id === '') {
    record.find('profile', 'the profile has no user_id');
  } else if (typeof profile.user_id !== 'string') {
    record.warn(
      'profile-user-id',
      `user_id is a ${typeof profile.user_id}; make it a string, and prefix it: it is unique over all connections`,
    );
  }
  if (profile.email === undefined && profile.username === undefined && profile.phone_number === undefined) {
    record.warn('profile-identifier', 'the profile has neither email nor username nor phone_number');
  }
}

/** What the platform tells the OAuth client. */
function viewOf({ kind, name }: Role, outcome: Outcome, { calls }: RunRecord): ClientView | null {
  if (kind === 'action') {
    const refusal = calls.find(({ method }) => refusals.includes(method) && !method.startsWith('notification.'));
    if (refusal === undefined) return null;
    const texts = refusal.arguments.map((value) => (typeof value === 'string' ? value : ''));
    const hasCode =
      refusal.method === 'validation.error' || (refusal.method === 'access.deny' && /exchange$/.test(name));
    const [error = '', description = ''] = hasCode ? texts : [codeOf(refusal.method), texts[0]];
    return { error, error_description: description, basis: 'emulated' };
  }
  if (outcome.type !== 'callback' || outcome.error === null) return null;
  const { error } = outcome;
  const error_description = error.message ?? '';
  if (kind === 'database' && name === 'login') {
    const basis = error.name === 'WrongUsernameOrPasswordError' ? 'emulated' : 'documented';
    return { error: 'invalid_grant', error_description, basis };
  }
  if (kind === 'rule') {
    const denied = error.name === 'UnauthorizedError' ? 'unauthorized' : 'access_denied';
    return { error: denied, error_description, basis: 'emulated' };
  }
  return null;
}

function codeOf(method: string): string {
  return method === 'access.rejectInvalidSubjectToken' ? 'invalid_request' : 'access_denied';
}

/** A wrong password is `fp` and names the user. An unknown user is `fu` and names nobody. A refused sign-up is `fs`. */
function logOf({ kind, name }: Role, outcome: Outcome): LogEntry | null {
  const error = errorOf(outcome);
  if (kind !== 'database' || error === null) return null;
  if (name === 'login' && error.name === 'WrongUsernameOrPasswordError') {
    return error.user_id ? { type: 'fp', user_id: `auth0|${error.user_id}` } : { type: 'fu', user_id: null };
  }
  return name === 'create' && error.name === 'ValidationError' ? { type: 'fs', user_id: null } : null;
}
