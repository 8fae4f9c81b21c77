import {
  type Changes,
  type Entry,
  findRevoked,
  hasRevoked,
  isSamePin,
  matchesPin,
  type NewEntry,
  type Placed,
} from '@certpin/pins-file';
import { type Certificate, explain, formatPin, type Pin, parsePin, verify } from 'certpin';
import type { Protocol } from 'certpin/probe';
import { publicKeyPin } from '../forms/public-key-pin.ts';
import { judgeAnswer } from '../pins-file/judge-answer.ts';
import type { SingleAnswer } from '../scan/answer.ts';

/** What may happen to a target that is in the file already. */
export type TrustMode = 'keep' | 'add' | 'replace';

/** Pins, and what is written with them. */
export interface Candidate {
  readonly placed: Placed;
  readonly protocol: Protocol | undefined;
  readonly servername: string | undefined;
  readonly note: string | undefined;
  readonly pins: readonly CandidatePin[];
  /** The list of the target to which they belong. */
  readonly list: 'pins' | 'issuerPins';
  /** What the server has presented. undefined: the pins are from a file, and nobody was asked. */
  readonly presented: SingleAnswer | undefined;
  /** The certificate of the pin, if there is one. */
  readonly certificate: Certificate | undefined;
  /** Whether a certificate counts after its end too. */
  readonly acceptExpired: boolean;
}

export interface CandidatePin {
  readonly pin: Pin;
  /** The form in which it is written. For a CA, the whole certificate, because the server need not send it. */
  readonly text: string;
}

/** What there is to do. */
export type Step =
  | { readonly kind: 'add-target'; readonly entry?: undefined; readonly isChanged: false }
  | {
      /** `changed`: nothing, until a person decides. `revoked`: nothing, whatever a person says. */
      readonly kind: 'none' | 'changed' | 'revoked' | 'add-pin' | 'replace-pins';
      readonly entry: Entry;
      /** No pin of the target matches what the server has presented. */
      readonly isChanged: boolean;
      /** Why it is refused although a pin matches, or what has changed. */
      readonly explanation: string | undefined;
    };

export function spelled(pin: Pin): CandidatePin {
  return { pin, text: formatPin(pin) };
}

/** @throws CertpinError `ERR_PIN_INVALID` if the certificate cannot have a public-key pin */
export function pinOf(leaf: Certificate, kind: Pin['kind']): Pin {
  return kind === 'certificate' ? parsePin(leaf.certificateSha256) : publicKeyPin(leaf);
}

export function findStep(entry: Entry | undefined, candidate: Candidate, mode: TrustMode): Step {
  if (entry === undefined) return { kind: 'add-target', isChanged: false };
  const { pins, list } = candidate;
  if (isRevoked(entry, candidate)) return { kind: 'revoked', entry, isChanged: false, explanation: undefined };
  const { isPinned, explanation } = compare(entry, candidate);
  const isListed = pins.every(({ pin }) => lists(entry, list, pin));
  const about = { entry, isChanged: !isPinned && candidate.presented !== undefined, explanation };
  if (mode === 'replace') {
    return { kind: isListed && entry.policy[list].length === pins.length ? 'none' : 'replace-pins', ...about };
  }
  if (mode === 'add') return { kind: isListed ? 'none' : 'add-pin', ...about };
  return { kind: isPinned ? 'none' : 'changed', ...about };
}

/** Compared by its pin. If the certificate is known, by either of its two hashes. */
function isRevoked(entry: Entry, { pins, certificate, presented }: Candidate): boolean {
  if (pins.some(({ pin }) => hasRevoked(entry, pin))) return true;
  const all = presented?.certificates ?? (certificate === undefined ? [] : [certificate]);
  return findRevoked(entry, all) !== undefined;
}

function compare(
  entry: Entry,
  { presented, certificate, pins, list }: Candidate,
): { isPinned: boolean; explanation: string | undefined } {
  const matchesLeaf = certificate !== undefined && entry.policy.pins.some((pin) => matchesPin(certificate, pin));
  if (presented === undefined) {
    const isListed = pins.every(({ pin }) => lists(entry, list, pin));
    return { isPinned: isListed || (list === 'pins' && matchesLeaf), explanation: undefined };
  }
  const { verdict } = judgeAnswer(entry, presented, new Date());
  if (verdict === undefined) return { isPinned: false, explanation: undefined };
  if (verdict.ok) return { isPinned: true, explanation: undefined };
  return { isPinned: matchesLeaf, explanation: matchesLeaf ? verdict.reason : explain(verdict) };
}

function lists({ policy }: Entry, list: Candidate['list'], pin: Pin): boolean {
  return policy[list].some((one) => isSamePin(one, pin));
}

/** Whether the file still says what somebody has accepted. */
export function isSameStep(one: Step, other: Step): boolean {
  return one.kind === other.kind && pinsOf(one.entry) === pinsOf(other.entry);
}

export function pinsOf(entry: Entry | undefined): string {
  const revoked = entry?.revoked.map(({ pin }) => pin);
  return JSON.stringify([entry?.policy.pins, entry?.policy.issuerPins, revoked]);
}

/** What changes in the file: one more target, or the pins of one. */
export function toChanges(candidate: Candidate, step: Step, texts: readonly string[]): Changes {
  const { placed, protocol, servername, note, list, acceptExpired } = candidate;
  if (step.kind === 'add-target') {
    const expired = acceptExpired ? ({ expired: 'accept' } as const) : {};
    const entry: NewEntry = { target: placed.label, protocol, servername, [list]: texts, ...expired, note };
    return { add: [entry] };
  }
  const pins = step.kind === 'replace-pins' ? { replace: texts } : { add: texts };
  const expired = acceptExpired && step.entry.policy.expired !== 'accept' ? ({ expired: 'accept' } as const) : {};
  return { entries: [{ index: step.entry.index, [list]: pins, ...expired }] };
}

/** What speaks against a pin, although it was asked for. */
export type Concern = 'ca' | 'expired';

/** Of a step that writes something. */
export function concernsOf(candidate: Candidate, step: Step, isLeaf: boolean): readonly Concern[] {
  const { certificate, list, presented, acceptExpired } = candidate;
  if (certificate === undefined) return [];
  const isAccepted = acceptExpired || step.entry?.policy.expired === 'accept';
  const concerns: Concern[] = [];
  // What a server presents as its own is its own, even if it may sign others: many self-signed certificates may sign others.
  if (presented === undefined && list === 'pins' && !isLeaf && isCaOfOthers(candidate)) concerns.push('ca');
  if (!isAccepted && !(certificate.validTo.getTime() > Date.now())) concerns.push('expired');
  return concerns;
}

/** Whether a certificate may sign others, and does not name the server. Then it is hardly the server's own. */
function isCaOfOthers({ certificate, placed: { target }, servername }: Candidate): boolean {
  if (certificate === undefined || !certificate.x509.ca) return false;
  const host = servername ?? ('host' in target ? target.host : undefined);
  if (host === undefined) return true;
  const policy = { pins: certificate.certificateSha256, expired: 'accept', hostnameVerification: 'require' } as const;
  const verdict = verify({ certificates: [certificate], host }, policy);
  return !verdict.ok && verdict.code === 'ERR_HOSTNAME_MISMATCH';
}
