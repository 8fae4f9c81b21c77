import { createHash } from 'node:crypto';
import type { Entry } from '@certpin/pins-file';
import { formatPin, type Pin, parsePins } from 'certpin';

/** The one spelling in which pins are delivered. */
export function pinsText(pins: readonly Pin[]): string {
  return pins.map((pin) => formatPin(pin)).join(',');
}

/** What must be at every place of a target. undefined: the target has pins of issuers, which mean something else there. */
export function textFor({ policy }: Pick<Entry, 'policy'>): string | undefined {
  return policy.issuerPins.length > 0 ? undefined : pinsText(policy.pins);
}

/** Whether a text that was read is a list of pins. Nothing else is kept or shown. */
export function isPins(text: string): boolean {
  try {
    return parsePins(text).length > 0;
  } catch {
    return false;
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
