import {
  addEntry,
  addPin,
  createText,
  type Entry,
  type PinsDocument,
  type Placed,
  replacePins,
} from '@certpin/pins-file';
import { explain, formatPin, type Pin, parsePin } from 'certpin';
import type { Protocol } from 'certpin/probe';
import { publicKeyPin } from '../forms/public-key-pin.ts';
import type { Answer } from '../scan/answer.ts';
import { judgeAnswer } from './judge-answer.ts';

/** What may become of a target that is in the file already. */
export type TrustMode = 'keep' | 'add' | 'replace';

/** A pin that was fetched, and what is to be written beside it. */
export interface Candidate {
  readonly placed: Placed;
  readonly protocol: Protocol | undefined;
  readonly servername: string | undefined;
  readonly pin: Pin;
  readonly answer: Answer;
}

/** What there is to do. */
export type Step =
  | { readonly kind: 'add-target'; readonly entry?: undefined; readonly isChanged: false }
  | {
      /** `changed`: nothing, until somebody says what. */
      readonly kind: 'none' | 'changed' | 'add-pin' | 'replace-pins';
      readonly entry: Entry;
      /** No pin of the target matches what was fetched. */
      readonly isChanged: boolean;
      /** Why it is refused all the same where a pin matches, or what has changed. */
      readonly explanation: string | undefined;
    };

/** @throws CertpinError `ERR_PIN_INVALID` where the certificate has no public-key pin */
export function readPin({ key, certificates: [leaf] }: Answer, kind: Pin['kind']): Pin | undefined {
  if (key !== undefined) return parsePin(key.pin);
  if (leaf === undefined) return undefined;
  return kind === 'certificate' ? parsePin(leaf.certificateSha256) : publicKeyPin(leaf);
}

export function findStep(
  document: PinsDocument | undefined,
  { placed, pin, answer }: Candidate,
  mode: TrustMode,
): Step {
  const entry = document?.entries.find(({ key }) => key === placed.key);
  if (entry === undefined) return { kind: 'add-target', isChanged: false };
  const { isPinned, explanation } = compare(entry, answer, pin);
  const isListed = lists(entry, pin);
  const about = { entry, isChanged: !isPinned, explanation };
  if (mode === 'replace') {
    return { kind: isListed && entry.policy.pins.length === 1 ? 'none' : 'replace-pins', ...about };
  }
  if (mode === 'add') return { kind: isListed ? 'none' : 'add-pin', ...about };
  return { kind: isPinned ? 'none' : 'changed', ...about };
}

function compare(entry: Entry, answer: Answer, pin: Pin): { isPinned: boolean; explanation: string | undefined } {
  const [leaf] = answer.certificates;
  const { verdict } = judgeAnswer(entry, answer, 0, new Date());
  if (leaf === undefined || verdict === undefined) {
    const explanation = `pin mismatch for ${entry.label}: the public key ${formatPin(pin)} is none of the pinned ones`;
    return lists(entry, pin) ? { isPinned: true, explanation: undefined } : { isPinned: false, explanation };
  }
  const isPinned =
    verdict.ok ||
    entry.policy.pins.some(
      ({ kind, sha256 }) => sha256 === (kind === 'certificate' ? leaf.certificateSha256 : leaf.publicKeySha256),
    );
  if (verdict.ok) return { isPinned, explanation: undefined };
  return { isPinned, explanation: isPinned ? verdict.reason : explain(verdict) };
}

function lists({ policy }: Entry, pin: Pin): boolean {
  return policy.pins.some(({ kind, sha256 }) => kind === pin.kind && sha256 === pin.sha256);
}

/** Whether the file still says what somebody has agreed to. */
export function isSameStep(one: Step, other: Step): boolean {
  const pinsOf = ({ entry }: Step): string => JSON.stringify([entry?.policy.pins, entry?.policy.issuerPins]);
  return one.kind === other.kind && pinsOf(one) === pinsOf(other);
}

/** The text of the file afterwards. */
export function applyStep(document: PinsDocument | undefined, candidate: Candidate, step: Step): string | undefined {
  const { placed, protocol, servername } = candidate;
  const pin = formatPin(candidate.pin);
  if (step.kind === 'add-target') {
    const entry = { target: placed.label, protocol, servername, pins: [pin] };
    return document === undefined ? createText(entry) : addEntry(document.text, entry);
  }
  if (document === undefined) return undefined;
  if (step.kind === 'add-pin') return addPin(document.text, step.entry.index, pin);
  return step.kind === 'replace-pins' ? replacePins(document.text, step.entry.index, pin) : undefined;
}
