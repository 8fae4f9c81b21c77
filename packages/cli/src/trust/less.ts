import {
  changedMeanwhile,
  changePinsFile,
  changeText,
  type Entry,
  findTargets,
  hasRevoked,
  isSamePin,
  listsPin,
  openPinsFile,
  type PinsDocument,
} from '@certpin/pins-file';
import { createPolicy, formatPin, type Pin, type Policy, parsePins } from 'certpin';
import { readPinValues } from '../command-line/pins.ts';
import { refuseConnectionString } from '../command-line/target.ts';
import { readEach, readTargetTexts } from '../command-line/target-list.ts';
import { type Failure, failureOf, printFailure, printFailures, UsageError } from '../failure.ts';
import { FileError } from '../files/file-error.ts';
import { type ExitCode, type Io, printable, printError, printHint, printJson, printSummary, printText } from '../io.ts';
import type { TrustFlags } from './flags.ts';
import { codeOf, isDone, summarize, type TrustStatus } from './status.ts';
import { pinsOf } from './step.ts';

interface Outcome {
  readonly entry: Entry;
  status: TrustStatus;
  error?: Failure;
}

/** What is removed: a target, or pins of it. */
interface Taking {
  /** undefined: whole targets are removed. */
  readonly pins: readonly Pin[] | undefined;
  readonly document: PinsDocument;
}

/** `--remove` and `--revoke`: no connection is made. */
export async function trustLess(args: readonly string[], flags: TrustFlags, io: Io): Promise<ExitCode> {
  const { file, targetsFile = [], quiet, json, revoke } = flags;
  let taking: Taking;
  let entries: readonly Entry[];
  try {
    refuseConnectionString(file);
    const pins = revoke === undefined ? undefined : parsePins(readPinValues('--revoke', revoke));
    const document = openPinsFile(file);
    if (document === undefined) throw new FileError(`${file}: no such file`);
    taking = { pins, document };
    const names = [...args.map((text) => ({ text })), ...(await readTargetTexts(targetsFile, io))];
    const found = readEach(names, (name) => findTargets(document, [name]));
    if (found.refusals.length > 0) {
      printFailures(io, 'trust', found.refusals);
      return 2;
    }
    const wanted = new Set(found.results.flat());
    entries = names.length === 0 ? thatList(taking) : document.entries.filter((entry) => wanted.has(entry));
  } catch (error) {
    printFailure(io, { command: 'trust', label: undefined, failure: failureOf(error) });
    return 2;
  }
  if (entries.length === 0) throw new UsageError('no target of the file has this pin: name the target', 'trust');
  const outcomes: Outcome[] = [];
  for (const entry of entries) outcomes.push({ entry, status: await decide(entry, taking, flags, io) });
  await write(outcomes, taking, flags, io);
  for (const outcome of outcomes) tell(outcome, taking, flags, io);
  if (targetsFile.length > 0 && !quiet && !json) printSummary(io, summarize(outcomes));
  return codeOf(outcomes);
}

/** A leaked pin is revoked wherever it is. */
function thatList({ document, pins = [] }: Taking): readonly Entry[] {
  return document.entries.filter(({ policy }) => pins.some((pin) => listsPin(policy, pin)));
}

async function decide(entry: Entry, { pins, document }: Taking, flags: TrustFlags, io: Io): Promise<TrustStatus> {
  const { file, yes, json } = flags;
  const { label, policy } = entry;
  const fresh = pins?.filter((pin) => !hasRevoked(entry, pin));
  if (fresh?.length === 0) return 'already-revoked';
  if (fresh !== undefined && [...policy.pins, ...policy.issuerPins].every((pin) => goesWith(fresh, pin, policy))) {
    if (!json) {
      printError(io, `${label}: no pin would be left; ${file} is as it was`);
      printHint(io, 'add the next pin first (--from next.crt --add), or take the target out (--remove)');
    }
    return 'refused';
  }
  const done: TrustStatus = fresh === undefined ? 'removed' : 'pin-revoked';
  if (yes) return done;
  const version = fresh !== undefined && document.version === 1 ? ', which becomes version 2 of the format' : '';
  const what =
    fresh === undefined
      ? `take ${label} and its pins out of ${file}`
      : `revoke ${fresh.map((pin) => formatPin(pin)).join(', ')} of ${label} for ever in ${file}${version}`;
  const answer = json ? undefined : await io.confirm(printable(`${what}? [y/N] `));
  if (answer === true) return done;
  if (!json) {
    const why = answer === false ? `${file} is as it was` : 'there is no terminal to ask on; nothing was written';
    printError(io, `${label}: ${why}`);
    if (answer === undefined) printHint(io, '--yes');
  }
  return answer === false ? 'declined' : 'unconfirmed';
}

/** Whether removing one of `gone` removes a pin too. Removing the pin of a key also removes a whole certificate with this key. */
function goesWith(gone: readonly Pin[], pin: Pin, { knownCertificates }: Policy): boolean {
  const whole = knownCertificates.find(
    ({ certificateSha256 }) => pin.kind === 'certificate' && certificateSha256 === pin.sha256,
  );
  return gone.some(
    (one) => isSamePin(one, pin) || (one.kind === 'public-key' && one.sha256 === whole?.publicKeySha256),
  );
}

async function write(
  outcomes: readonly Outcome[],
  { pins = [] }: Taking,
  { file, reason, json }: TrustFlags,
  io: Io,
): Promise<void> {
  const planned = outcomes.filter(({ status }) => status === 'removed' || status === 'pin-revoked');
  if (planned.length === 0) return;
  const since = new Date().toISOString().slice(0, 10);
  try {
    await changePinsFile(file, (document) => {
      if (document === undefined) throw changedMeanwhile(file);
      const now = new Map(document.entries.map((entry) => [entry.key, entry]));
      const found = planned.map(({ entry, status }) => {
        const current = now.get(entry.key);
        if (current === undefined || pinsOf(current) !== pinsOf(entry)) throw changedMeanwhile(file);
        return { entry: current, isRemoved: status === 'removed' };
      });
      return changeText(document.text, {
        remove: found.flatMap(({ entry, isRemoved }) => (isRemoved ? [entry.index] : [])),
        entries: found.flatMap(({ entry: { index, revoked }, isRemoved }) => {
          const fresh = pins.filter((pin) => !hasRevoked({ revoked }, pin));
          const revoke = fresh.map((pin) => ({ pin: formatPin(pin), since, reason }));
          const drop = (text: string): boolean => {
            const policy = createPolicy({ pins: text });
            return fresh.some((pin) => listsPin(policy, pin));
          };
          return isRemoved ? [] : [{ index, drop, revoke }];
        }),
      });
    });
  } catch (error) {
    const failure = failureOf(error);
    for (const outcome of planned) Object.assign(outcome, { status: 'failed', error: failure });
    if (!json) printFailure(io, { command: 'trust', label: undefined, failure });
  }
}

const words: Partial<Record<TrustStatus, string>> = {
  removed: 'removed from',
  'pin-revoked': 'pin revoked in',
  'already-revoked': 'already revoked in',
};

function tell({ entry, status, error }: Outcome, { pins }: Taking, { file, json, quiet }: TrustFlags, io: Io): void {
  const said = words[status];
  if (json) {
    const spelled = (list: readonly Pin[]): string[] => list.map((pin) => formatPin(pin));
    const about = error === undefined ? { previousPins: spelled(entry.policy.pins) } : { error };
    const revoked = pins === undefined ? {} : { pins: spelled(pins) };
    printJson(io, { target: entry.label, file, status, ok: isDone(status), ...revoked, ...about });
  } else if (said !== undefined && !quiet) printText(io, printable(`${said} ${file}: ${entry.label}`));
}
