import { mint } from '@certpin/testkit';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Stage } from './act.ts';
import { startMariadbDatabase, startPostgresDatabase } from './database.ts';
import { rehearseDrill } from './drill.ts';
import { drills } from './drills.ts';
import { writePage } from './page.ts';
import type { Played, Rehearsal } from './play.ts';
import { rehearseRecipe } from './recipe.ts';
import { renderTable } from './report.ts';
import { rehearseRotation } from './rotation.ts';
import { quick, type Scale, whole } from './scale.ts';

/** Everything that can be rehearsed, in this order. */
const acts: ReadonlyMap<string, (stage: Stage) => Promise<Played>> = new Map([
  ['rotation', rehearseRotation],
  ['recipe', rehearseRecipe],
  ...drills.map((drill) => [drill.name, (stage: Stage) => rehearseDrill(stage, drill)] as const),
]);

interface Options {
  readonly names: readonly string[];
  readonly quick: boolean;
  readonly logins?: number;
  readonly json: boolean;
  readonly write: boolean;
}

/**
 * The whole program.
 *
 * @returns the exit code: 0 everything held, 1 something did not, 2 the rehearsal could not be run
 */
export async function run(argv: readonly string[]): Promise<0 | 1 | 2> {
  const progress = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  };
  try {
    const { names, quick: isQuick, logins, json, write } = readOptions(argv);
    const scale = { ...(isQuick ? quick : whole), ...(logins === undefined ? {} : { logins }) };
    const rehearsal = await rehearse(names, scale, progress);
    progress('');
    const { ok } = rehearsal;
    if (write && ok) writePage(rehearsal);
    else if (write) process.stderr.write('rehearsal: the page was not written: something did not hold\n');
    process.stdout.write(json ? `${JSON.stringify(rehearsal)}\n` : renderTable(rehearsal));
    return ok ? 0 : 1;
  } catch (error) {
    progress('');
    if (!(error instanceof CommanderError)) process.stderr.write(`rehearsal: ${(error as Error).stack}\n`);
    return error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
  }
}

async function rehearse(names: readonly string[], scale: Scale, progress: (text: string) => void): Promise<Rehearsal> {
  progress('the servers start');
  const certificate = await mint();
  const databases = await Promise.all([startPostgresDatabase(certificate), startMariadbDatabase(certificate)]);
  try {
    const started = Date.now();
    const onProgress = (text: string): void => progress(`${Math.round((Date.now() - started) / 1000)} s: ${text}`);
    const stage: Stage = { databases, scale, onProgress };
    const played: Record<string, Played> = {};
    for (const [name, rehearseAct] of acts) if (names.includes(name)) played[name] = await rehearseAct(stage);
    const seconds = Math.round((Date.now() - started) / 1000);
    const sessions: Record<string, number> = {};
    for (const { name, countSessions } of databases) sessions[name] = await countSessions();
    const ok = Object.values(played).every(({ faults }) => faults.length === 0);
    return { ok, seconds, sessions, played, scale };
  } finally {
    await Promise.all(databases.map(({ stop }) => stop()));
  }
}

function readOptions(argv: readonly string[]): Options {
  const all = [...acts.keys()];
  const command = new Command('npm run rehearsal --')
    .description(
      'Rotations under load: logins through a fake tenant to real databases, while certpin rotate runs to its end.',
    )
    .argument('[name...]', `what to rehearse: ${all.join(', ')}. Default: all`)
    .option('--quick', 'few logins, short waits: for the tests, not for a claim', false)
    .option('--logins <number>', 'of the rotation, at least (default: 100000)', readCount)
    .option('--json', 'print the figures as JSON', false)
    .option(
      '--write',
      'write docs/reference/rotation-rehearsal.md and its chart; needs all names, and not --quick',
      false,
    )
    .addHelpText('after', '\nExit code: 0 everything held, 1 something did not, 2 it could not be run.')
    .exitOverride()
    .parse([...argv], { from: 'user' });
  const unknown = command.args.filter((name) => !acts.has(name));
  if (unknown.length > 0) command.error(`error: no such name: ${unknown.join(', ')}`, { exitCode: 2 });
  const options = command.opts<Omit<Options, 'names'>>();
  if (options.write && (options.quick || options.logins !== undefined || command.args.length > 0)) {
    command.error('error: --write needs a whole run', { exitCode: 2 });
  }
  return { ...options, names: command.args.length === 0 ? all : command.args };
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('It must be a number of logins.');
}
