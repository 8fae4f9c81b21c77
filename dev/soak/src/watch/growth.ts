/** What the watcher's process has at one moment, behind a collection of garbage. */
export interface Sample {
  /** Bytes that its JavaScript holds. */
  readonly heap: number;
  /** Bytes beside the heap that its JavaScript holds: buffers. */
  readonly external: number;
  /** Resident memory, with all that is cached. */
  readonly resident: number;
  /** File descriptors, sockets included. */
  readonly descriptors: number;
}

type Figure = keyof Sample;

/** The least of the second third of the samples, and of the last. Work that is under way adds to a sample; a leak raises the least one. */
export type Growth = Readonly<Record<Figure, { readonly middle: number; readonly last: number }>>;

const MEGABYTE = 1024 * 1024;

/** By how much the least may grow. The first third of the samples warms up. */
export const margins: Readonly<Record<Figure, (middle: number) => number>> = {
  heap: (middle) => Math.max(MEGABYTE, middle * 0.05),
  external: (middle) => Math.max(MEGABYTE, middle * 0.05),
  // What the allocator of the system keeps varies more than what is used.
  resident: (middle) => Math.max(10 * MEGABYTE, middle * 0.1),
  descriptors: () => 2,
};

/** @throws RangeError for fewer than 6 samples, which say nothing */
export function growthOf(samples: readonly Sample[]): Growth {
  if (samples.length < 6) throw new RangeError(`${samples.length} samples say nothing about growth`);
  const third = Math.floor(samples.length / 3);
  const least = (figure: Figure, some: readonly Sample[]): number => Math.min(...some.map((one) => one[figure]));
  const of = (figure: Figure) => ({
    middle: least(figure, samples.slice(third, -third)),
    last: least(figure, samples.slice(-third)),
  });
  return {
    heap: of('heap'),
    external: of('external'),
    resident: of('resident'),
    descriptors: of('descriptors'),
  };
}

/** What has grown by more than it may, in words. */
export function faultsOf(growth: Growth): readonly string[] {
  return (Object.keys(margins) as Figure[]).flatMap((figure) => {
    const { middle, last } = growth[figure];
    const most = middle + margins[figure](middle);
    return last <= most ? [] : [`${figure} grows: ${middle} → ${last}, and at most ${Math.floor(most)} is allowed`];
  });
}
