import type { Pulled } from '@certpin/auth0';
import type { Command } from 'commander';
import {
  addDeliveryOptions,
  credentialsHelp,
  type DeliveryFlags,
  tellUnasked,
  toDeliverOptions,
  withWork,
} from '../auth0/deliveries.ts';
import { TargetArgument } from '../command-line/target-argument.ts';
import { type ExitCode, type Io, printable, printError, printHint, printJson, printText, stdoutColors } from '../io.ts';

const command = 'auth0 pull';

interface PullFlags extends DeliveryFlags {
  readonly yes?: true;
}

const description = `Take the pins from their places into the pins file, after somebody has changed them there by hand.

Only places that can be read count: lines of scripts and of code, and files. If no place of a target
can be read, or only as ciphertext, pull says so and changes nothing. It takes no revoked pin. If the
places of a target differ, it takes none of them.

${credentialsHelp}
Check the result with certpin check: everybody who can log in to the tenant can change a place.`;

const examples = `
Examples:
  certpin auth0 pull
  certpin auth0 pull customer-db --yes --json

Exit code: 0 the pins file has the pins of the places. 1 refused, or you said no. 2 a target could
not be read, or there is no terminal to ask on.`;

export function defineAuth0Pull(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  const defined = group
    .command('pull')
    .summary('take the pins from the places into the pins file')
    .description(description)
    .addArgument(new TargetArgument('[target...]', 'targets of the pins file, by id or address (default: all)'))
    .option('-y, --yes', 'do not ask');
  addDeliveryOptions(defined)
    .addHelpText('after', examples)
    .action(async (targets: readonly string[], flags: PullFlags) => finish(await pull(targets, flags, io)));
}

async function pull(targets: readonly string[], flags: PullFlags, io: Io): Promise<ExitCode> {
  const { file, yes, json } = flags;
  const options = toDeliverOptions(flags, command, io);
  let wasAsked = true;
  const confirm = async (found: readonly Pulled[]): Promise<boolean> => {
    if (yes) return true;
    for (const one of found) if (!json) print(io, one);
    const answer = json ? undefined : await io.confirm(printable(`write them into ${file}? [y/N] `));
    wasAsked = answer !== undefined;
    return answer === true;
  };
  let found: readonly Pulled[];
  try {
    // Loaded here, so that the other commands do not wait for it.
    const { pullDeliveries } = await import('@certpin/auth0');
    found = await withWork(io, (how) => pullDeliveries(file, targets, { ...options, ...how }, confirm));
  } catch (error) {
    return tellUnasked(io, command, error);
  }
  const isDeclined = found.some(({ status }) => status === 'declined');
  const code = codeOf(found, wasAsked);
  if (json) printJson(io, { file, ok: code === 0, targets: found });
  else if (!isDeclined) for (const one of found) print(io, one);
  if (isDeclined && !json) {
    printError(io, wasAsked ? `${file} is as it was` : 'there is no terminal to ask on; nothing was written');
    if (!wasAsked) printHint(io, '--yes');
  }
  return code;
}

function codeOf(found: readonly Pulled[], wasAsked: boolean): ExitCode {
  const has = (status: Pulled['status']): boolean => found.some((one) => one.status === status);
  if (has('refused')) return 1;
  if (has('declined')) return wasAsked ? 1 : 2;
  return has('unknown') ? 2 : 0;
}

function print(io: Io, { target, status, reason, pins, previousPins }: Pulled): void {
  const { green, red, yellow } = stdoutColors(io);
  const color = ['same', 'changed'].includes(status) ? green : status === 'refused' ? red : yellow;
  printText(io, `${color(status)} ${printable(target)}: ${printable(reason)}`);
  if (status !== 'would-change' && status !== 'changed') return;
  for (const pin of previousPins) if (!pins.includes(pin)) printText(io, `  - ${pin}`);
  for (const pin of pins) if (!previousPins.includes(pin)) printText(io, `  + ${pin}`);
}
