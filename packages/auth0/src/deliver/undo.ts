import { type Entry, hasRevoked, type PinsDocument, type Place } from '@certpin/pins-file';
import { parsePins } from 'certpin';
import { DeliverError } from './deliver-error.ts';
import { type JournalLine, keyOfPlace } from './journal.ts';
import { describePlace, type Item, isSame, type Wanted, type Wish } from './wish.ts';

type Writing = Extract<JournalLine, { event: 'writing' }>;

/**
 * What was at every place before the last push, also if that push was cut off.
 *
 * @throws DeliverError `ERR_UNDO`
 */
export function wishesOfUndo({ entries }: PinsDocument, journal: readonly JournalLine[]): Wanted {
  const begun = journal.filter((line) => line.event === 'begin');
  const undone = new Set(begun.filter(({ push }) => hasEnded(journal, push)).map(({ undoes }) => undoes));
  const last = begun.filter(({ push, undoes }) => undoes === undefined && !undone.has(push)).at(-1)?.push;
  const untouched = new Set(
    journal.flatMap((line) => (line.push === last && line.event === 'unwritten' ? keyOfPlace(line.place) : [])),
  );
  const lines = journal.filter(
    (line): line is Writing => line.push === last && line.event === 'writing' && !untouched.has(keyOfPlace(line.place)),
  );
  if (last === undefined || lines.length === 0) throw bad('the journal has no push that could be taken back');
  const after = new Map(lines.map((line) => [keyOfPlace(line.place), line]));
  const wishes = lines.map(({ target, place, before }): Wish => {
    const entry = ownerOf(entries, target, place);
    const what = describePlace(place);
    if (!before.known) throw bad(`${what}: what it had before the push could not be read`);
    if (before.text === null) throw bad(`${what}: it had nothing before, and without any pin, nobody could log in`);
    if (parsePins(before.text).some((pin) => hasRevoked(entry, pin)))
      throw bad(`${what}: a pin that it had before is revoked`);
    return { entry, place, pins: before.text };
  });
  const refuse = (item: Item): DeliverError | undefined => {
    const line = after.get(keyOfPlace(item.place));
    if (line === undefined || isSame({ ...item, pins: line.pins })) return undefined;
    // If the place can be read, isSame has shown that it has changed. If it cannot be read, and the push was cut off there, nobody knows.
    if (item.standing.how !== 'read' && !isDone(journal, line)) return undefined;
    return new DeliverError(
      'ERR_CHANGED',
      `${describePlace(item.place)}: somebody else has changed it since that push`,
      item.place,
    );
  };
  return { wishes, undoes: last, refuse };
}

/** Found by its place, because one address may occur several times. Found by its name if the place was removed since. */
function ownerOf(entries: PinsDocument['entries'], target: string, place: Place): Entry {
  const key = keyOfPlace(place);
  const owner = entries.find(({ deliver }) => deliver.some((one) => keyOfPlace(one) === key));
  const [named, other] = entries.filter(({ id, label }) => (id ?? label) === target);
  const found = owner ?? (other === undefined ? named : undefined);
  if (found !== undefined) return found;
  throw bad(`${target} is no longer in the pins file, and no server could be asked for it`);
}

function hasEnded(journal: readonly JournalLine[], push: string): boolean {
  return journal.some((line) => line.push === push && line.event === 'end' && line.ok);
}

/** Whether a push has finished at a place. */
function isDone(journal: readonly JournalLine[], { push, place }: Writing): boolean {
  const key = keyOfPlace(place);
  return journal.some((line) => line.push === push && line.event === 'written' && keyOfPlace(line.place) === key);
}

/** Why a place keeps what the push has written. */
export function notTakenBack(place: Place, reason: string): DeliverError {
  return bad(`${describePlace(place)}: ${reason}`);
}

function bad(message: string): DeliverError {
  const hint = 'put the pins that are right into the pins file, and push: certpin auth0 push';
  return new DeliverError('ERR_UNDO', `nothing was taken back: ${message}`, undefined, hint);
}
