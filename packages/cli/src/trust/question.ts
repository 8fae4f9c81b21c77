import { formatPin } from 'certpin';
import type { PinSource } from './plan.ts';
import type { Candidate, Step } from './step.ts';

interface Question {
  readonly file: string;
  readonly source: PinSource | undefined;
  /** The certificate of a CA is offered as that of a CA. */
  readonly offersIssuer: boolean;
  /** Another address of the target has a pin that was accepted. */
  readonly isBesideOther: boolean;
}

/** What a person is asked. */
export function questionFor(
  step: Step,
  { placed: { label }, list, pins, certificate }: Candidate,
  { file, source, offersIssuer, isBesideOther }: Question,
): string {
  const what = `${pins.length === 1 ? 'this' : `these ${pins.length}`}${list === 'issuerPins' ? ' issuer' : ''} ${pins.length === 1 ? 'pin' : 'pins'}`;
  if (offersIssuer) {
    const name = certificate?.toJSON().subject ?? '';
    return `${label}: pin the CA ${name}, so that each certificate that it signs is accepted, in ${file}? [y/N] `;
  }
  if (isBesideOther) return `${label}: put ${what} beside that of the other address? [y/N] `;
  if (step.kind === 'add-target') return `add ${label} with ${what} to ${file}? [y/N] `;
  const known = step.entry.policy[list].map((pin) => formatPin(pin)).join(', ');
  const how =
    step.kind === 'replace-pins'
      ? `put ${what} in the place of ${known || 'none'}`
      : `put ${what} beside the known ones`;
  // What is read from a file does not show what the server presents.
  if (!step.isChanged || source !== undefined) return `${label}: ${how}? [y/N] `;
  return `THE PIN OF ${label} HAS CHANGED. Does its operator say so too, and shall certpin ${how}? [y/N] `;
}
