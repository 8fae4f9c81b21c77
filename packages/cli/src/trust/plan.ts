import {
  type Changes,
  changedMeanwhile,
  changeText,
  type Entry,
  emptyText,
  type PinsDocument,
  type Placed,
} from '@certpin/pins-file';
import type { Certificate } from 'certpin';
import { type Failure, failureOf } from '../failure.ts';
import type { KeyPin } from '../files/key-pin.ts';
import { type TrustStatus, worse } from './status.ts';
import {
  type Candidate,
  type CandidatePin,
  findStep,
  isSameStep,
  type Step,
  type TrustMode,
  toChanges,
} from './step.ts';

/** Pins that were read from a file. */
export interface PinSource {
  readonly path: string;
  readonly pins: readonly CandidatePin[];
  /** The certificates in the file, with the one that is meant first. */
  readonly certificates?: readonly Certificate[];
  readonly key?: KeyPin;
}

/** What was accepted. It is written together with all others. */
export interface Plan {
  readonly candidate: Candidate;
  readonly mode: TrustMode;
  readonly step: Step;
  /** The pins to write. If several addresses were accepted, more than the candidate's. */
  readonly texts: string[];
}

/** The outcome for a target. */
export interface Outcome {
  readonly placed: Placed;
  status: TrustStatus;
  readonly candidate?: Candidate | undefined;
  readonly plan?: Plan | undefined;
  error?: Failure | undefined;
  /** The failed address, if there are several. */
  readonly at?: string | undefined;
}

export type Decision = Pick<Outcome, 'status' | 'candidate' | 'plan'>;

/**
 * The text of the file afterwards. What it says of others may have changed in the meantime. If it says something else of a target, that
 * target fails.
 */
export function apply(
  document: PinsDocument | undefined,
  planned: readonly Outcome[],
  file: string,
): string | undefined {
  const entries = byKey(document);
  const changes: Changes[] = [];
  for (const outcome of planned) {
    const { candidate, mode, step: agreed, texts } = outcome.plan as Plan;
    const step = findStep(entries.get(candidate.placed.key), candidate, mode);
    if (step.kind === 'none')
      outcome.status = 'already-trusted'; // Somebody else has done it in the meantime.
    else if (isSameStep(step, agreed)) changes.push(toChanges(candidate, step, texts));
    else Object.assign(outcome, { status: 'failed', error: failureOf(changedMeanwhile(file)) });
  }
  if (changes.length === 0) return undefined;
  return changeText(document?.text ?? emptyText, {
    entries: changes.flatMap((change) => change.entries ?? []),
    add: changes.flatMap(({ add = [] }) => add),
  });
}

export function byKey(document: PinsDocument | undefined): ReadonlyMap<string, Entry> {
  return new Map(document?.entries.map((entry) => [entry.key, entry]));
}

/** The outcome for a target with several addresses is that of the worst one. */
export function combine(one: Decision | undefined, other: Decision): Decision {
  if (one === undefined) return other;
  const { status, candidate } = worse(one.status, other.status) === one.status ? one : other;
  return { status, candidate, plan: one.plan ?? other.plan };
}
