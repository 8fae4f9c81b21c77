import type { CanaryLogin, PlaceDifference } from '@certpin/auth0';
import { changedMeanwhile, type Entry, findTargets, loadPinsFile, type Rotation } from '@certpin/pins-file';
import { toDeliverOptions, withWork } from '../auth0/deliveries.ts';
import { failureOf } from '../failure.ts';
import type { Io } from '../io.ts';
import type { MoveFlags } from './flags.ts';
import type { Brought, Delivery } from './world.ts';

/** How the pins of a target reach its places: `certpin auth0 push`, and then `diff`. */
export interface Courier {
  readonly deliver: () => Promise<Brought>;
  readonly look: () => Promise<Brought>;
  readonly logIn: () => Promise<CanaryLogin>;
}

export function createCourier({ key }: Rotation, flags: MoveFlags, io: Io): Courier {
  const { file, values, allowCommands, unreached, drop } = flags;
  const options = { ...toDeliverOptions(flags, 'rotate', io), values, allowCommands, unreached, drop };
  const look = async (): Promise<Brought> => {
    const { diffDeliveries } = await import('@certpin/auth0');
    try {
      const names = namesFor(file, key);
      const { places, problems } = await withWork(io, (how) => diffDeliveries(file, names, { ...options, ...how }));
      const messages = problems.map(({ message }) => message);
      return { places: places.map(toDelivery), problems: messages, hints: [], isUnasked: messages.length > 0 };
    } catch (error) {
      if ((error as Error).name === 'AbortError') throw error;
      return { places: [], problems: [failureOf(error).message], hints: [], isUnasked: true };
    }
  };
  return {
    deliver: async () => {
      const { deliver } = await import('@certpin/auth0');
      const pushed = await withWork(io, (how) => deliver(file, namesFor(file, key), { ...options, ...how }));
      // After Ctrl-C, nobody wants to wait until the places are read again.
      if (pushed.outcome === 'interrupted') throw new DOMException('interrupted', 'AbortError');
      const found = pushed.outcome === 'done' ? [] : pushed.problems;
      const hints = [...new Set(found.flatMap(({ hint = [] }) => hint))];
      // What a push reports proves nothing, so each place is read again.
      const read = await look();
      // What a place itself reports is not repeated.
      const problems = [...new Set([...found.map(({ message }) => message), ...read.problems])].filter(
        (problem) => !read.places.some(({ reason }) => reason.includes(problem)),
      );
      const isUnasked = pushed.outcome === 'unknown' || read.isUnasked;
      return { places: read.places, problems, hints, isUnasked };
    },
    look,
    logIn: async () => {
      const { tryCanary } = await import('@certpin/auth0');
      return withWork(io, (how) => tryCanary(file, namesFor(file, key), { ...options, ...how }));
    },
  };
}

/** The present name of the target: since the last step, its id may have gone to another one. */
function namesFor(file: string, key: string): readonly string[] {
  const document = loadPinsFile(file);
  const entry = document.entries.find((one) => one.key === key);
  if (entry === undefined) throw changedMeanwhile(file);
  const names = [entry.id ?? entry.label];
  const [found, other] = findTargets(document, names);
  if (found !== entry || other !== undefined) throw changedMeanwhile(file);
  return names;
}

function toDelivery({ status, by, reason, place }: PlaceDifference): Delivery {
  const file = place.kind === 'file' ? { file: place.path } : {};
  if (status === 'same') return { state: by === 'read' ? 'shown' : 'told', reason, ...file };
  return { state: status === 'differs' || status === 'unknown' ? 'open' : 'left', reason };
}

/** Containers live longer in some tenants. If `certpin auth0 learn` has seen that, the wait is longer. */
const USUAL_SECONDS = 86_400;

/**
 * How long containers with the old pins get by default. What was seen in a short time can only make it longer, never shorter: nobody knows
 * whether an older container was missed by chance.
 */
export async function usualWait(file: string, { deliver }: Entry): Promise<number> {
  const tenants = new Set(deliver.flatMap((place) => ('tenant' in place ? place.tenant : [])));
  if (tenants.size === 0) return USUAL_SECONDS;
  const { readLearned } = await import('@certpin/auth0');
  const seen = [...tenants].map((tenant) => readLearned(file, tenant)?.oldestContainerSeconds ?? 0);
  return Math.ceil(Math.max(USUAL_SECONDS, ...seen));
}
