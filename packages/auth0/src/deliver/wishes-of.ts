import { findTargets, type PinsDocument } from '@certpin/pins-file';
import { DeliverError } from './deliver-error.ts';
import { textFor } from './pins-text.ts';
import type { Wish } from './wish.ts';

/**
 * The pins that every place of these targets must have.
 *
 * @throws CertpinError `ERR_TARGET_INVALID`, DeliverError
 */
export function wishesOf(document: PinsDocument, names: readonly string[]): readonly Wish[] {
  const entries = names.length === 0 ? document.entries : findTargets(document, names);
  return entries.flatMap((entry) =>
    entry.deliver.map((place): Wish => {
      const pins = textFor(entry);
      if (pins !== undefined) return { entry, place, pins };
      throw new DeliverError(
        'ERR_PLACE',
        `${entry.label}: it has issuerPins, which no place can hold: deliver pins`,
        place,
      );
    }),
  );
}
