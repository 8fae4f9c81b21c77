import type { Differences, PlaceDifference } from '@certpin/auth0';
import type { Command } from 'commander';
import {
  addDeliveryOptions,
  areAllElsewhere,
  credentialsHelp,
  type DeliveryFlags,
  tellElsewhere,
  tellProblems,
  tellUnasked,
  toDeliverOptions,
  withWork,
} from '../auth0/deliveries.ts';
import { TargetArgument } from '../command-line/target-argument.ts';
import { type ExitCode, type Io, printable, printJson, printText, stdoutColors } from '../io.ts';

const command = 'auth0 diff';

const description = `Say whether the pins of a pins file are at every place that its deliver lists name.

Lines of scripts, lines of code, and files can be read, so they are compared. The configuration of a
connection can be read only as ciphertext, and a secret not at all. For these, certpin auth0 push
has left a witness: a hash of what it wrote and of the ciphertext. While the witness fits, nobody
has changed the value. Without a witness, the answer is unknown.

${credentialsHelp}
Nothing is written. Places in other tenants are listed.`;

const examples = `
Examples:
  certpin auth0 diff
  certpin auth0 diff customer-db --file pins.json
  certpin auth0 diff --json

Exit code: 0 every place of this tenant has the pins. 1 a place has other pins, or none. 2 a place
could not be read, its content is not known, or no place is in this tenant.`;

export function defineAuth0Diff(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  const defined = group
    .command('diff')
    .summary('say whether the pins are at every place')
    .description(description)
    .addArgument(new TargetArgument('[target...]', 'targets of the pins file, by id or address (default: all)'));
  addDeliveryOptions(defined)
    .addHelpText('after', examples)
    .action(async (targets: readonly string[], flags: DeliveryFlags) => finish(await diff(targets, flags, io)));
}

async function diff(targets: readonly string[], flags: DeliveryFlags, io: Io): Promise<ExitCode> {
  const options = toDeliverOptions(flags, command, io);
  let found: Differences;
  try {
    // Loaded here, so that the other commands do not wait for it.
    const { diffDeliveries } = await import('@certpin/auth0');
    found = await withWork(io, (how) => diffDeliveries(flags.file, targets, { ...options, ...how }));
  } catch (error) {
    return tellUnasked(io, command, error);
  }
  const { places, problems } = found;
  if (flags.json) printJson(io, { file: flags.file, ok: codeOf(found) === 0, places, problems });
  else {
    for (const place of places) print(io, place);
    tellProblems(io, problems);
    tellElsewhere(io, places);
    if (places.length === 0) printText(io, `${printable(flags.file)}: no target has a place in deliver`);
  }
  return codeOf(found);
}

function codeOf({ places, problems }: Differences): ExitCode {
  if (places.some(({ status }) => status === 'differs')) return 1;
  return problems.length > 0 || areAllElsewhere(places) || places.some(({ status }) => status === 'unknown') ? 2 : 0;
}

function print(io: Io, { target, status, reason, found, wanted }: PlaceDifference): void {
  const { green, red, yellow } = stdoutColors(io);
  const color = status === 'same' ? green : status === 'differs' ? red : yellow;
  printText(io, `${color(status)} ${printable(target)}: ${printable(reason)}`);
  if (status !== 'differs') return;
  if (found !== null) printText(io, `  - ${printable(found)}`);
  printText(io, `  + ${printable(wanted)}`);
}
