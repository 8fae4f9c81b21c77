import { endsTooEarly, nextStepOf, type Rotation, stepsOf } from '@certpin/pins-file';
import { type Io, printable, printError, printHint, printJson, printText, printWarning, stdoutColors } from '../io.ts';
import { type Swap, swapCommands } from './swap-commands.ts';
import { minute, type Names, settledWords, type Told, tellHindrance } from './words.ts';
import type { Delivery, Moved } from './world.ts';

/** What `certpin rotate --json` prints of a rotation. Fields are added, never renamed. */
interface RotationReport {
  readonly target: string;
  readonly id: string | null;
  readonly file: string;
  /** Whether the command has done what it was asked for. */
  readonly ok: boolean;
  /** The last step that is done. */
  readonly step: string;
  /** What comes next. null: the rotation has ended. */
  readonly next: string | null;
  readonly ended: string | null;
  readonly leaked: boolean;
  readonly nextPin: string;
  readonly oldPins: readonly string[];
  readonly steps: Rotation['done'];
  readonly addresses?: readonly object[];
  readonly places?: readonly object[];
  readonly commands?: readonly Swap[];
  readonly warning?: string;
  readonly reason?: string;
  readonly details?: readonly string[];
  readonly hints?: readonly string[];
}

/** How far a rotation is: each step, and how it is known. */
export function showRotation(
  rotation: Rotation,
  names: Names,
  { io, json }: { readonly io: Io; readonly json: boolean },
): void {
  const commands = commandsOf(rotation);
  if (json) {
    printJson(io, { ...reportOf(rotation, names, true), ...(commands === undefined ? {} : { commands }) });
    return;
  }
  const { bold, dim } = stdoutColors(io);
  const { next, done, ended } = rotation;
  const say = (text: string): void => printText(io, printable(text));
  printText(io, bold(printable(`${rotation.target}: ${ended?.how ?? done.at(-1)?.step}`)));
  say(`  next pin  ${next.pin}, of ${next.file} (${next.source})`);
  for (const pin of rotation.old) say(`  old pin   ${pin}`);
  for (const step of stepsOf(rotation)) {
    const found = done.find((one) => one.step === step);
    if (found !== undefined) {
      say(`  ${step.padEnd(9)} ${found.evidence.padEnd(6)}  ${minute(found.at)}  ${found.because}`);
      continue;
    }
    const waits = step === 'settled' ? `  ${settledWords(rotation, names.now)}` : '';
    printText(io, dim(printable(`  ${step.padEnd(9)} open  ${waits}`.trimEnd())));
  }
  if (commands !== undefined) printSwap(io, commands);
  warnOfEnd(rotation, names, io);
  sayNext(rotation, names, io);
}

/** If the servers must be changed now, the commands for that. If the rotation is being taken back, the commands for the way back. */
function commandsOf(rotation: Rotation): readonly Swap[] | undefined {
  if (rotation.ended !== undefined) return undefined;
  if (rotation.begun?.step === 'abort') return swapCommands(rotation, 'back');
  return rotation.done.at(-1)?.step === 'swapped' ? swapCommands(rotation, 'there') : undefined;
}

/** What a command has done. */
export function showMoved(
  { rotation, hindrance, presented, deliveries }: Moved,
  names: Names,
  { io, json, wanted }: { readonly io: Io; readonly json: boolean; readonly wanted: 'next' | 'abort' },
): 0 | 1 | 2 | 130 {
  const told = hindrance && tellHindrance(hindrance, names, rotation);
  const way = hindrance?.why === 'presents-other' && wanted === 'abort' ? 'back' : 'there';
  const isSwap = (hindrance === undefined && rotation.done.at(-1)?.step === 'swapped') || way === 'back';
  const commands = isSwap && (rotation.ended === undefined || way === 'back') ? swapCommands(rotation, way) : undefined;
  if (json) {
    printJson(io, {
      ...reportOf(rotation, names, told === undefined),
      ...(presented === undefined ? {} : { addresses: presented }),
      ...(deliveries === undefined ? {} : { places: deliveries }),
      ...(commands === undefined ? {} : { commands }),
      ...(told === undefined ? {} : { reason: told.reason, details: told.details, hints: told.hints }),
    });
    return told?.exit ?? 0;
  }
  if (told !== undefined) {
    printRefusal(io, rotation.target, told);
    if (commands !== undefined) printSwap(io, commands);
    return told.exit;
  }
  const last = rotation.done.at(-1);
  const what =
    rotation.ended?.how === 'aborted' ? abortedWords(rotation) : `${last?.step} (${last?.evidence}): ${last?.because}`;
  printText(io, printable(`${rotation.target}: ${what}`));
  for (const { address, reason } of presented ?? []) printText(io, printable(`  ${address}: ${reason}`));
  for (const { state, reason } of deliveries ?? []) printText(io, printable(`  ${state.padEnd(6)} ${reason}`));
  if (commands !== undefined) printSwap(io, commands);
  warnOfFiles(rotation, deliveries ?? [], io);
  warnOfEnd(rotation, names, io);
  sayNext(rotation, names, io);
  return 0;
}

export function printRefusal(io: Io, label: string, { reason, details, hints }: Told): void {
  printError(io, `${label}: ${reason}`);
  for (const detail of details) io.stderr(`  ${printable(detail)}\n`);
  for (const hint of hints) printHint(io, hint);
}

function printSwap(io: Io, swaps: readonly Swap[]): void {
  for (const { server, commands, notes } of swaps) {
    printText(io, printable(`on each ${server === 'this server' ? 'server' : `server (${server})`}:`));
    for (const command of commands) printText(io, printable(`  ${command}`));
    for (const note of notes) printText(io, printable(`  # ${note}`));
  }
}

/** The wait begins now, but a reader of the file has the pins only when the file is deployed. */
function warnOfFiles({ target }: Rotation, deliveries: readonly Delivery[], io: Io): void {
  const files = [...new Set(deliveries.flatMap(({ file = [] }) => file))];
  if (files.length > 0) printWarning(io, `${target}: deploy ${files.join(', ')} now: certpin has written it here only`);
}

function warnOfEnd(rotation: Rotation, { now }: Names, io: Io): void {
  const early = endsTooEarly(rotation, now);
  if (early !== undefined) printWarning(io, `${rotation.target}: ${endWords(early)}`);
}

function endWords({ end, until }: { readonly end: string; readonly until: string }): string {
  return `the old certificate ends at ${minute(end)}, before the wait is over at ${minute(until)}: from then on every login fails until the servers are swapped`;
}

function abortedWords({ wasPinned }: Rotation): string {
  return wasPinned ? 'aborted: the next pin stays, as it stood there before' : 'aborted: the next pin is out';
}

/** The command that comes next. */
function sayNext(rotation: Rotation, { target, option, places }: Names, io: Io): void {
  if (rotation.ended !== undefined) return;
  const isBack = rotation.begun?.step === 'abort';
  printText(io, printable(`next: certpin rotate ${isBack ? 'abort' : 'next'} ${target}${option}${places}`));
}

function reportOf(rotation: Rotation, { file, now }: Names, ok: boolean): RotationReport {
  const early = endsTooEarly(rotation, now);
  return {
    ...{ target: rotation.target, id: rotation.id ?? null, file, ok, step: rotation.done.at(-1)?.step ?? '' },
    next: rotation.ended === undefined ? (nextStepOf(rotation) ?? null) : null,
    ...{
      ended: rotation.ended?.how ?? null,
      leaked: rotation.leaked,
      nextPin: rotation.next.pin,
      oldPins: rotation.old,
    },
    steps: rotation.done,
    ...(early === undefined ? {} : { warning: endWords(early) }),
  };
}
