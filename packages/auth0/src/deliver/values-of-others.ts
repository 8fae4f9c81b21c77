import type { Place } from '@certpin/pins-file';
import type { Context } from './context.ts';
import { lastWritten } from './journal.ts';
import { textFor } from './pins-text.ts';
import { isSame, type Standing } from './wish.ts';

/** A place whose value nobody can read back. */
export type HiddenPlace = Extract<Place, { kind: 'configuration' | 'secret' }>;

/**
 * Pins of other targets in the same connection or Action, if their witness shows that they are there.
 *
 * @param isBeside whether a place is in the same connection or Action, and is not written itself
 * @param standingOf what is known of it
 * @returns the values, by their keys
 */
export function valuesOfOthers(
  { document, journal }: Context,
  isBeside: (place: Place) => place is HiddenPlace,
  standingOf: (key: string, last: ReturnType<typeof lastWritten>) => Standing,
): Record<string, string> {
  const known: Record<string, string> = Object.create(null);
  for (const entry of document.entries) {
    for (const place of entry.deliver) {
      if (!isBeside(place)) continue;
      const standing = standingOf(place.key, lastWritten(journal, place));
      const pins = textFor(entry);
      if (pins !== undefined && isSame({ entry, place, pins, standing })) known[place.key] = pins;
      else if (standing.how === 'witness' && standing.text !== undefined) known[place.key] = standing.text;
    }
  }
  return known;
}
