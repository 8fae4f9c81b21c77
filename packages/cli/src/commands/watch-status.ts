import type { Command } from 'commander';
import type { ExitCode, Io } from '../io.ts';
import { addStoreOptions } from '../watch/flags.ts';

const description = `Print what a watcher knows: the state of each target, since when, and which notices wait. No server
is asked. The watcher may be running.`;

const examples = `
Examples:
  certpin watch status
  certpin watch status --problems              only what does not hold, the worst first
  certpin watch status --json                  one JSON object per target, one a line

Exit code: 0 every pin holds. 1 a pin does not hold. 2 the present state is not known, for one of
these reasons:

  a target was not asked yet, or could not be asked
  the watcher reaches no server, or cannot read the pins file
  checks are overdue for more than two intervals
  no watcher has run

The interval is that of the configuration, or of the pins file, or an hour.`;

export function defineWatchStatus(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = group
    .command('status')
    .summary('print what a watcher knows')
    .description(description)
    .option('--problems', 'print only what does not hold, and what is not known yet')
    .option('--json', 'print one JSON object per target, one a line');
  addStoreOptions(command)
    .addHelpText('after', examples)
    .action(async () => {
      const { printStatus } = await import('../watch/status.ts');
      finish(await printStatus(command.optsWithGlobals(), io));
    });
}
