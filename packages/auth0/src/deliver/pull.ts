import { changedMeanwhile, changePinsFile, changeText, type Entry, hasRevoked, loadPinsFile } from '@certpin/pins-file';
import { formatPin, type Pin, parsePins } from 'certpin';
import { DeliverError } from './deliver-error.ts';
import type { DeliverOptions } from './deliver-options.ts';
import { diffDeliveries, type PlaceDifference } from './diff.ts';
import { keyOfPlace } from './journal.ts';
import { pinsText } from './pins-text.ts';

/** What a pull has found of one target. Fields are added, never renamed. */
export interface Pulled {
  readonly target: string;
  readonly id: string | undefined;
  /** `unknown`: no place of it can be read. `refused`: what is there cannot be taken. */
  readonly status: 'same' | 'would-change' | 'changed' | 'unknown' | 'refused' | 'declined';
  readonly pins: readonly string[];
  readonly previousPins: readonly string[];
  readonly reason: string;
}

interface Change {
  readonly entry: Entry;
  readonly pins: readonly Pin[];
}

/**
 * Takes the pins from the places that can be read into the pins file.
 *
 * @param confirm asked before the file is written
 * @throws as `diffDeliveries`; PinsFileError
 */
export async function pullDeliveries(
  pinsFile: string,
  names: readonly string[],
  options: DeliverOptions,
  confirm: (found: readonly Pulled[]) => Promise<boolean>,
): Promise<readonly Pulled[]> {
  const document = loadPinsFile(pinsFile);
  const { places, problems } = await diffDeliveries(pinsFile, names, { ...options, owner: 'none' });
  const changes: Change[] = [];
  const found = document.entries.flatMap((entry): Pulled[] => {
    // Not by its name: one address may occur several times, under several server names.
    const keys = new Set(entry.deliver.map(keyOfPlace));
    const own = places.filter(({ place }) => keys.has(keyOfPlace(place)));
    if (own.length === 0) return [];
    const taken = take(
      entry,
      own,
      problems.map(({ message }) => message),
    );
    if (Array.isArray(taken)) changes.push({ entry, pins: taken });
    const about = { target: entry.label, id: entry.id, previousPins: entry.policy.pins.map((pin) => formatPin(pin)) };
    if (Array.isArray(taken)) {
      const pins = taken.map((pin) => formatPin(pin));
      return [{ ...about, status: 'would-change', pins, reason: 'its places have other pins than the pins file' }];
    }
    return [{ ...about, pins: about.previousPins, ...(taken as Refusal) }];
  });
  if (changes.length === 0) return found;
  const isAgreed = await confirm(found);
  if (isAgreed) {
    await changePinsFile(pinsFile, (now) => {
      if (now?.text !== document.text) throw changedMeanwhile(pinsFile);
      const entries = changes.map(({ entry: { index }, pins }) => {
        return { index, pins: { replace: pins.map((pin) => formatPin(pin)) } };
      });
      return changeText(document.text, { entries });
    });
  }
  return found.map((one) =>
    one.status === 'would-change' ? { ...one, status: isAgreed ? 'changed' : 'declined' } : one,
  );
}

type Refusal = Pick<Pulled, 'status' | 'reason'>;

/** The pins that all readable places of a target have. */
function take(entry: Entry, places: readonly PlaceDifference[], problems: readonly string[]): Pin[] | Refusal {
  const read = places.filter((place) => place.by === 'read' && place.found !== null);
  const texts = new Set(read.map(({ found }) => found ?? ''));
  const [text, other] = texts;
  const isForeign = places.some(({ foreign }) => foreign);
  if (other !== undefined || (isForeign && text !== undefined))
    return { status: 'refused', reason: 'its places have different pins: certpin auth0 diff shows them' };
  if (isForeign || text === '') return { status: 'refused', reason: 'what is there is not a list of pins' };
  if (text === undefined) {
    const witnessed = places.find(({ by, status }) => by === 'witness' && status === 'same');
    if (witnessed !== undefined) return { status: 'same', reason: witnessed.reason };
    const why = [...places.map(({ reason }) => reason), ...problems].join('; ');
    return { status: 'unknown', reason: `no place of it can be read: ${why}` };
  }
  const pins = [...parsePins(text)];
  if (pins.some((pin) => hasRevoked(entry, pin)))
    return { status: 'refused', reason: 'its places have a revoked pin: certpin auth0 push removes it' };
  if (entry.policy.issuerPins.length > 0) throw new DeliverError('ERR_PLACE', `${entry.label}: it has issuerPins`);
  if (pinsText(pins) === pinsText(entry.policy.pins))
    return { status: 'same', reason: 'the pins file has these pins already' };
  return pins;
}
