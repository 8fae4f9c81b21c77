import type { Questions } from '../io.ts';
import type { NewFlags } from './new-flags.ts';
import { readServer } from './server.ts';

/** The lists of @certpin/auth0 that the questions offer. */
export interface Offers {
  readonly pointsOf: (kind: never, client: never) => readonly string[];
}

const kinds = [
  { name: 'scripts of a custom database', value: 'database' },
  { name: 'Actions', value: 'action' },
  { name: 'a Rule (ended by the platform)', value: 'rule' },
  { name: 'Hooks (ended by the platform)', value: 'hook' },
];

const clients = [
  { name: 'PostgreSQL, with pg', value: 'pg' },
  { name: 'MySQL or MariaDB, with mysql2', value: 'mysql2' },
  { name: 'MySQL or MariaDB, with mysql', value: 'mysql' },
  { name: 'SQL Server, with tedious', value: 'tedious' },
  { name: 'MongoDB', value: 'mongodb' },
  { name: 'a directory (LDAP), with ldapts', value: 'ldapts' },
  { name: 'an HTTP API, with axios', value: 'axios' },
  { name: 'an HTTP API, with fetch', value: 'fetch' },
] as const;

/** Asks what the flags leave open. Each answer decides which question comes next. */
export async function askForFlags(flags: NewFlags, { pointsOf }: Offers, ask: Questions): Promise<NewFlags> {
  const from = await ask.input({
    message: 'Which server do the scripts call? Its fingerprint is fetched. Empty: filled in later.',
    validate: (answer) => answer === '' || refusalOf(answer, flags),
  });
  const known = from === '' ? undefined : readServer(from, flags.protocol).clients;
  const usable = clients.filter(({ value }) => known === undefined || known.includes(value));
  const isFor = (kind: string, client: string): boolean => pointsOf(kind as never, client as never).length > 0;
  const kind = await ask.select({
    message: 'What is to be written?',
    choices: kinds.filter((one) => usable.some((client) => isFor(one.value, client.value))),
  });
  const client = await ask.select({
    message: 'What do they call it with?',
    choices: usable.filter(({ value }) => isFor(kind, value)).map(({ name, value }) => ({ name, value })),
  });
  const points = pointsOf(kind as never, client as never);
  const usual = kind === 'database' ? points.slice(0, 7) : points.slice(0, 1);
  const chosen =
    kind === 'rule'
      ? []
      : await ask.checkbox({
          message: kind === 'database' ? 'Which scripts?' : 'For which triggers?',
          required: true,
          // All of them on the screen: nobody chooses what is out of sight.
          pageSize: points.length,
          choices: points.map((point) => ({
            name: usual.includes(point) || kind !== 'database' ? point : `${point} (its parameters are not documented)`,
            ...{ value: point, checked: usual.includes(point) },
          })),
        });
  const prefix = kind === 'database' ? await askForPrefix(flags, ask) : {};
  const context =
    kind === 'database' &&
    (await ask.confirm({ message: 'With the parameter context? A connection cannot go back.', default: false }));
  const form =
    kind === 'action' || kind === 'hook'
      ? await ask.select({
          message: 'Where does certpin come from?',
          choices: [
            { name: 'it stands in the script', value: 'inline' },
            { name: 'a dependency, from npm', value: 'npm' },
          ],
        })
      : 'inline';
  const layout =
    kind === 'rule' || kind === 'hook'
      ? 'files'
      : await ask.select({
          message: 'In which format?',
          choices: [
            { name: 'plain files', value: 'files' },
            { name: "the Deploy CLI's directory", value: 'deploy-cli' },
            { name: "the Deploy CLI's YAML", value: 'deploy-cli-yaml' },
            { name: 'Terraform', value: 'terraform' },
          ],
        });
  const output = await ask.input({ message: 'Into which folder?', default: flags.output });
  return {
    ...{ ...flags, kind, client, form, layout, output },
    ...prefix,
    ...(kind === 'database' ? { keys: chosen, ...(context ? { context } : {}) } : {}),
    ...(kind === 'action' || kind === 'hook' ? { triggers: chosen } : {}),
    ...(from === '' ? {} : { from }),
  };
}

/** Said where it is typed. Otherwise, the next question would offer a list without a client. */
function refusalOf(answer: string, { protocol }: NewFlags): string | true {
  try {
    return readServer(answer, protocol).clients?.length === 0 ? 'there is no script for such a server' : true;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The question that the scripts cannot answer: with another prefix, every user becomes another user. */
async function askForPrefix(flags: NewFlags, ask: Questions): Promise<Pick<NewFlags, 'userIdPrefix' | 'newUsers'>> {
  if (flags.userIdPrefix !== undefined || flags.newUsers) return {};
  const users = await ask.select({
    message: 'Does anybody log in with this connection already?',
    choices: [
      { name: 'no: all users will be new', value: 'new' },
      { name: 'yes: the user_id of each user has to stay what it is', value: 'known' },
    ],
  });
  if (users === 'new') return { newUsers: true };
  const message = 'What do the scripts in use put before the id of the table, in user_id? Empty: nothing.';
  return { userIdPrefix: await ask.input({ message }) };
}
