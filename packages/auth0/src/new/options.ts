import { CertpinError, formatPin, parsePins } from 'certpin';

/** Where a script runs on the platform. */
export const scriptKinds = ['database', 'action', 'rule', 'hook'] as const;
export type ScriptKind = (typeof scriptKinds)[number];

/** What a script calls: a database through its driver, a directory, or an HTTP API. */
export const scriptClients = ['pg', 'mysql2', 'mysql', 'tedious', 'mongodb', 'ldapts', 'axios', 'fetch'] as const;
export type ScriptClient = (typeof scriptClients)[number];

/** The scripts of a custom database connection, as `options.customScripts` calls them. */
export const databaseKeys = [
  'login',
  'get_user',
  'create',
  'verify',
  'change_password',
  'delete',
  'change_email',
  'change_username',
  'change_phone_number',
] as const;
export type DatabaseKey = (typeof databaseKeys)[number];

/** The triggers of Actions that often call other servers. */
export const actionTriggers = [
  'post-login',
  'credentials-exchange',
  'pre-user-registration',
  'post-user-registration',
  'post-change-password',
  'send-phone-message',
  'custom-email-provider',
  'custom-phone-provider',
] as const;
export type ActionTrigger = (typeof actionTriggers)[number];

/** The extension points of Hooks. */
export const hookPoints = [
  'credentials-exchange',
  'pre-user-registration',
  'post-user-registration',
  'post-change-password',
  'send-phone-message',
  'password-exchange',
] as const;
export type HookPoint = (typeof hookPoints)[number];

export const layouts = ['files', 'deploy-cli', 'deploy-cli-yaml', 'terraform', 'terraform-heredoc'] as const;
export type Layout = (typeof layouts)[number];

/** What the scripts of a database keep of a user: the name in the scripts, and the default name of the column. */
export const userColumns = [
  'id',
  'email',
  'password',
  'email_verified',
  'nickname',
  'username',
  'phone_number',
] as const;
export type UserColumn = (typeof userColumns)[number];

export interface CreateScriptsOptions {
  readonly kind: ScriptKind;
  readonly client: ScriptClient;
  /** For a database. Default: the seven documented ones. */
  readonly keys?: readonly DatabaseKey[] | undefined;
  /** For Actions and Hooks. Default: `post-login` for Actions; for Hooks, every point that fits the client. */
  readonly triggers?: readonly string[] | undefined;
  /** For a database: the scripts take the parameter `context` (`enable_script_context`). Default false. */
  readonly context?: boolean | undefined;
  /** How certpin gets into the script: as a block, or as a dependency, which only Actions and Hooks can have. Default `inline`. */
  readonly form?: 'inline' | 'npm' | undefined;
  readonly layout?: Layout | undefined;
  /** The name of the connection. For Actions, the beginning of their names. Default `users`. */
  readonly name?: string | undefined;
  /** Pins in any spelling, one or several. Default: a placeholder. */
  readonly pins?: string | undefined;
  /** The server of a database, and the name of the database. For a directory, the place where a search begins. Default: placeholders. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly database?: string | undefined;
  /**
   * For a database: the text before the `id` of the table in every `user_id`. `''`: nothing. It is required for `login`, `get_user` and
   * `delete`. With another prefix than before, every user of the connection becomes another user.
   */
  readonly userIdPrefix?: string | undefined;
  /** For a database: the table of the users, `users` or `schema.users`. Default `users`. */
  readonly table?: string | undefined;
  /** The columns with other names, as the database lists them. `''`: there is no such column (`email_verified`, `nickname`). */
  readonly columns?: Readonly<Partial<Record<UserColumn, string>>> | undefined;
  /**
   * The API for axios and fetch: `https://api.example.com/v1`. For ldapts: `ldaps://ldap.example.com`, or `ldap://` for StartTLS. Default:
   * a placeholder.
   */
  readonly url?: string | undefined;
  /** The package that checks passwords. Default `bcryptjs`. */
  readonly bcrypt?: 'bcryptjs' | 'bcrypt' | undefined;
  /**
   * Versions of the packages, by name, in place of the default ones. They are used in `require('pg@8.11.3')` of scripts that can require
   * only vetted packages, and in the dependencies of Actions. An empty version lets the platform choose.
   */
  readonly modules?: Readonly<Record<string, string>> | undefined;
}

/** Options with their defaults, checked. */
export interface Plan {
  readonly kind: ScriptKind;
  readonly client: ScriptClient;
  /** Keys, triggers or extension points. */
  readonly points: readonly string[];
  readonly context: boolean;
  readonly form: 'inline' | 'npm';
  readonly layout: Layout;
  readonly name: string;
  readonly pins: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly database: string | undefined;
  /** undefined: none of these scripts has a `user_id`. */
  readonly userIdPrefix: string | undefined;
  readonly table: string;
  /** Those that exist, by their names in the scripts. */
  readonly columns: ReadonlyMap<UserColumn, string>;
  readonly url: string | undefined;
  readonly bcrypt: 'bcryptjs' | 'bcrypt';
  readonly modules: Readonly<Record<string, string>>;
}

const known: Record<keyof CreateScriptsOptions, true> = {
  ...{ kind: true, client: true, keys: true, triggers: true, context: true, form: true, layout: true, name: true },
  ...{ pins: true, host: true, port: true, database: true, url: true, bcrypt: true, modules: true },
  ...{ userIdPrefix: true, table: true, columns: true },
};

/** The points of Actions and Hooks that send messages: a database sends none. */
const messagePoints: readonly string[] = ['send-phone-message', 'custom-email-provider', 'custom-phone-provider'];

/** Clients that certpin pins in an Action in another way than in the scripts of a database, and why no Action is written for them. */
const ofDatabases: Readonly<Partial<Record<ScriptClient, string>>> = {
  tedious: 'an Action can have a newer tedious, which certpin/mssql pins',
  mongodb: 'in an Action use certpin/mongodb',
};

/** Where a directory can be asked. */
const directoryPoints: readonly string[] = ['post-login', 'pre-user-registration'];

/** Clients for which nothing is written, why, and what to do. */
const unpinnable: Readonly<Record<string, string>> = {
  mssql: 'the mssql of the platform has no place for a pin: use tedious, on which it is built',
  ldapjs:
    'ldapjs makes its connections itself. They can be pinned only on Node 22.17 and newer, which the platform does not promise, and its StartTLS cannot be pinned at all. Use ldapts',
};

/** The choices of `keys` or `triggers` with which a script of this kind can call this client. */
export function pointsOf(kind: ScriptKind, client: ScriptClient): readonly string[] {
  if (client === 'ldapts') return kind === 'action' ? directoryPoints : [];
  if (kind === 'database') return databaseKeys;
  if (ofDatabases[client] !== undefined) return [];
  if (kind === 'rule') return ['rule'];
  const points: readonly string[] = kind === 'action' ? actionTriggers : hookPoints;
  return isHttp(client) ? points : points.filter((point) => !messagePoints.includes(point));
}

function isHttp(client: ScriptClient): client is 'axios' | 'fetch' {
  return client === 'axios' || client === 'fetch';
}

/** @throws CertpinError `ERR_OPTION_INVALID`, `ERR_PIN_INVALID` */
export function readOptions(options: CreateScriptsOptions): Plan {
  for (const option of Object.keys(options)) {
    if (!(option in known)) throw invalid(option, `there is no option \`${option}\``);
  }
  const { kind, client, keys, triggers, context = false, form = 'inline', layout = 'files' } = options;
  const { name = 'users', pins, host, port, database, url, bcrypt = 'bcryptjs', modules = {} } = options;
  oneOf('kind', kind, scriptKinds);
  if (Object.hasOwn(unpinnable, client)) throw invalid('client', unpinnable[client] as string);
  oneOf('client', client, scriptClients);
  if (kind !== 'database' && ofDatabases[client] !== undefined)
    throw invalid('client', `${client} is for the scripts of a database: ${ofDatabases[client]}`);
  if (kind !== 'action' && client === 'ldapts')
    throw invalid('client', 'ldapts is for Actions, which can depend on it: make `kind` action');
  oneOf('form', form, ['inline', 'npm']);
  oneOf('layout', layout, layouts);
  oneOf('bcrypt', bcrypt, ['bcryptjs', 'bcrypt']);
  if (kind !== 'database' && (keys !== undefined || context)) {
    throw invalid(context ? 'context' : 'keys', '`keys` and `context` are for the scripts of a database');
  }
  if ((kind === 'database' || kind === 'rule') && triggers !== undefined) {
    throw invalid('triggers', '`triggers` are for Actions and Hooks');
  }
  const points = keys ?? triggers ?? defaultPoints(kind, client);
  if (points.length === 0) throw invalid('keys', 'no script is asked for');
  for (const point of points) oneOf(kind === 'database' ? 'keys' : 'triggers', point, pointsOf(kind, client));
  if (form === 'npm' && (kind === 'database' || kind === 'rule')) {
    const reason = 'the platform lets these scripts require its own list of packages only: use the form inline';
    throw invalid('form', reason);
  }
  if (layout !== 'files' && (kind === 'rule' || kind === 'hook')) {
    throw invalid('layout', 'the platform ended Rules and Hooks: they are written as plain files only');
  }
  if (!/^[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?$/i.test(name)) {
    throw invalid('name', 'a name may contain only letters, digits and hyphens, like the name of a connection');
  }
  const newer = points.filter((point) => point === 'change_username' || point === 'change_phone_number');
  if (layout === 'deploy-cli' && newer.length > 0) {
    throw invalid('keys', `the directory format of the Deploy CLI does not know ${newer.join(', ')}: use YAML`);
  }
  for (const [module, version] of Object.entries(modules)) {
    if (!/^[\w.+-]*$/.test(version)) throw invalid('modules', `the version of ${module} is not a version`);
  }
  if (pins !== undefined) parsePins(pins);
  const tableOptions = readTable(options, points);
  return {
    ...tableOptions,
    ...{ kind, client, points: [...new Set(points)], context, form, layout, name },
    ...{ pins: pins === undefined ? undefined : oneLine(pins), host, port, database, bcrypt, modules },
    url: url === undefined ? undefined : client === 'ldapts' ? readDirectoryUrl(url) : readUrl(url),
  };
}

/** What the scripts of a database must know of its users. */
function readTable(
  { kind, client, userIdPrefix, table = 'users', columns = {} }: CreateScriptsOptions,
  points: readonly string[],
): Pick<Plan, 'userIdPrefix' | 'table' | 'columns'> {
  const isTable = kind === 'database' && !isHttp(client);
  if (!isTable && (table !== 'users' || Object.keys(columns).length > 0))
    throw invalid('table', '`table` and `columns` are for the scripts of a database');
  if (kind !== 'database' && userIdPrefix !== undefined)
    throw invalid('userIdPrefix', '`userIdPrefix` is for the scripts of a database');
  const needsPrefix = kind === 'database' && points.some((point) => ['login', 'get_user', 'delete'].includes(point));
  if (needsPrefix && userIdPrefix === undefined) {
    const why = 'with another prefix than before, every user becomes another user';
    throw invalid('userIdPrefix', `give \`userIdPrefix\`, '' for none: ${why}`);
  }
  if (userIdPrefix !== undefined && !/^[\x21-\x7e]{0,100}$/.test(userIdPrefix))
    throw invalid('userIdPrefix', 'a prefix may have up to 100 printable characters, without spaces');
  if (!/^\w[\w$]{0,62}(?:\.\w[\w$]{0,62})?$/.test(table))
    throw invalid('table', 'the name of the table may contain only letters, digits, _ and $: users, or schema.users');
  for (const [column, name] of Object.entries(columns)) {
    oneOf('columns', column, userColumns);
    if (!/^(?:\w[\w$]{0,62})?$/.test(name))
      throw invalid('columns', `the name of the column ${column} may contain only letters, digits, _ and $`);
  }
  const own: Readonly<Partial<Record<UserColumn, string>>> = client === 'mongodb' ? { id: '_id' } : {};
  const named = userColumns.map((column) => [column, columns[column] ?? own[column] ?? column] as const);
  const there = new Map(named.filter(([, name]) => name !== ''));
  for (const column of neededColumns(points))
    if (isTable && !there.has(column)) throw invalid('columns', `the scripts need a column for ${column}`);
  return { userIdPrefix, table, columns: there };
}

function neededColumns(points: readonly string[]): readonly UserColumn[] {
  const own: Readonly<Record<string, UserColumn>> = {
    ...{ verify: 'email_verified', change_username: 'username', change_phone_number: 'phone_number' },
  };
  return ['id', 'email', 'password', ...points.flatMap((point) => own[point] ?? [])];
}

function defaultPoints(kind: ScriptKind, client: ScriptClient): readonly string[] {
  if (kind === 'database') return databaseKeys.slice(0, 7);
  return kind === 'action' ? ['post-login'] : pointsOf(kind, client);
}

/** In the form in which a setting of the platform holds it. */
function oneLine(pins: string): string {
  return parsePins(pins)
    .map((pin) => formatPin(pin))
    .join(' ');
}

function readUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid('url', 'the URL cannot be read'); // It may hold a password, so it is not repeated.
  }
  if (url.protocol !== 'https:') throw invalid('url', 'the URL of the API must begin with https://');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw invalid('url', 'the URL of the API must have no user, no password and no parameters');
  }
  if (/(?:^|\.)auth0\.com$/.test(url.hostname)) {
    throw invalid('url', 'Auth0 may change the certificates of its own servers at any time, so they cannot be pinned');
  }
  return url.href.replace(/\/+$/, '');
}

/** What ldapts gets: the way to TLS, the server and its port. */
function readDirectoryUrl(text: string): string {
  const [, scheme, host] = /^(ldaps?):\/\/((?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?)\/?$/i.exec(text) ?? [];
  if (scheme !== undefined) return `${scheme.toLowerCase()}://${host}`;
  // It may hold a password, so it is not repeated.
  throw invalid(
    'url',
    'the URL of the directory must be ldaps://host:port, or ldap://host:port for StartTLS, and no more',
  );
}

function oneOf(option: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value)) throw invalid(option, `\`${option}\` must be one of ${choices.join(', ')}`);
}

function invalid(option: string, message: string): CertpinError<'ERR_OPTION_INVALID'> {
  return new CertpinError('ERR_OPTION_INVALID', `createScripts: ${message}`, { option });
}
