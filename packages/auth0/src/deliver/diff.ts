import type { Place } from '@certpin/pins-file';
import { loadPinsFile } from '@certpin/pins-file';
import type { DeliverOptions } from './deliver-options.ts';
import type { DeliveryProblem } from './delivered.ts';
import { readJournal } from './journal.ts';
import { isPins } from './pins-text.ts';
import { makePlan } from './plan.ts';
import { readValues } from './values.ts';
import { describePlace, isSame } from './wish.ts';
import { wishesOf } from './wishes-of.ts';

/** What is at one place. Fields are added, never renamed. */
export interface PlaceDifference {
  readonly target: string;
  readonly id: string | undefined;
  readonly place: Place;
  /** `unknown`: it cannot be read, and no witness shows it. */
  readonly status: 'same' | 'differs' | 'unknown' | 'elsewhere' | 'left-to-owner' | 'not-run';
  /** How that is known. `witness`: the place itself cannot be read. */
  readonly by: 'read' | 'witness' | null;
  /** The pins that are there, if they are known. */
  readonly found: string | null;
  /** There is something there that is not a list of pins. It is not shown: it may be a password under the wrong name. */
  readonly foreign: boolean;
  readonly wanted: string;
  readonly reason: string;
}

export interface Differences {
  readonly places: readonly PlaceDifference[];
  /** Places that could not be read. */
  readonly problems: readonly DeliveryProblem[];
}

/** @throws as `deliver`; DeliverError, TenantError */
export async function diffDeliveries(
  pinsFile: string,
  names: readonly string[],
  options: DeliverOptions,
): Promise<Differences> {
  const document = loadPinsFile(pinsFile);
  const { env, fetch, signal, onProgress } = options;
  const context = { document, journal: readJournal(pinsFile), values: readValues(undefined), drop: [], signal };
  const plan = await makePlan(context, wishesOf(document, names), {
    ...{ env, fetch, signal, onWait: onProgress },
    allowCommands: true, // No command is run: the journal says what it was given.
    ownerIsNone: options.owner === 'none',
  });
  const read = plan.steps.flatMap(({ items }) =>
    items.map((item): PlaceDifference => {
      const { entry, place, pins, standing } = item;
      const about = { target: entry.label, id: entry.id, place, foreign: false, wanted: pins };
      const what = describePlace(place);
      if (standing.how === 'unknown') {
        return { ...about, status: 'unknown', by: null, found: null, reason: `${what}: ${standing.reason}` };
      }
      const by = standing.how === 'witness' ? 'witness' : 'read';
      const text = standing.how === 'absent' ? undefined : standing.text;
      const found = text !== undefined && (text === '' || isPins(text)) ? text : null;
      const foreign = text !== undefined && found === null;
      const words =
        standing.how === 'absent'
          ? 'nothing stands there'
          : isSame(item)
            ? 'it has the pins'
            : foreign
              ? 'it has something other than a list of pins'
              : 'it has other pins';
      const how = by === 'witness' ? ', as the witness of the last push shows' : '';
      return {
        ...about,
        foreign,
        status: isSame(item) ? 'same' : 'differs',
        by,
        found,
        reason: `${what}: ${words}${how}`,
      };
    }),
  );
  const others = plan.elsewhere.map(({ entry, place, pins, why, reason }): PlaceDifference => {
    const about = { target: entry.label, id: entry.id, place, foreign: false, wanted: pins };
    return { ...about, status: why, by: null, found: null, reason: `${describePlace(place)}: ${reason}` };
  });
  const unread = plan.refusals.filter(({ code }) => /^ERR_(?:TENANT|PLACE)/.test(code));
  return { places: [...read, ...others], problems: unread.map(({ code, message }) => ({ code, message })) };
}
