import {
  type Entry,
  findRotation,
  findTargets,
  isUnderWay,
  loadPinsFile,
  lockRotation,
  openPinsFile,
  type Rotation,
  type RotationLock,
  readRotations,
} from '@certpin/pins-file';
import { CertpinError, parsePin } from 'certpin';
import { tellUnasked } from '../auth0/deliveries.ts';
import { refuseConnectionString } from '../command-line/target.ts';
import { failureOf, UsageError } from '../failure.ts';
import { FileError } from '../files/file-error.ts';
import { FileReader } from '../files/file-reader.ts';
import { type ExitCode, type Io, printable, printError, printJson, printText, printWarning, quote } from '../io.ts';
import { createCourier, usualWait } from './courier.ts';
import type { MoveFlags, RotateFlags, StartFlags } from './flags.ts';
import { readSettle, readTimeout } from './flags.ts';
import { takeBack, takeNextStep } from './move.ts';
import { type Next, readNext, UnusableNext } from './next-certificate.ts';
import { askEveryAddress } from './present.ts';
import { createWorld } from './real-world.ts';
import { printRefusal, showMoved, showRotation } from './show.ts';
import { begin } from './start.ts';
import type { Names } from './words.ts';
import type { Question } from './world.ts';

/** `certpin rotate start` */
export async function startRotation(target: string, flags: StartFlags, io: Io): Promise<ExitCode> {
  const settle = flags.settle === undefined ? undefined : readSettle(flags.settle);
  const timeoutMs = readTimeout(flags.timeout);
  return led('start', target, flags, io, async ({ entry, names, lock, rotation: earlier }) => {
    const { json = false, leaked: leakedText } = flags;
    const leaked = leakedText === undefined ? undefined : readLeaked(leakedText);
    const refuse = (exit: 1 | 2, reason: string, hint?: string): ExitCode => {
      const hints = hint === undefined ? [] : [hint.replaceAll('FILE', () => quote(flags.file))];
      if (json) printJson(io, { target: entry.label, file: flags.file, ok: false, reason, details: [], hints });
      else printRefusal(io, entry.label, { exit, reason, details: [], hints });
      return exit;
    };
    // A leak is more urgent than a running rotation.
    if (earlier !== undefined && isUnderWay(earlier) && leaked === undefined) {
      return refuse(1, 'a rotation is under way', `certpin rotate status ${names.target}${names.option}`);
    }
    let next: Next;
    try {
      const asked = {
        next: flags.next,
        key: flags.key,
        publicKey: flags.publicKey === true,
        anyName: flags.anyName === true,
      };
      next = await readNext(entry, asked, new FileReader(flags, io), names.now);
    } catch (error) {
      if (!(error instanceof UnusableNext)) throw error;
      return refuse(1, error.message, error.hint);
    }
    const answers = await askEveryAddress(entry, timeoutMs, io);
    const given = {
      entry,
      next,
      answers,
      settleSeconds: settle ?? (await usualWait(flags.file, entry)),
      leaked,
      name: names.target,
      now: new Date(),
    };
    const rotation = begin(given);
    if ('exit' in rotation) return refuse(rotation.exit, rotation.reason, rotation.hint);
    if (leaked !== undefined && !flags.yes) {
      if (!json) printWarning(io, `${entry.label}: ${costOfLeak(rotation)}`);
      const answer = json ? undefined : await io.confirm(printable(`begin, with the old pin first? [y/N] `));
      if (answer !== true) {
        return answer === false
          ? refuse(1, 'nothing was begun')
          : refuse(2, 'there is no terminal to ask on; nothing was begun', '--yes');
      }
    }
    await lock.save(rotation);
    showRotation(rotation, names, { io, json });
    if (!json && next.certificate !== undefined && next.key === undefined) {
      printWarning(
        io,
        `${entry.label}: it was not checked whether the server's private key belongs to the next certificate: --key FILE`,
      );
    }
    return 0;
  });
}

function readLeaked(text: string): ReturnType<typeof parsePin> {
  try {
    return parsePin(text);
  } catch (error) {
    throw new UsageError(`--leaked: ${failureOf(error).message}`, 'rotate');
  }
}

function costOfLeak({ old }: Rotation): string {
  return `from the step "added" on, ${old.join(', ')} is revoked for ever. From the delivery on, every login fails at a server that still presents the old certificate. So have the next one ready at every server, and swap at once`;
}

/** `certpin rotate next`, and `abort`. */
export async function moveRotation(
  wanted: 'next' | 'abort',
  target: string,
  flags: MoveFlags,
  io: Io,
): Promise<ExitCode> {
  return led(wanted, target, flags, io, async ({ rotation, entry, names, lock }) => {
    const { json = false } = flags;
    if (rotation === undefined) {
      const hint = `certpin rotate start ${names.target}${names.option} --next FILE`;
      if (json)
        printJson(io, { target: entry.label, file: flags.file, ok: false, reason: NONE, details: [], hints: [hint] });
      else printRefusal(io, entry.label, { exit: 1, reason: NONE, details: [], hints: [hint] });
      return 1;
    }
    const agree = async (question: Question): Promise<'yes' | 'no' | 'unasked'> => {
      if (flags.yes) return 'yes';
      const answer = json
        ? undefined
        : await io.confirm(printable(`${questionFor(question, rotation, flags.file)} [y/N] `));
      return answer === undefined ? 'unasked' : answer ? 'yes' : 'no';
    };
    const around = { file: flags.file, rotation, lock, courier: createCourier(rotation, flags, io), agree, io };
    const world = createWorld({ ...around, timeoutMs: readTimeout(flags.timeout), reason: flags.reason });
    const said = {
      byHand: flags.byHand === true,
      acceptChange: flags.acceptChange === true,
      noCanary: flags.canary === false,
    };
    const moved = await (wanted === 'next' ? takeNextStep : takeBack)(rotation, world, said);
    return showMoved(moved, { ...names, now: new Date() }, { io, json, wanted });
  });
}

const NONE = 'no rotation of it is under way';

function questionFor(question: Question, { next, old, leaked, target }: Rotation, file: string): string {
  const olds = old.join(', ');
  if (question === 'delivered') return `${target}: bring the pins of ${file} to every place?`;
  if (question === 'retired') return `${target}: take ${olds} out of ${file}, and out of every place?`;
  if (question === 'abort') return `${target}: take ${next.pin} out again, of ${file} and of every place?`;
  return leaked
    ? `${target}: add ${next.pin} to ${file}, and revoke ${olds} for ever?`
    : `${target}: add ${next.pin} to ${file}, beside the old one?`;
}

/** `certpin rotate status` */
export async function showStatus(target: string | undefined, flags: RotateFlags, io: Io): Promise<ExitCode> {
  try {
    refuseConnectionString(flags.file);
    const document = loadPinsFile(flags.file);
    const rotations = readRotations(flags.file);
    const { json = false } = flags;
    if (target === undefined) {
      const running = rotations.filter(isUnderWay);
      for (const one of running) showRotation(one, namesOf(one, flags), { io, json });
      if (running.length === 0 && !json) printText(io, `${flags.file}: no rotation is under way`);
      return running.length === 0 ? 1 : 0;
    }
    const entry = oneTarget(document, target);
    const rotation = findRotation(rotations, entry);
    if (rotation === undefined) {
      if (json)
        printJson(io, { target: entry.label, file: flags.file, ok: false, reason: NONE, details: [], hints: [] });
      else printError(io, `${entry.label}: ${NONE}`);
      return 1;
    }
    showRotation(rotation, namesOf(rotation, flags), { io, json });
    return isUnderWay(rotation) ? 0 : 1;
  } catch (error) {
    return failed(error, io);
  }
}

interface Led {
  readonly entry: Entry;
  readonly rotation: Rotation | undefined;
  readonly names: Names;
  readonly lock: RotationLock;
}

/** Finds the target and leads its rotation. No other command can do so at the same time. */
async function led(
  command: 'start' | 'next' | 'abort',
  target: string,
  flags: RotateFlags,
  io: Io,
  lead: (led: Led) => Promise<ExitCode>,
): Promise<ExitCode> {
  let lock: RotationLock | undefined;
  try {
    refuseConnectionString(flags.file);
    const document = openPinsFile(flags.file);
    if (document === undefined) throw new FileError(`${flags.file}: no such file`, 'certpin help trust');
    const entry = oneTarget(document, target);
    if (entry.target.protocol === 'file') throw invalid(`${entry.label} is a file: a rotation is of a server`);
    lock = await lockRotation(flags.file, entry.key);
    const rotation = findRotation(readRotations(flags.file), entry);
    return await lead({ entry, rotation, names: namesOf(entry, flags, command), lock });
  } catch (error) {
    return failed(error, io);
  } finally {
    lock?.release();
  }
}

/** @throws CertpinError `ERR_TARGET_INVALID` */
function oneTarget(document: ReturnType<typeof loadPinsFile>, name: string): Entry {
  const [entry, ...others] = findTargets(document, [name]);
  if (entry === undefined || others.length > 0)
    throw invalid('it means several targets: name one, by its id or address');
  return entry;
}

function invalid(reason: string): CertpinError<'ERR_TARGET_INVALID'> {
  return new CertpinError('ERR_TARGET_INVALID', reason, { reason });
}

function namesOf(
  one: { readonly id?: string | undefined; readonly label?: string; readonly target: unknown },
  flags: RotateFlags & Partial<MoveFlags>,
  command: 'start' | 'next' | 'abort' = 'next',
): Names {
  const { file } = flags;
  const option = file === 'certpin.json' ? '' : ` --file ${quote(file)}`;
  const target = quote(one.id ?? one.label ?? String(one.target));
  const places = command === 'start' ? '' : placesOf(flags);
  const yes = flags.yes && command !== 'start' ? ' --yes' : '';
  const again = `certpin rotate ${command} ${target}${option}${places}${yes}`;
  return { target, file, option, places, again, now: new Date() };
}

/** A printed command can be pasted. Without the file of values, it would be refused again. */
function placesOf({ values, allowCommands, unreached = [], drop = [], owner }: Partial<MoveFlags>): string {
  const options = [
    ...(values === undefined ? [] : [`--values ${quote(values)}`]),
    ...(allowCommands ? ['--allow-commands'] : []),
    ...unreached.map((name) => `--unreached ${quote(name)}`),
    ...drop.map((name) => `--drop ${quote(name)}`),
    ...(owner === undefined ? [] : [`--owner ${quote(owner)}`]),
  ];
  return options.map((option) => ` ${option}`).join('');
}

function failed(error: unknown, io: Io): ExitCode {
  if (error instanceof UsageError) throw error;
  return tellUnasked(io, 'rotate', error);
}
