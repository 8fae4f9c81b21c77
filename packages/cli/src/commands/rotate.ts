import { type Command, Option } from 'commander';
import { addFileOptions } from '../command-line/options.ts';
import { TargetArgument } from '../command-line/target-argument.ts';
import type { ExitCode, Io } from '../io.ts';
import type { MoveFlags, RotateFlags, StartFlags } from '../rotate/flags.ts';

const description = `Lead the rotation of a server's certificate. Each command takes one step.

  prepared   the next certificate was read from its file
  added      its pin stands in the pins file, beside the old one
  delivered  both pins are at every place that the pins file lists for the target
  settled    containers with the old pins had time to end
  swapped    the commands for the servers were printed; certpin touches no server
  verified   every address presents the next certificate, in a handshake of its own
  retired    the old pin is out of the pins file and of every place

Each step is shown, waited for or told: status says which. A step is refused if its condition does
not hold. Containers that live longer than the wait can still refuse logins. If the old key has
leaked (--leaked), logins fail until the servers are swapped.

certpin.rotations.json, beside the pins file, records how far the rotation is. If a command was
killed, run it again: it goes on.`;

const startExamples = `
Examples:
  certpin rotate start customer-db --next next.crt --key next.key
  certpin rotate start db.example.com:5432 --next next.csr --settle 48h
  certpin rotate start customer-db --next next.crt --leaked PIN   the old pin goes first

Exit code: 0 the rotation has begun. 1 the next certificate cannot be used, a server presents
something that is not pinned, or you said no. 2 a file could not be read, or a server could not be
asked.`;

const nextExamples = `
Examples:
  certpin rotate next customer-db
  certpin rotate next customer-db --yes --json

Exit code: 0 the step is done. 1 its condition is not shown, or you said no. 2 the question could not
be asked, because an address does not answer, or a place cannot be reached.`;

const abortExamples = `
Examples:
  certpin rotate abort customer-db

Exit code: 0 the next pin is out. 1 a server presents the next certificate, or you said no. 2 the
question could not be asked.`;

const statusExamples = `
Examples:
  certpin rotate status
  certpin rotate status customer-db --json

Exit code: 0 a rotation is under way, 1 none is, 2 a file could not be read.`;

/** The group of commands for a rotation. */
export function defineRotate(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const group = program
    .command('rotate')
    .summary('replace the certificate of a server without an outage')
    .description(description)
    .helpCommand('help [command]', 'print the help of a command');

  const start = addCommon(group.command('start'))
    .summary('begin, with the file of the next certificate')
    .description(
      `Begin a rotation. The next pin is taken from the file of the next certificate, and never from a
server. Nothing is written yet but certpin.rotations.json.

For a certificate, its own pin is taken. For a signing request or a key, the pin of the key is
taken. Every address of the target must present a pinned certificate now. The pin of that one is the
old pin.`,
    )
    .addArgument(new TargetArgument('<target>', 'a target of the pins file, by its id or address'))
    .requiredOption('--next <file>', 'the next certificate, or the signing request or key that it is made of')
    .option('--key <file>', 'its private key, to compare the two')
    .option('--public-key', "pin the certificate's public key, not the certificate")
    .option('--any-name', 'the next certificate need not name the target, unless the pins file asks for it')
    .option(
      '--settle <time>',
      'how long to wait for containers with the old pins (default: 24h, or what learn has seen)',
    )
    .option('--leaked <pin>', 'the key of this pin has leaked: certpin revokes the pin first');
  addFileOptions(addAsking(start))
    .addHelpText('after', startExamples)
    .action(async (target: string, flags: StartFlags) => {
      finish(await (await import('../rotate/commands.ts')).startRotation(target, flags, io));
    });

  addCommon(group.command('status'))
    .summary('how far it is, and how each step is known')
    .description('Show how far a rotation is, and how each step is known. No server is asked.')
    .addArgument(new TargetArgument('[target]', 'a target of the pins file; default: every rotation that is under way'))
    .addHelpText('after', statusExamples)
    .action(async (target: string | undefined, flags: RotateFlags) => {
      finish(await (await import('../rotate/commands.ts')).showStatus(target, flags, io));
    });

  const next = addCommon(group.command('next'))
    .summary('take one step')
    .description('Take one step of a rotation, or say what is missing.')
    .addArgument(new TargetArgument('<target>', 'a target of the pins file, by its id or address'))
    .option(
      '--by-hand',
      'somebody has brought the pins where certpin cannot: another tenant, a place that is not listed',
    )
    .option('--accept-change', 'the change that somebody has made to the target in the pins file was meant')
    .option('--no-canary', 'continue although no login could be tried')
    .option('--reason <text>', 'why the leaked key is revoked, written into the pins file');
  addPlaces(addAsking(next))
    .addHelpText('after', nextExamples)
    .action(async (target: string, flags: MoveFlags) => {
      finish(await (await import('../rotate/commands.ts')).moveRotation('next', target, flags, io));
    });

  const abort = addCommon(group.command('abort'))
    .summary('take the rotation back')
    .description(
      `Take a rotation back: the next pin leaves the pins file and every place. Every address is asked.
If a server already presents the next certificate, put the old one back first.`,
    )
    .addArgument(new TargetArgument('<target>', 'a target of the pins file, by its id or address'))
    .option(
      '--by-hand',
      'somebody has brought the pins where certpin cannot: another tenant, a place that is not listed',
    )
    .option('--accept-change', 'the change that somebody has made to the target in the pins file was meant');
  addPlaces(addAsking(abort))
    .addHelpText('after', abortExamples)
    .action(async (target: string, flags: MoveFlags) => {
      finish(await (await import('../rotate/commands.ts')).moveRotation('abort', target, flags, io));
    });
}

function addCommon(command: Command): Command {
  return command
    .option('--file <file>', 'the pins file', 'certpin.json')
    .addOption(new Option('--json', 'print one JSON object; nothing is asked'));
}

function addAsking(command: Command): Command {
  return command
    .option('--timeout <seconds>', 'longest time for one address (default: 10)')
    .option('-y, --yes', 'do not ask');
}

/** As for `certpin auth0 push`. */
function addPlaces(command: Command): Command {
  const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];
  return command
    .option('--values <file>', 'values of a tenant that nobody can read back, JSON')
    .option('--allow-commands', 'run the commands of the pins file')
    .option('--unreached <name>', 'an address that need not be reached', collect)
    .option('--drop <option>', 'an option of a connection that may be lost', collect)
    .option('--owner <tool>', 'none: no other tool writes this tenant, although files of one are there');
}
