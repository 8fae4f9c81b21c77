import { namesOf, newUserNames, whoever } from './arguments.ts';
import { defaultEvents } from './events.ts';
import { takesContext } from './judge.ts';
import type { RunOptions } from './options.ts';
import { readRole } from './read-role.ts';
import { databaseScripts, formatRole, hookPoints, parseRole, type Role, roleNames } from './roles.ts';
import { RunError } from './run-error.ts';
import { readSource, type Script } from './source.ts';

/**
 * Refuses an argument that no script has, because its name is mistyped.
 *
 * @throws RunError `ERR_OPTION_INVALID`
 */
export function refuseUnknownArguments(role: Role, { args = {} }: RunOptions): void {
  const unknown = Object.keys(args).find((name) => !everyName.has(name));
  if (unknown !== undefined) throw noArgument(role, unknown);
}

/**
 * Refuses what this script does not take, though another one does. It would be ignored, and the result would be about another call than the
 * one that was asked for. `runScript` does not refuse it, so that one set of options can serve several scripts. On the command line, the
 * user means this script.
 *
 * @throws RunError `ERR_OPTION_INVALID`, and what `runScript` throws for a script that cannot be run
 */
export function refuseUnusedOptions(script: Script, options: RunOptions, cwd: string = process.cwd()): void {
  const source = readSource(script, cwd);
  const role = readRole(source, options);
  for (const { isGiven, kinds, what, hint } of parts) {
    if (!isGiven(options) || kinds(role)) continue;
    throw invalid(`${nameOf(role)} takes no ${what}`, hint(role));
  }
  if (options.context !== undefined && role.kind === 'database' && !takesContext(source, role))
    throw invalid(`${nameOf(role)} takes no context: its function has no context parameter before the callback`);
  const { args = {} } = options;
  const groups = argumentsOf(role);
  const foreign = Object.keys(args).find((name) => !groups.some((names) => names.includes(name)));
  if (foreign !== undefined) throw noArgument(role, foreign);
  for (const names of groups) {
    const given = names.filter((name) => args[name] !== undefined);
    if (given.length > 1) throw invalid(`${given.join(' and ')} are one argument of ${nameOf(role)}: give one of them`);
  }
}

function noArgument(role: Role, name: string): RunError {
  const known = argumentsOf(role).map(([first = '']) => first);
  const taken = known.length === 0 ? '' : `: it takes ${known.join(', ')}`;
  const hint = role.kind === 'action' ? 'an Action gets its input from the event: --event FILE' : undefined;
  return invalid(`${nameOf(role)} takes no argument ${name}${taken}`, hint);
}

/** A part of the options that only some kinds of scripts take. */
interface Part {
  readonly what: string;
  readonly isGiven: (options: RunOptions) => boolean;
  readonly kinds: (role: Role) => boolean;
  /** What does the same for this kind of script. */
  readonly hint: (role: Role) => string | undefined;
}

const isFilled = (value: object | undefined): boolean => value !== undefined && Object.keys(value).length > 0;
const byKind =
  (...kinds: readonly Role['kind'][]) =>
  ({ kind }: Role): boolean =>
    kinds.includes(kind);

const parts: readonly Part[] = [
  {
    what: 'secrets',
    isGiven: ({ secrets }) => isFilled(secrets),
    kinds: byKind('action', 'hook'),
    hint: () => 'it gets its settings from configuration: --config KEY=VALUE, --config-file FILE',
  },
  {
    what: 'configuration',
    isGiven: ({ configuration }) => isFilled(configuration),
    kinds: byKind('database', 'rule'),
    hint: () => 'it gets its settings from secrets: --secret KEY=VALUE, --secrets-file FILE',
  },
  {
    what: 'event',
    isGiven: ({ event }) => event !== undefined,
    kinds: byKind('action'),
    hint: ({ kind }) => (kind === 'database' ? undefined : 'give --context FILE and --profile FILE'),
  },
  {
    what: 'context',
    isGiven: ({ context }) => context !== undefined,
    kinds: byKind('database', 'rule', 'hook'),
    hint: () => 'an Action gets its input from the event: --event FILE',
  },
  {
    what: 'profile of a user',
    isGiven: ({ user }) => user !== undefined,
    kinds: (role) => (role.kind === 'database' ? role.name === 'create' : role.kind !== 'action' && hasUser(role)),
    hint: ({ kind }) =>
      ({
        action: 'give --event FILE with { "user": … }',
        database: 'give --user NAME',
        rule: undefined,
        hook: undefined,
      })[kind],
  },
  {
    what: 'handler: it is not an Action',
    isGiven: ({ handler }) => handler !== undefined,
    kinds: byKind('action'),
    hint: () => undefined,
  },
  {
    what: 'returns: it has no api',
    isGiven: ({ returns }) => isFilled(returns),
    kinds: byKind('action', 'rule'),
    hint: () => undefined,
  },
  {
    what: 'auth0: it is not a Rule',
    isGiven: ({ auth0 }) => auth0 !== undefined,
    kinds: byKind('rule'),
    hint: () => undefined,
  },
];

/** Whether it is called for somebody who logs in, signs up, or gets a message. */
function hasUser({ kind, name }: Role): boolean {
  if (kind === 'action') return defaultEvents[name]?.user !== undefined;
  return kind === 'rule' || (hookPoints[name] ?? []).includes('user');
}

/** The arguments that can be given by name. The names of one argument are together, with the script's own first. */
function argumentsOf(role: Role): readonly (readonly string[])[] {
  const { kind, name } = role;
  if (kind === 'database') {
    if (name === 'create')
      return [['email', 'user'], ...newUserNames.filter((one) => one !== 'email').map((one) => [one])];
    return (databaseScripts[name]?.parameters ?? []).map((_, index) => namesOf(name, index));
  }
  const own = kind === 'hook' ? (hookPoints[name] ?? []).filter((one) => one !== 'user' && one !== 'context') : [];
  return [...(hasUser(role) ? [[...new Set(['user', ...whoever])]] : []), ...own.map((one) => [one])];
}

/** Names that are an argument of some script. */
const everyName: ReadonlySet<string> = new Set(
  roleNames.flatMap((name) => argumentsOf(parseRole(name) as Role).flat()),
);

function nameOf(role: Role): string {
  return role.kind === 'rule' ? 'a Rule' : formatRole(role);
}

function invalid(message: string, hint?: string): RunError {
  return new RunError('ERR_OPTION_INVALID', message, hint);
}
