import {
  endsTooEarly,
  findRotation,
  isUnderWay,
  judgeNext,
  nextStepOf,
  PinsFileError,
  type Rotation,
  type RotationStep,
  readRotations,
  settlesAt,
  stepsOf,
} from '@certpin/pins-file';
import type { State, TargetRow } from '../types.ts';
import { rotateCommand } from './advice.ts';
import { type Html, html } from './html.ts';
import { commandBlock } from './parts.ts';
import { type Clock, iso } from './times.ts';

/** A rotation that `certpin rotate` leads, or why it is not known whether there is one. */
type Found = { readonly rotation: Rotation } | { readonly error: string };

/** The running rotation of a target, from the file next to the pins file. undefined: there is none. */
export function findRunning(pinsFile: string, { key, id }: Pick<TargetRow, 'key' | 'id'>): Found | undefined {
  try {
    const rotation = findRotation(readRotations(pinsFile), { key, id: id ?? undefined });
    return rotation !== undefined && isUnderWay(rotation) ? { rotation } : undefined;
  } catch (error) {
    if (!(error instanceof PinsFileError)) throw error;
    return { error: error.message };
  }
}

/** States that the rotation takes care of: the usual advice for them would be in its way. */
const SEEN_TO: readonly (State | null)[] = ['rotated', 'mixed', 'ends-soon', 'expired'];

export function seesTo(found: Found | undefined, { state }: Pick<TargetRow, 'state'>): boolean {
  return found !== undefined && 'rotation' in found && SEEN_TO.includes(state);
}

/** What must be true for the step, or what happens in it. */
const stepWords: Readonly<Record<RotationStep, string>> = {
  prepared: 'The next certificate is read from its file.',
  added: 'The next pin goes into the pins file.',
  delivered: 'The pins go to every place of the target.',
  settled: 'Containers with the old pins are given time to end.',
  swapped: 'The commands for the servers are printed, and you run them.',
  verified: 'Every address has to present the next certificate.',
  retired: 'The old pin leaves the pins file and every place.',
};

interface Standing {
  readonly rotation: Rotation;
  /** What comes next: a step, or the way back. */
  readonly next: RotationStep | 'abort';
  /** Before this time, the next step is refused. Milliseconds since 1970. null: now. */
  readonly dueAt: number | null;
  readonly warnings: readonly string[];
  /** For a shell. */
  readonly command: string;
  /** The number of addresses at which the last check found the next pin. */
  readonly presenting: number;
}

function standingOf(rotation: Rotation, row: TargetRow, pinsFile: string, now: number): Standing {
  const isBack = rotation.begun?.step === 'abort';
  const next = isBack ? 'abort' : (nextStepOf(rotation) ?? 'retired');
  return {
    ...{ rotation, next, dueAt: next === 'settled' ? (settlesAt(rotation)?.getTime() ?? null) : null },
    warnings: warningsOf(rotation, new Date(now)),
    command: rotateCommand(isBack ? 'abort' : 'next', row, pinsFile),
    presenting: row.addresses.filter(({ pin }) => pin === rotation.next.pin).length,
  };
}

function warningsOf(rotation: Rotation, now: Date): readonly string[] {
  const { begun } = rotation;
  const blocked = judgeNext(rotation, now);
  const early = endsTooEarly(rotation, now);
  return [
    ...(begun === undefined
      ? []
      : [`A command is at work on "${begun.step}", or it was ended in the middle: then run it again.`]),
    ...(blocked?.why === 'not-yet-valid' ? [`The next certificate is not valid before ${minute(blocked.from)}.`] : []),
    ...(blocked?.why === 'expired' ? [`The next certificate has ended at ${minute(blocked.end)}.`] : []),
    ...(early === undefined
      ? []
      : [
          `The old certificate ends at ${minute(early.end)}, before the wait is over at ${minute(early.until)}: from then on every login fails until the servers are swapped.`,
        ]),
  ];
}

/** As JSON, with the names of `certpin rotate status --json`. */
export function rotationData(found: Found | undefined, row: TargetRow, pinsFile: string, now: number): object | null {
  if (found === undefined) return null;
  if ('error' in found) return { error: found.error };
  const { rotation, next, dueAt, warnings, command, presenting } = standingOf(found.rotation, row, pinsFile, now);
  const { done, leaked, old, startedAt } = rotation;
  return {
    ...{ step: done.at(-1)?.step ?? null, next, dueAt: iso(dueAt), leaked, startedAt },
    ...{ nextPin: rotation.next.pin, oldPins: old, steps: done, presenting, warnings, command },
  };
}

/** How far it is, what is due, and the command for it. */
export function rotationCard(found: Found | undefined, row: TargetRow, pinsFile: string, clock: Clock): Html {
  if (found === undefined) return html``;
  const card = (body: Html): Html =>
    html`<section class="card" aria-labelledby="rotation"><h2 id="rotation">Rotation under way</h2>${body}</section>`;
  if ('error' in found) return card(html`<p>Nobody can say how far a rotation is. ${found.error}</p>`);
  const standing = standingOf(found.rotation, row, pinsFile, clock.now);
  const { rotation, warnings, command } = standing;
  return card(html`<ol class="timeline">${stepsOf(rotation).map((step) => {
    const done = rotation.done.find((one) => one.step === step);
    return done === undefined
      ? html`<li><p><strong>${step}</strong> <span class="quiet">open</span></p></li>`
      : html`<li><p><strong>${step}</strong> <span class="quiet">${done.evidence}, ${clock.moment(Date.parse(done.at))}</span></p><p>${done.because}</p></li>`;
  })}</ol>
<p>${dueWords(standing, row, clock)}</p>${warnings.map((warning) => html`<p>${warning}</p>`)}${commandBlock([command])}`);
}

function dueWords({ next, dueAt, presenting }: Standing, { addresses }: TargetRow, clock: Clock): Html {
  if (next === 'abort') return html`It is being taken back. Finish that.`;
  const lead = html`Next: <strong>${next}</strong>. ${stepWords[next]}`;
  if (dueAt !== null) {
    return dueAt > clock.now
      ? html`${lead} It is due ${clock.distance(dueAt)}, at ${clock.moment(dueAt)}.`
      : html`${lead} The wait was over ${clock.distance(dueAt)}, at ${clock.moment(dueAt)}.`;
  }
  if (next === 'verified' || next === 'retired')
    return html`${lead} At the last check, ${presenting} of ${addresses.length} did. It is due now.`;
  return html`${lead} It is due now.`;
}

/** `2027-03-15 12:30 UTC` */
function minute(text: string): string {
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}
