import type { ContainerOptions, JsonObject, RunError, RunOptions } from '@certpin/auth0';
import { type Command, Option } from 'commander';
import { readOptionText } from '../command-line/option-file.ts';
import { optionGroups } from '../command-line/option-groups.ts';
import { failureOf, UsageError } from '../failure.ts';
import { firstLine } from '../files/password.ts';
import { type ExitCode, type Io, printError, printHint } from '../io.ts';
import { configurationIn, secretsIn } from './settings-file.ts';

/** The options of every command that runs a script. */
export interface ScriptFlags {
  readonly as?: string;
  readonly handler?: string;
  readonly user?: string;
  readonly arg?: string[];
  readonly passwordEnv?: string;
  readonly passwordFile?: string;
  readonly config?: string[];
  readonly configFile?: string;
  readonly secret?: string[];
  readonly secretsFile?: string;
  readonly event?: string;
  readonly context?: string;
  readonly profile?: string;
  readonly node?: string;
  readonly timeLimit?: string;
  readonly trustCa?: string;
}

export function addScriptOptions(command: Command): Command {
  const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];
  return command
    .optionsGroup(optionGroups.script)
    .option('--as <kind>', 'what it is: login, get_user, …, rule, action:post-login, …, hook:send-phone-message, …')
    .option('--handler <name>', 'the function of an Action, if it exports two')
    .option(
      '-u, --user <name>',
      'the user name or email for the call; for a Rule, a Hook or an Action: the user who logs in',
    )
    .option('--password-env <name>', 'the environment variable that holds the password (default: it is asked for)')
    .addOption(
      new Option('--password-file <file>', 'the file whose first line is the password').conflicts('passwordEnv'),
    )
    .option('--arg <name=value>', 'an argument by its name; name:=value for JSON; may be repeated', collect)
    .option('--config <key[=value]>', 'a value of configuration; without a value: from the environment', collect)
    .option('--config-file <file>', 'configuration: a JSON object, or the database.json of the Deploy CLI')
    .option('--secret <key[=value]>', 'a secret of an Action or a Hook; without a value: from the environment', collect)
    .option(
      '--secrets-file <file>',
      'secrets: a JSON object, or the JSON file of an Action or a Hook of the Deploy CLI',
    )
    .option('--event <file>', 'the event of an Action, JSON; it replaces parts of a default event')
    .option('--context <file>', 'the context of a database script, a Rule or a Hook, JSON')
    .option(
      '--profile <file>',
      'the user of a Rule or a Hook, or the new user of create, JSON; it replaces parts of a default',
    )
    .option('--node <version>', 'the Node.js to run it on: 18, 22, or a path (default: the one that runs certpin)')
    .option('--time-limit <seconds>', 'the time limit of the platform (default: 20)')
    .option('--trust-ca <file>', 'PEM: CAs that count as public ones')
    .optionsGroup(optionGroups.own);
}

/** What the flags say, in the form for the library. */
interface ReadFlags {
  readonly container: ContainerOptions;
  readonly run: RunOptions;
}

/**
 * The flags of a command. The files that they name are read once, at the place where that is said here: a file may be a pipe, or change.
 */
export interface FlagReader {
  /** Reads what the flags name, except the password, which is read when the reader is made. @throws UsageError */
  readonly read: () => ReadFlags;
  /** Does `work`. If a script needs a password that was not given, it asks for it, once. */
  readonly call: <Result>(run: RunOptions, work: (options: RunOptions) => Promise<Result>) => Promise<Result>;
}

/** @throws UsageError */
export function createFlagReader(flags: ScriptFlags, io: Io, command: string): FlagReader {
  const password = readPassword(flags, io, command);
  const typed: Record<string, string> = {};
  return {
    read: () => toRunOptions(flags, password, io, command),
    call: async (run, work) => {
      try {
        return await work({ ...run, args: { ...typed, ...run.args } });
      } catch (error) {
        const { argument, message } = error as RunError;
        if (argument === undefined || !/password/i.test(argument)) throw error;
        const answer = await io.askSecret(`${argument} for ${flags.user ?? 'the user'}: `);
        if (answer === undefined)
          throw new UsageError(
            `${message}, and there is no terminal to ask: --password-env NAME, or --password-file FILE`,
            command,
          );
        typed[argument] = answer;
        return work({ ...run, args: { ...typed, ...run.args } });
      }
    },
  };
}

/** @throws UsageError */
function toRunOptions(flags: ScriptFlags, password: string | undefined, io: Io, command: string): ReadFlags {
  const { as, handler, user, node, trustCa } = flags;
  const json = (option: string, file: string | undefined): JsonObject | undefined =>
    file === undefined ? undefined : readJson(option, file, command);
  const settings = (option: string, file: string | undefined, read: typeof secretsIn): ReturnType<typeof secretsIn> => {
    try {
      return read(json(option, file) ?? {});
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new UsageError(`${option}: ${error.message}`, command);
    }
  };
  const container = {
    ...(node === undefined ? {} : { node }),
    ...(trustCa === undefined ? {} : { trustedCaFile: trustCa }),
    ...(flags.timeLimit === undefined ? {} : { timeLimitMs: toMilliseconds(flags.timeLimit, command) }),
  };
  const given = {
    ...{ user: json('--profile', flags.profile), event: json('--event', flags.event) },
    context: json('--context', flags.context),
    ...{ as, handler },
  };
  const named = readArguments(flags.arg ?? [], command);
  for (const [name, value] of Object.entries({ user, password }))
    if (value !== undefined && named[name] !== undefined)
      throw new UsageError(
        `--arg ${name} and the option of that name are the same argument: give one of them`,
        command,
      );
  const run: RunOptions = {
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as RunOptions),
    args: {
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
      ...named,
    },
    configuration: {
      ...settings('--config-file', flags.configFile, configurationIn),
      ...readPairs('--config', flags.config, io, command),
    } as Record<string, string>,
    secrets: {
      ...settings('--secrets-file', flags.secretsFile, secretsIn),
      ...readPairs('--secret', flags.secret, io, command),
    } as Record<string, string>,
  };
  return { container, run };
}

/** Every file that the flags name. `--watch` looks at them. */
export function filesOf({ event, context, profile, configFile, secretsFile, trustCa }: ScriptFlags): string[] {
  return [event, context, profile, configFile, secretsFile, trustCa].filter((file) => file !== undefined);
}

/** Says why a script could not be run, and what helps. */
export async function orExplain(io: Io, work: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'RunError') throw error;
    const { message, hint } = error as RunError;
    printError(io, message);
    if (hint !== undefined) printHint(io, hint);
    return 2;
  }
}

/** @throws UsageError */
function readPassword({ passwordEnv, passwordFile }: ScriptFlags, { env }: Io, command: string): string | undefined {
  if (passwordFile !== undefined) return firstLine(readText('--password-file', passwordFile, command));
  if (passwordEnv === undefined) return undefined;
  const value = env[passwordEnv];
  if (value === undefined) throw new UsageError(`--password-env: ${passwordEnv} is not set`, command);
  return value;
}

/** @throws UsageError */
function readArguments(pairs: readonly string[], command: string): JsonObject {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name = '', colon, value = ''] = /^(\w+)(:?)=([\s\S]*)$/.exec(pair) ?? [];
      if (name === '') throw new UsageError('--arg takes name=value, or name:=value for JSON', command);
      try {
        return [name, colon === ':' ? JSON.parse(value) : value];
      } catch {
        throw new UsageError(`--arg ${name}: the value is not JSON`, command);
      }
    }),
  );
}

/** @throws UsageError */
function readPairs(
  option: string,
  pairs: readonly string[] = [],
  { env }: Io,
  command: string,
): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key = '', given] = /^([\w.-]+)(?:=([\s\S]*))?$/.exec(pair) ?? [];
      if (key === '')
        throw new UsageError(`${option} takes key=value, or the name of an environment variable`, command);
      const value = given ?? env[key];
      if (value === undefined)
        throw new UsageError(`${option} ${key}: no value, and no such environment variable`, command);
      return [key, value];
    }),
  );
}

/** @throws UsageError */
function readJson(option: string, file: string, command: string): JsonObject {
  const text = readText(option, file, command);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // Reported below: the parser's message would repeat the content of the file.
  }
  throw new UsageError(`${option}: the file is not a JSON object`, command);
}

/** @throws UsageError */
function readText(option: string, file: string, command: string): string {
  try {
    return readOptionText({ path: file, option, kind: 'file of settings' });
  } catch (error) {
    throw new UsageError(failureOf(error).message, command);
  }
}

/** @throws UsageError */
function toMilliseconds(text: string, command: string): number {
  const milliseconds = Math.ceil(Number(text) * 1000);
  if (/^\d+(?:\.\d+)?$/.test(text) && milliseconds > 0 && milliseconds <= 3_600_000) return milliseconds;
  throw new UsageError('--time-limit takes a number of seconds, up to 3600', command);
}
