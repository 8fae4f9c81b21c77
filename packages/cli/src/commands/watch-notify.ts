import type { Command } from 'commander';
import type { ExitCode, Io } from '../io.ts';
import { addStoreOptions } from '../watch/flags.ts';

const description = `Send a test notice to the receivers of certpin.watch.json, or only to the named ones, and print the
result for each. The notice says that nothing has happened. The watcher may be running.`;

const examples = `
Examples:
  certpin watch notify --test
  certpin watch notify --test ops chat
  certpin watch notify --test --json           one JSON object per receiver, one a line

Exit code: 0 every receiver has accepted it; 1 one has not; 2 the configuration cannot be used.`;

export function defineWatchNotify(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = group
    .command('notify')
    .summary('send a test notice to the receivers')
    .description(description)
    .argument('[receiver...]', 'names of receivers (default: all)')
    .requiredOption('--test', 'send a test notice (required: there is no other kind)')
    .option('--json', 'print one JSON object per receiver, one a line');
  addStoreOptions(command)
    .usage('--test [options] [receiver...]')
    .addHelpText('after', examples)
    .action(async (names: string[]) => {
      const { sendTest } = await import('../watch/notify.ts');
      finish(await sendTest(names, command.optsWithGlobals(), io));
    });
}
