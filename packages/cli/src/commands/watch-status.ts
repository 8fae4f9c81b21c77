import type { Command } from 'commander';
import type { ExitCode, Io } from '../io.ts';
import { addStoreOptions } from '../watch/flags.ts';

const description = `Print what a watcher knows: the state of each target, since when, and what waits to be told. No
server is asked. The watcher may be running.`;

const examples = `
Examples:
  certpin watch status
  certpin watch status --problems              only what does not hold, the worst first
  certpin watch status --json                  one JSON object per target, one a line

Exit code: 0 every pin holds. 1 a pin does not hold. 2 it is not known of now: a target was not
asked yet or could not be asked, the watcher reaches nobody, the pins file cannot be read, checks are
overdue for more than two intervals (that of the configuration, else of the pins file, else an hour),
or no watcher has run.`;

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
