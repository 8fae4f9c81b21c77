import type { Command } from 'commander';
import { TargetArgument } from '../command-line/target-argument.ts';
import type { ExitCode, Io } from '../io.ts';
import { addStoreOptions } from '../watch/flags.ts';

const description = `Send no notices about a target for a while, because of planned work. Changes are still recorded. If
the target has another state when the time is over, a notice is sent then.`;

const examples = `
Examples:
  certpin watch mute db.example.com:5432 --until 2h --reason "planned work"
  certpin watch mute 'db-*' --until 2027-03-01T06:00Z --reason "new data centre"
  certpin watch mute db.example.com:5432 --until now        ends the mute

Exit code: 0 done, 2 no such target, or the store cannot be written.`;

export function defineWatchMute(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = group
    .command('mute')
    .summary('send no notices about a target for a while')
    .description(description)
    .addArgument(new TargetArgument('<target...>', 'address, id, or pattern in quotes'))
    .requiredOption('--until <time>', 'a time in UTC, or how long: 2027-03-01T06:00Z, 30m, 2h, 3d; now ends the mute')
    .option('--reason <text>', 'the reason, for people');
  addStoreOptions(command)
    .addHelpText('after', examples)
    .action(async (targets: string[]) => {
      const { muteTargets } = await import('../watch/mute.ts');
      finish(await muteTargets(targets, command.optsWithGlobals(), io));
    });
}
