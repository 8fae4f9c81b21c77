import type { Command } from 'commander';
import { TargetArgument } from '../command-line/target-argument.ts';
import type { ExitCode, Io } from '../io.ts';
import { addStoreOptions } from '../watch/flags.ts';

const description = `Tell nobody of a target for a while: planned work. What changes is written down all the same. When
the time is over, and the target is not as it was, that is told.`;

const examples = `
Examples:
  certpin watch mute db.example.com:5432 --until 2h --reason "planned work"
  certpin watch mute 'db-*' --until 2027-03-01T06:00Z --reason "new data centre"
  certpin watch mute db.example.com:5432 --until now        it is told again

Exit code: 0 done, 2 no such target, or the store cannot be written.`;

export function defineWatchMute(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = group
    .command('mute')
    .summary('tell nobody of a target for a while')
    .description(description)
    .addArgument(new TargetArgument('<target...>', 'address, id, or pattern in quotes'))
    .requiredOption('--until <time>', 'a time in UTC, or how long: 2027-03-01T06:00Z, 30m, 2h, 3d; now: end it')
    .option('--reason <text>', 'why, for whoever looks at it');
  addStoreOptions(command)
    .addHelpText('after', examples)
    .action(async (targets: string[]) => {
      const { muteTargets } = await import('../watch/mute.ts');
      finish(await muteTargets(targets, command.optsWithGlobals(), io));
    });
}
