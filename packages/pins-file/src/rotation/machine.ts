import { type FilePins, isUnderWay, nextStepOf, type Rotation, type RotationStep, type StepDone } from './rotation.ts';

/** What an address has just shown in a handshake. */
export interface Presented {
  readonly address: string;
  /** Whether a certificate was shown at all. */
  readonly reached: boolean;
  /** Whether it is the next certificate, and everything else that the target's policy demands holds. */
  readonly next: boolean;
  /** The same, for the pins that the file would have after the step. */
  readonly fits: boolean;
  /** Why not, or what it is, in one line. */
  readonly reason: string;
}

/** A change in the pins file that the rotation has not made. */
export interface Difference {
  readonly list: keyof FilePins;
  readonly pin: string;
  readonly how: 'added' | 'gone';
}

/** Why a step is not taken. */
export type Blocked =
  | { readonly why: 'ended'; readonly how: 'retired' | 'aborted' }
  | { readonly why: 'being-aborted' }
  | { readonly why: 'clock'; readonly seen: string }
  | { readonly why: 'no-target' }
  | { readonly why: 'differs'; readonly differences: readonly Difference[] }
  | { readonly why: 'waiting'; readonly until: string }
  | { readonly why: 'not-yet-valid'; readonly from: string }
  | { readonly why: 'expired'; readonly end: string }
  | { readonly why: 'unreached'; readonly addresses: readonly Presented[] }
  | { readonly why: 'presents-other'; readonly addresses: readonly Presented[] }
  | { readonly why: 'revoked-for-ever' };

/** Two machines need not agree to the second. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/**
 * Why no step can be taken, before anybody is asked.
 *
 * @param file what the pins file says of the target now. undefined: the target is no longer there
 */
export function findObstacle(
  rotation: Rotation,
  wanted: 'next' | 'abort',
  file: FilePins | undefined,
  now: Date,
): Blocked | undefined {
  const { ended, begun } = rotation;
  if (ended !== undefined) return { why: 'ended', how: ended.how };
  if (wanted === 'next' && begun?.step === 'abort') return { why: 'being-aborted' };
  const seen = lastTime(rotation);
  if (now.getTime() < Date.parse(seen) - CLOCK_TOLERANCE_MS) return { why: 'clock', seen };
  if (file === undefined) return { why: 'no-target' };
  const differences = differencesOf(rotation, file);
  return differences.length > 0 ? { why: 'differs', differences } : undefined;
}

function lastTime({ startedAt, done, begun }: Rotation): string {
  const times = [startedAt, ...done.map(({ at }) => at), ...(begun === undefined ? [] : [begun.at])];
  return times.reduce((latest, time) => (time > latest ? time : latest));
}

/** A killed rotation may have written the file or not: both are allowed. */
function differencesOf({ file: before, begun }: Rotation, file: FilePins): readonly Difference[] {
  const differences = compare(before, file);
  if (begun === undefined) return differences;
  const since = compare(begun.file, file);
  return since.length < differences.length ? since : differences;
}

function compare(before: FilePins, after: FilePins): Difference[] {
  return (['pins', 'issuerPins', 'revoked'] as const).flatMap((list) => [
    ...after[list].filter((pin) => !before[list].includes(pin)).map((pin) => ({ list, pin, how: 'added' }) as const),
    ...before[list].filter((pin) => !after[list].includes(pin)).map((pin) => ({ list, pin, how: 'gone' }) as const),
  ]);
}

/** Whether a person may say that a change by hand is intended. That is not possible if the next pin is gone and servers will present it. */
export function mayAccept({ next, done }: Rotation, wanted: 'next' | 'abort', { pins, revoked }: FilePins): boolean {
  const isAdded = done.some(({ step }) => step === 'added');
  return wanted === 'abort' || (!revoked.includes(next.pin) && (!isAdded || pins.includes(next.pin)));
}

/** What the pins file says of the target when the step is done. */
export function pinsAfter(
  { next, old, leaked, wasPinned }: Rotation,
  step: RotationStep | 'abort',
  { pins, issuerPins, revoked }: FilePins,
): FilePins {
  const without = (gone: readonly string[]): string[] => pins.filter((pin) => !gone.includes(pin));
  if (step === 'added') {
    const kept = leaked ? without(old) : [...pins];
    const all = kept.includes(next.pin) ? kept : [...kept, next.pin];
    const gone = leaked ? old.filter((pin) => !revoked.includes(pin)) : [];
    return { pins: all, issuerPins, revoked: [...revoked, ...gone] };
  }
  if (step === 'retired') return { pins: without(old), issuerPins, revoked };
  if (step === 'abort') {
    // A rotation that was killed while it removed the old pins must bring them back.
    const lost = old.filter((pin) => !pins.includes(pin) && !revoked.includes(pin));
    return { pins: [...without(wasPinned ? [] : [next.pin]), ...lost], issuerPins, revoked };
  }
  return { pins, issuerPins, revoked };
}

/** What the addresses must show before the step: the next certificate, or one that fits the pins after the step. */
const demands: Partial<Record<RotationStep | 'abort', 'next' | 'fits'>> = {
  verified: 'next',
  retired: 'next',
  abort: 'fits',
};

/** Whether the step may be taken, by what every address has just shown. Without an address, nothing is shown. */
export function judgeAddressesFor(step: RotationStep | 'abort', presented: readonly Presented[]): Blocked | undefined {
  const demand = demands[step];
  if (demand === undefined) return undefined;
  const wrong = presented.filter((one) => one.reached && !(one[demand] && (step === 'verified' || one.fits)));
  // A wrong certificate is the worse news.
  if (wrong.length > 0) return { why: 'presents-other', addresses: wrong };
  const unreached = presented.filter(({ reached }) => !reached);
  return unreached.length > 0 || presented.length === 0 ? { why: 'unreached', addresses: unreached } : undefined;
}

/** Whether the wait for old containers is over. Nobody can know whether all of them have ended. */
export function judgeWait(rotation: Rotation, now: Date): Blocked | undefined {
  const until = settlesAt(rotation);
  if (until === undefined) throw new RangeError('nothing is delivered that could settle');
  return now.getTime() >= until.getTime() ? undefined : { why: 'waiting', until: until.toISOString() };
}

/** undefined: nothing is delivered yet. */
export function settlesAt({ done, settleSeconds }: Rotation): Date | undefined {
  const delivered = done.find(({ step }) => step === 'delivered');
  return delivered && new Date(Date.parse(delivered.at) + settleSeconds * 1000);
}

/** Whether servers may present the next certificate now. */
export function judgeNext({ next: { validFrom, validTo } }: Rotation, now: Date): Blocked | undefined {
  if (validFrom !== undefined && now.getTime() < Date.parse(validFrom))
    return { why: 'not-yet-valid', from: validFrom };
  if (validTo !== undefined && now.getTime() >= Date.parse(validTo)) return { why: 'expired', end: validTo };
  return undefined;
}

/** Whether the rotation can be taken back at all. */
export function judgeAbort({ leaked, old }: Rotation, { revoked }: FilePins): Blocked | undefined {
  return leaked && old.some((pin) => revoked.includes(pin)) ? { why: 'revoked-for-ever' } : undefined;
}

/**
 * The time at which the old certificate ends too early: before the wait is over, or before the servers may change. undefined: it does not
 * end too early.
 */
export function endsTooEarly(
  rotation: Rotation,
  now: Date,
): { readonly end: string; readonly until: string } | undefined {
  const { oldEnds, leaked, settleSeconds } = rotation;
  const step = nextStepOf(rotation);
  if (oldEnds === undefined || leaked || !isUnderWay(rotation)) return undefined;
  if (step !== 'added' && step !== 'delivered' && step !== 'settled') return undefined;
  const until = settlesAt(rotation) ?? new Date(now.getTime() + settleSeconds * 1000);
  return Date.parse(oldEnds) < until.getTime() ? { end: oldEnds, until: until.toISOString() } : undefined;
}

/** Records what will be done, before the first effect. @param file what the pins file says of the target now */
export function begin(rotation: Rotation, step: RotationStep | 'abort', file: FilePins, now: Date): Rotation {
  const after = pinsAfter(rotation, step, file);
  return { ...rotation, file, begun: { step, at: now.toISOString(), file: after } };
}

/** A step is done. @param file what the pins file says of the target now */
export function finish(rotation: Rotation, done: Omit<StepDone, 'at'>, file: FilePins, now: Date): Rotation {
  const at = now.toISOString();
  const { begun: _, ...rest } = rotation;
  const ended = done.step === 'retired' ? { ended: { how: 'retired', at } as const } : {};
  return { ...rest, file, done: [...rotation.done, { ...done, at }], ...ended };
}

/** The pins are no longer at every place. So the delivery must be repeated, with the steps after it. */
export function undeliver(rotation: Rotation): Rotation {
  const at = rotation.done.findIndex(({ step }) => step === 'delivered');
  return at === -1 ? rotation : { ...rotation, done: rotation.done.slice(0, at) };
}

/** The rotation was taken back. */
export function endAborted({ begun: _, ...rotation }: Rotation, file: FilePins, now: Date): Rotation {
  return { ...rotation, file, ended: { how: 'aborted', at: now.toISOString() } };
}
