import { type CertificateSummary, explain, formatPin, type Policy, type Verdict } from 'certpin';
import type { Inspected, Target } from 'certpin/probe';
import type { Failure } from '../failure.ts';
import type { KeyPin } from '../files/key-pin.ts';

/** What `certpin check --json` prints. Fields are added, never renamed. */
export type CheckReport =
  | (Answer & { readonly ok: true; readonly matched: 'leaf' | 'issuer'; readonly pin: string })
  | (Answer & { readonly ok: false; readonly code: string; readonly reason: string })
  | {
      readonly target: string;
      readonly protocol: Target['protocol'] | null;
      readonly ok: false;
      readonly error: Failure;
    };

interface Answer {
  readonly target: string;
  readonly protocol: Target['protocol'];
  /** The configured pins, as `formatPin` spells them. */
  readonly pins: readonly string[];
  readonly issuerPins: readonly string[];
  /** The leaf; null where none was presented, or none that can be read. */
  readonly certificate: CertificateSummary | null;
  readonly chain: readonly CertificateSummary[];
  /** With `certificate: null`: what a file without a certificate holds. */
  readonly publicKey?: KeyPin;
  /** The text that is printed without `--json`.. */
  readonly explanation: string;
}

/** A target, and the protocol in which it answered. */
export interface AnsweredTarget {
  readonly label: string;
  readonly protocol: Inspected['protocol'];
}

export function toReport({ label: target, protocol }: AnsweredTarget, verdict: Verdict): CheckReport {
  const chain = verdict.presented.map((certificate) => certificate.toJSON());
  const answer = {
    certificate: chain[0] ?? null,
    chain,
    ...spelled(verdict.policy),
    explanation: explain(verdict),
  };
  return verdict.ok
    ? { target, protocol, ok: true, matched: verdict.matched, pin: formatPin(verdict.pin), ...answer }
    : { target, protocol, ok: false, code: verdict.code, reason: verdict.reason, ...answer };
}

/** The pins of a policy, as a report has them. */
export function spelled({ pins, issuerPins }: Policy): Pick<Answer, 'pins' | 'issuerPins'> {
  return { pins: pins.map((pin) => formatPin(pin)), issuerPins: issuerPins.map((pin) => formatPin(pin)) };
}
