import { type Command, Option } from 'commander';
import type { ExitCode, Io } from '../io.ts';
import { addStoreOptions, type WatchFlags } from '../watch/flags.ts';
import { defineWatchMute } from './watch-mute.ts';
import { defineWatchNotify } from './watch-notify.ts';
import { defineWatchStatus } from './watch-status.ts';

const description = `Ask every target of a pins file again and again, at each address of its name, and record changes.
Changes are drift, a rotation, the end of a certificate, or a server that does not answer.

A notice is sent after enough checks have found a state, and reminders follow. Everything is kept in
a file of SQLite, so a restart repeats nothing. The pins file is read again when it changes. The
other settings are in certpin.watch.json in the current folder. Node 22.13 or newer is needed.`;

const examples = `
Examples:
  certpin watch                                       until Ctrl-C; one line of JSON for each event
  certpin watch --once                                one cycle, for cron; exit codes as check --file
  certpin watch status                                what is known now
  certpin watch mute db.example.com:5432 --until 2h --reason "planned work"
  certpin watch notify --test                         a test notice to every receiver
  certpin watch --worker --store postgres://certpin@db.example.com/certpin --store-pins-file store.pins.json
  certpin watch --print-unit > /etc/systemd/system/certpin-watch.service

Exit code: 0 a signal ended it. 2 it could not begin. 130 interrupted by Ctrl-C while it began.

With --once: 0 every pin holds. 1 a pin does not hold. 2 a target was not asked or could not be
asked, or the pins file cannot be read. In that case, the targets of the last readable one are asked.
130 interrupted by Ctrl-C.`;

/** The watcher, and the commands that ask it. */
export function defineWatch(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('watch')
    .summary('watch the servers of a pins file, and record what changes')
    .description(description)
    .helpCommand('help [command]', 'print the help of a command')
    .option(
      '--interval <seconds>',
      'how often to ask a target without its own interval (default: from the pins file, or 3600)',
    )
    .option('--listen <host:port>', 'where the pages are served; none for no pages (default: 127.0.0.1:9733)')
    .option('--behind-proxy', 'a proxy in front of the pages ends TLS')
    .option('--time-zone <name>', 'the time zone of the pages (default: UTC)')
    .option('--once', 'ask every target once, then end')
    .addOption(
      new Option('--worker', 'ask what a watcher on another machine has planned; needs its store').conflicts('once'),
    )
    .addOption(new Option('-q, --quiet', 'with --once: print no answer').implies({ once: true }))
    .option('--print-config', 'print the configuration, with every default filled in, and end')
    .option('--print-unit', 'print a unit for systemd, and end');
  addStoreOptions(command)
    .addHelpText('after', examples)
    .action(async (flags: WatchFlags) => {
      const { runWatch } = await import('../watch/run.ts');
      finish(await runWatch(flags, io));
    });
  defineWatchStatus(command, io, finish);
  defineWatchMute(command, io, finish);
  defineWatchNotify(command, io, finish);
}
