import { type Command, Option } from 'commander';
import { addConnectionOptions, type ConnectionFlags } from '../command-line/options.ts';
import { UsageError } from '../failure.ts';

export interface NewFlags extends ConnectionFlags {
  readonly kind?: string;
  readonly client?: string;
  readonly keys?: string[];
  readonly triggers?: string[];
  readonly context?: true;
  readonly form?: string;
  readonly from?: string;
  readonly pins?: string[];
  readonly pinsFile?: string[];
  readonly layout?: string;
  readonly name?: string;
  readonly userIdPrefix?: string;
  readonly newUsers?: true;
  readonly table?: string;
  readonly column?: string[];
  readonly bcrypt?: string;
  readonly module?: string[];
  readonly output: string;
  readonly dryRun?: true;
  readonly force?: true;
}

/** The lists of @certpin/auth0. That package is loaded when a command runs, but not for its help. A test compares the lists. */
export const choices = {
  kind: ['database', 'action', 'rule', 'hook'],
  client: ['pg', 'mysql2', 'mysql', 'tedious', 'mongodb', 'ldapts', 'axios', 'fetch'],
  layout: ['files', 'deploy-cli', 'deploy-cli-yaml', 'terraform', 'terraform-heredoc'],
} as const;

/** Clients for which nothing is written. createScripts says why. */
export const explained: readonly string[] = ['mssql', 'ldapjs'];

export function addNewOptions(command: Command): Command {
  const list = (text: string): string[] => text.split(',').filter((word) => word !== '');
  const collect = (value: string, others: string[] = []): string[] => [...others, value];
  command
    .option('--from <target>', 'the server that the scripts call: its fingerprint is fetched now')
    .option('--pins <pin...>', 'its pins, in place of the pin of the presented certificate')
    .option('--pins-file <file>', 'pins from a file: # comments, or a certificate', collect)
    .addOption(new Option('--kind <kind>', 'what is written (default: database)').choices(choices.kind))
    .addOption(clientOption())
    .option('--keys <list>', 'the scripts of a database (default: the seven documented ones)', list)
    .option('--triggers <list>', 'of Actions (default: post-login) or Hooks (default: all)', list)
    .option('--context', 'database scripts with the parameter context')
    .addOption(
      new Option('--form <form>', 'how certpin comes into Actions and Hooks (default: inline)').choices([
        'inline',
        'npm',
      ]),
    )
    .addOption(new Option('--layout <layout>', 'the format of the output (default: files)').choices(choices.layout))
    .option('--name <name>', 'the name of the connection, or the first part of the names of Actions (default: users)')
    .option('--user-id-prefix <text>', "the text before the id of the table in user_id; '' for none")
    .option('--new-users', 'nobody logs in with this connection yet; the prefix is the name of the connection and |')
    .option('--table <name>', 'the table of the users (default: users)')
    .option('--column <list>', 'columns with other names: id=uid,email=mail; nickname= for none', collect)
    .addOption(
      new Option('--bcrypt <package>', 'what checks passwords (default: bcryptjs)').choices(['bcryptjs', 'bcrypt']),
    )
    .option('--module <name@version>', 'the version of a package; name@ leaves it to the platform', collect)
    .option('--output <dir>', 'the folder to write into', 'auth0')
    .option('--dry-run', 'print what would be written, and write nothing')
    .option('--force', 'replace existing files');
  return addConnectionOptions(command);
}

function clientOption(): Option {
  const option = new Option('--client <client>', 'what calls the server (default: by --from)').choices(choices.client);
  const { parseArg } = option;
  return option.argParser((value, previous) => (explained.includes(value) ? value : parseArg?.(value, previous)));
}

/**
 * `pg@8.11.3`, `mysql2@`
 *
 * @throws UsageError
 */
export function readModules(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => {
      const [, name, version] = /^([a-z0-9-]+)@([\w.+-]*)$/.exec(value) ?? [];
      if (name === undefined || version === undefined) {
        throw new UsageError('--module takes a name and a version: pg@8.11.3', 'auth0 new');
      }
      return [name, version];
    }),
  );
}

/**
 * `id=uid,email=mail`, `nickname=`
 *
 * @throws UsageError
 */
export function readColumns(values: readonly string[]): Record<string, string> {
  const pairs = values.flatMap((value) => value.split(',')).filter((pair) => pair !== '');
  const [twice] = pairs.map((pair) => pair.split('=')[0]).filter((column, at, all) => all.indexOf(column) !== at);
  if (twice !== undefined && /^\w+$/.test(twice)) throw new UsageError(`--column names ${twice} twice`, 'auth0 new');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, column, name] = /^(\w+)=(.*)$/.exec(pair) ?? [];
      if (column === undefined || name === undefined)
        throw new UsageError('--column takes pairs: id=uid,email=mail', 'auth0 new');
      return [column, name];
    }),
  );
}

/** The options that only say how to ask the server of `--from`. A connection option that is missing here does not compile. */
const asking: Readonly<Record<Exclude<keyof ConnectionFlags, 'protocol'>, string>> = {
  ...{ timeout: '--timeout', servername: '--servername', proxy: '--proxy', ipv4: '--ipv4', ipv6: '--ipv6' },
  ...{ cert: '--cert', key: '--key', tlsMin: '--tls-min', tlsMax: '--tls-max', sigalgs: '--sigalgs' },
};

/**
 * Refuses options that have no meaning for what is written: they would be ignored.
 *
 * @throws UsageError
 */
export function refuseUnusedFlags(flags: NewFlags, kind: string, client: string): void {
  const refuse = (option: string, why: string): never => {
    throw new UsageError(`${option} ${why}`, 'auth0 new');
  };
  const isAsked = flags.from !== undefined && flags.pins === undefined && flags.pinsFile === undefined;
  const [, unused] = Object.entries(asking).find(([name]) => flags[name as keyof typeof asking] !== undefined) ?? [];
  if (unused !== undefined && !isAsked)
    refuse(unused, 'is for fetching the fingerprint of the server of --from, and none is fetched');
  if (flags.protocol !== undefined && flags.from === undefined) refuse('--protocol', 'is for the server of --from');
  const isTable = kind === 'database' && client !== 'axios' && client !== 'fetch';
  if (flags.bcrypt !== undefined && !isTable)
    refuse('--bcrypt', 'is for the scripts of a database that check passwords');
  if (flags.name !== undefined && (kind === 'rule' || kind === 'hook'))
    refuse('--name', 'is for connections and Actions: Rules and Hooks are plain files');
  const packages = [
    ...(client === 'fetch' ? [] : [client]),
    ...(isTable ? [flags.bcrypt ?? 'bcryptjs'] : []),
    ...(flags.form === 'npm' ? ['certpin'] : []),
  ];
  const other = (flags.module ?? [])
    .map((module) => module.split('@')[0] ?? '')
    .find((name) => !packages.includes(name));
  if (other !== undefined)
    refuse(
      '--module',
      packages.length === 0 ? 'is for scripts that require a package' : `is for ${packages.join(', ')} here`,
    );
}
