import { type CertificateSummary, formatPin, type Policy, type Verdict } from 'certpin';
import type { Inspected, Target } from 'certpin/probe';
import type { Failure } from '../failure.ts';
import type { KeyPin } from '../files/key-pin.ts';
import { explainAt, type Reached } from './explanation.ts';

/** What `certpin check --json` prints. Fields are added, never renamed. */
export type CheckReport =
  | (Answer & { readonly ok: true; readonly matched: 'leaf' | 'issuer'; readonly pin: string })
  | (Answer & { readonly ok: false; readonly code: string; readonly reason: string })
  | {
      readonly target: string;
      readonly protocol: Target['protocol'] | null;
      readonly ok: false;
      readonly error: Failure;
      readonly addresses?: readonly AddressReport[];
    };

interface Answer {
  readonly target: string;
  readonly protocol: Target['protocol'];
  /** The address that has answered. null for a file, a unix socket, and behind a proxy. */
  readonly address: string | null;
  /** The other addresses of the name, which were not asked. */
  readonly otherAddresses: readonly string[];
  /** With `--all-addresses`: the outcome for each address. The other fields are those of the worst one. */
  readonly addresses?: readonly AddressReport[];
  /** The configured pins, as `formatPin` spells them. */
  readonly pins: readonly string[];
  readonly issuerPins: readonly string[];
  /** The leaf. null: none was presented, or it cannot be read. */
  readonly certificate: CertificateSummary | null;
  readonly chain: readonly CertificateSummary[];
  /** With `certificate: null`: the content of a file without a certificate. */
  readonly publicKey?: KeyPin;
  /** The text that is printed without `--json`.. */
  readonly explanation: string;
}

/** What `--all-addresses` has found at one address. */
export type AddressReport = { readonly address: string } & (
  | Pick<Answer, 'certificate' | 'chain' | 'explanation'>
  | { readonly ok: false; readonly error: Failure }
);

/** A target, the protocol in which it answered, and where. */
export interface AnsweredTarget extends Reached {
  readonly label: string;
  readonly protocol: Inspected['protocol'];
}

export function toReport({ label: target, protocol, ...reached }: AnsweredTarget, verdict: Verdict): CheckReport {
  const chain = verdict.presented.map((certificate) => certificate.toJSON());
  const answer = {
    address: reached.address ?? null,
    otherAddresses: reached.otherAddresses ?? [],
    certificate: chain[0] ?? null,
    chain,
    ...spelled(verdict.policy),
    explanation: explainAt(verdict, reached),
  };
  return verdict.ok
    ? { target, protocol, ok: true, matched: verdict.matched, pin: formatPin(verdict.pin), ...answer }
    : { target, protocol, ok: false, code: verdict.code, reason: verdict.reason, ...answer };
}

/** The part of a report that is about one address. */
export function toAddressReport(address: string, verdict: Verdict): AddressReport {
  const { target, protocol, otherAddresses, pins, issuerPins, ...report } = toReport(
    { label: '', protocol: 'tls', address },
    verdict,
  ) as Answer;
  return { ...report, address };
}

/** The pins of a policy, in the form for a report. */
export function spelled({ pins, issuerPins }: Policy): Pick<Answer, 'pins' | 'issuerPins'> {
  return { pins: pins.map((pin) => formatPin(pin)), issuerPins: issuerPins.map((pin) => formatPin(pin)) };
}
