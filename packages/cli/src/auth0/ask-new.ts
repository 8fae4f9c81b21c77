import { showTarget } from '../target.ts';
import type { NewFlags } from './new-flags.ts';
import type { Questions } from './questions.ts';

/** The lists of @certpin/auth0 that the questions offer. */
export interface Offers {
  readonly pointsOf: (kind: never, client: never) => readonly string[];
}

/** Asks for what the flags leave open, in the order in which one answer decides over the next question. */
export async function askForFlags(flags: NewFlags, { pointsOf }: Offers, ask: Questions): Promise<NewFlags> {
  const kind = await ask.select({
    message: 'What is to be written?',
    choices: [
      { name: 'scripts of a custom database', value: 'database' },
      { name: 'Actions', value: 'action' },
      { name: 'a Rule (ended by the platform)', value: 'rule' },
      { name: 'Hooks (ended by the platform)', value: 'hook' },
    ],
  });
  const client = await ask.select({
    message: 'What do they call?',
    choices: [
      { name: 'PostgreSQL, with pg', value: 'pg' },
      { name: 'MySQL or MariaDB, with mysql2', value: 'mysql2' },
      { name: 'MySQL or MariaDB, with mysql', value: 'mysql' },
      { name: 'an HTTP API, with axios', value: 'axios' },
      { name: 'an HTTP API, with fetch', value: 'fetch' },
    ],
  });
  const points = pointsOf(kind as never, client as never);
  const usual = kind === 'database' ? points.slice(0, 7) : points.slice(0, 1);
  const chosen =
    kind === 'rule'
      ? []
      : await ask.checkbox({
          message: kind === 'database' ? 'Which scripts?' : 'For which triggers?',
          required: true,
          choices: points.map((point) => ({ name: point, value: point, checked: usual.includes(point) })),
        });
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
  const from = await ask.input({
    message: 'Which server? Its fingerprint is fetched. Empty: filled in later.',
    validate: (answer) => answer === '' || (showTarget(answer).refusal?.message ?? true),
  });
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
    ...(kind === 'database' ? { keys: chosen, ...(context ? { context } : {}) } : {}),
    ...(kind === 'action' || kind === 'hook' ? { triggers: chosen } : {}),
    ...(from === '' ? {} : { from }),
  };
}
