import type { Delivered, DeliveryOutcome } from '@certpin/auth0';
import { findTargets, hasRevoked, listsPin, loadPinsFile } from '@certpin/pins-file';
import { parsePins } from 'certpin';
import { type Command, Option } from 'commander';
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
import { readPinValues } from '../command-line/pins.ts';
import { TargetArgument } from '../command-line/target-argument.ts';
import { UsageError } from '../failure.ts';
import {
  type ExitCode,
  type Io,
  printable,
  printError,
  printHint,
  printJson,
  printText,
  printWarning,
  quote,
  stdoutColors,
} from '../io.ts';
import type { TrustFlags } from '../trust/flags.ts';

const command = 'auth0 push';

interface PushFlags extends DeliveryFlags {
  readonly dryRun?: true;
  readonly verifyLogin?: true;
  readonly yes?: true;
  readonly undo?: true;
  readonly values?: string;
  readonly allowCommands?: true;
  readonly leaked?: string[];
  readonly reason?: string;
  readonly unreached?: string[];
  readonly drop?: string[];
}

const description = `Bring the pins of a pins file to every place that its deliver lists name. A place is the
configuration of a custom database connection, a secret or the code of an Action, a script, a file,
or a command.

First, everything is read and planned. Then every address of every target is asked. The pins must
match what each address presents now, or nothing is written. Everything else of a connection or an
Action stays as it is. If that is not possible, push refuses and names what would be lost. After a
write, push reads again and compares. If there is a difference, it stops and prints how to take the
push back.

${credentialsHelp}
--values is a JSON file for values that nobody can read back:
{"connections": {"NAME": {"KEY": "value"}}, "actions": {"NAME": {"KEY": "value"}}}.

Each push is recorded in a journal beside the pins file. --undo takes the last push back.

--verify-login lets a user log in over each connection, before and after the write. Its name and
password come from CERTPIN_CANARY_USERNAME and CERTPIN_CANARY_PASSWORD. The user needs no rights. The
client needs the password-realm grant.`;

const examples = `
Examples:
  certpin auth0 push --dry-run                          what would be written, and whether it may be
  certpin auth0 push
  certpin auth0 push customer-db --yes --json
  certpin auth0 push --values values.json               the other keys of the configuration
  certpin auth0 push --unreached 203.0.113.7            a standby that is switched off
  certpin auth0 push --leaked AABB… --reason "laptop"   revokes the pin in the file first
  certpin auth0 push --verify-login --yes
  certpin auth0 push --undo

Exit code: 0 the pins are at every place that push may write. With --dry-run: push may write them.
1 refused, or something failed. 2 the question could not be asked, no place is in this tenant, or the
login was not verified. 130 interrupted by Ctrl-C.`;

export function defineAuth0Push(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];
  const defined = group
    .command('push')
    .summary('bring the pins to their places')
    .description(description)
    .addArgument(new TargetArgument('[target...]', 'targets of the pins file, by id or address (default: all)'))
    .addOption(new Option('--dry-run', 'read, plan and ask every server; write nothing').conflicts(['yes', 'leaked']))
    .option('--verify-login', 'let a user log in over each connection, before and after')
    .option('-y, --yes', 'do not ask')
    .addOption(new Option('--undo', 'take the last push back').conflicts('leaked'))
    .option('--values <file>', 'values that nobody can read back, JSON')
    .option('--allow-commands', 'run the commands of the pins file')
    .option('--leaked <pin>', 'revoke this pin first, as certpin trust --revoke does', collect)
    .option('--reason <text>', 'with --leaked: the reason, written into the file')
    .option('--unreached <name>', 'an address, or a target, that need not be reached', collect)
    .option('--drop <option>', 'an option of a connection that may be lost', collect);
  addDeliveryOptions(defined)
    .addHelpText('after', examples)
    .action(async (targets: readonly string[], flags: PushFlags) => finish(await push(targets, flags, io)));
}

async function push(targets: readonly string[], flags: PushFlags, io: Io): Promise<ExitCode> {
  const { file, json, yes, undo, dryRun, leaked, reason } = flags;
  if (undo && targets.length > 0) throw new UsageError('--undo takes no target: it takes the last push back', command);
  if (reason !== undefined && leaked === undefined) throw new UsageError('--reason goes with --leaked', command);
  const options = toDeliverOptions(flags, command, io);
  try {
    const revoked = leaked === undefined ? 0 : await revoke(targets, leaked, flags, io);
    if (revoked !== 0) return revoked;
    // Loaded here, so that the other commands do not wait for it.
    const { deliver, undoDelivery } = await import('@certpin/auth0');
    const { values, allowCommands, unreached, drop, verifyLogin } = flags;
    let wasAsked = true;
    const confirm = async (outcomes: readonly DeliveryOutcome[]): Promise<boolean> => {
      for (const outcome of outcomes) if (!json) print(io, outcome);
      const question = undo ? 'take the last push back? [y/N] ' : 'write these places? [y/N] ';
      const answer = json ? undefined : await io.confirm(question);
      wasAsked = answer !== undefined;
      return answer === true;
    };
    const delivered = await withWork(io, (how) => {
      const all = { ...options, ...how, values, allowCommands, unreached, drop, verifyLogin, dryRun };
      const asking = yes || dryRun ? all : { ...all, confirm };
      return undo ? undoDelivery(file, asking) : deliver(file, targets, asking);
    });
    tell(delivered, flags, wasAsked, io);
    return codeOf(delivered, wasAsked);
  } catch (error) {
    return tellUnasked(io, command, error);
  }
}

/** The same revocation as `certpin trust --revoke`. If the pin is revoked already, there is nothing to do. */
async function revoke(
  targets: readonly string[],
  leaked: readonly string[],
  { file, yes, reason }: PushFlags,
  io: Io,
): Promise<ExitCode> {
  const document = loadPinsFile(file);
  const entries = targets.length === 0 ? document.entries : findTargets(document, targets);
  const pins = parsePins(readPinValues('--leaked', leaked));
  const missing = pins.filter((pin) => !entries.some((entry) => listsPin(entry.policy, pin) || hasRevoked(entry, pin)));
  if (missing.length > 0) throw new UsageError('no target has the pin of --leaked', command);
  const meant = entries.filter(({ policy }) => pins.some((pin) => listsPin(policy, pin)));
  if (meant.length === 0) return 0;
  const { trustLess } = await import('../trust/less.ts');
  const names = meant.map(({ id, label }) => id ?? label);
  const quietly: TrustFlags = {
    ...{ file, revoke: [...leaked], quiet: true },
    ...(yes ? { yes } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
  return trustLess(names, quietly, io);
}

function codeOf({ outcome, outcomes }: Delivered, wasAsked: boolean): ExitCode {
  if (outcome === 'done') return areAllElsewhere(outcomes) ? 2 : 0;
  if (outcome === 'interrupted') return 130;
  if (outcome === 'unknown') return 2;
  return outcome === 'declined' && !wasAsked ? 2 : 1;
}

function tell(delivered: Delivered, { file, json, undo }: PushFlags, wasAsked: boolean, io: Io): void {
  const { outcome, outcomes, problems, push, snapshot, unfinished } = delivered;
  if (json) {
    printJson(io, { file, ok: codeOf(delivered, wasAsked) === 0, ...delivered });
    return;
  }
  // A person who was asked has seen them.
  if (outcome !== 'declined') for (const one of outcomes) print(io, one);
  if (unfinished !== undefined)
    printWarning(io, `the push ${unfinished} was cut off; this one has begun from what stands there`);
  tellProblems(io, problems);
  tellElsewhere(io, outcomes);
  if (outcome === 'declined') {
    printError(io, wasAsked ? 'nothing was written' : 'there is no terminal to ask on; nothing was written');
    if (!wasAsked) printHint(io, '--yes');
  }
  if (outcome === 'refused' || (outcome === 'unknown' && push === undefined)) printError(io, 'nothing was written');
  if (push === undefined || problems.length === 0) return;
  printError(io, `what stood there before is in ${snapshot}`);
  if (!undo) printHint(io, `certpin auth0 push --undo${file === 'certpin.json' ? '' : ` --file ${quote(file)}`}`);
}

function print(io: Io, { target, status, reason }: DeliveryOutcome): void {
  const { green, red, yellow } = stdoutColors(io);
  const color = ['same', 'written'].includes(status) ? green : ['failed', 'not-done'].includes(status) ? red : yellow;
  printText(io, `${color(status)} ${printable(target)}: ${printable(reason)}`);
}
