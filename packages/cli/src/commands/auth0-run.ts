import { dirname } from 'node:path';
import type { RunResult } from '@certpin/auth0';
import { type Command, Option } from 'commander';
import { changes } from '../auth0/changes.ts';
import { renderRun } from '../auth0/render-run.ts';
import { addScriptOptions, createFlagReader, filesOf, orExplain, type ScriptFlags } from '../auth0/script-options.ts';
import { UsageError } from '../failure.ts';
import { type ExitCode, type Io, printJson, printText, stdoutColors } from '../io.ts';

const command = 'auth0 run';

interface RunFlags extends ScriptFlags {
  readonly times?: string;
  readonly cold?: true;
  readonly json?: true;
  readonly watch?: true;
}

const description = `Run a script as Auth0 would: a custom database script, an Action, a Rule (or several, as a chain)
or a Hook.

certpin detects the kind of a script by its file name (login.js, as the Deploy CLI writes it), its
exports, and the name and parameters of its function. If that is not enough, give the kind with --as.

If you give something that the script does not take (secrets for a database script, an unknown
argument), the command refuses it.

The script runs in a process of its own, with the platform's signatures, error classes, and limits of
20 s and 100 kB. It does not get this shell's environment. This is an emulator for your own scripts,
and not a sandbox: a script can do what you can do.`;

const examples = `
Examples:
  certpin auth0 run login.js --user ada@example.com --config-file config.json
  certpin auth0 run login.js --user ada@example.com --password-env PW --config DB_PINS --node 18
  certpin auth0 run get_user.js --user ada@example.com --json
  certpin auth0 run post-login.js --event event.json --secret API_PINS=AABB…
  certpin auth0 run rules/1.js rules/2.js --as rule --profile user.json
  certpin auth0 run login.js --user ada@example.com --watch

Exit code: 0 the script succeeded; 1 it refused, failed, or did something that the platform objects
to; 2 it could not be run.`;

export function defineAuth0Run(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  const defined = group
    .command('run')
    .summary('run a script as Auth0 would')
    .description(description)
    .argument('<script...>', 'file; several: a chain of Rules');
  addScriptOptions(defined)
    .option('--times <number>', 'run it so many times in one container, which keeps global (default: 1)')
    .option('--cold', 'with --times: a new container for each run')
    .option('--json', 'print each result as one JSON object')
    .addOption(new Option('-w, --watch', 'run it again whenever a file changes, until Ctrl-C'))
    .usage('[options] <script...>')
    .addHelpText('after', examples)
    .action(async (scripts: readonly string[], flags: RunFlags) => finish(await run(scripts, flags, io)));
}

async function run(scripts: readonly string[], flags: RunFlags, io: Io): Promise<ExitCode> {
  const times = readTimes(flags.times);
  // Loaded here, so that the other commands do not wait for it.
  const { createContainer, readScript, refuseUnusedOptions } = await import('@certpin/auth0');
  const reader = createFlagReader(flags, io, command);
  const once = async (): Promise<ExitCode> => {
    const given = reader.read();
    const sources = scripts.map((file) => readScript(file));
    const script = (sources.length === 1 ? sources[0] : undefined) ?? sources;
    const chain = sources.length === 1 ? {} : { as: 'rule' };
    for (const source of sources) refuseUnusedOptions(source, { ...chain, ...given.run });
    const container = createContainer(given.container);
    try {
      let code: ExitCode = 0;
      for (let index = 0; index < times; index++) {
        if (flags.cold) await container.reset();
        const result = await reader.call(given.run, (options) => container.run(script, options));
        print(io, result, flags, index);
        if (result.status !== 'success' || result.findings.length > 0) code = 1;
      }
      return code;
    } finally {
      await container.close();
    }
  };
  if (!flags.watch) return orExplain(io, once);
  return changes(io, [...scripts, ...filesOf(flags)].map(dirname), () => orExplain(io, once));
}

function print(io: Io, result: RunResult, { json }: RunFlags, index: number): void {
  if (json) printJson(io, result);
  else printText(io, `${index === 0 ? '' : '\n'}${renderRun(result, stdoutColors(io))}`);
}

/** @throws UsageError */
function readTimes(text = '1'): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 1000) return number;
  throw new UsageError('--times takes a number from 1 to 1000', command);
}
