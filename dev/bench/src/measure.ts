/** The middle of several values, and how far apart their middle half is. */
export interface Spread {
  readonly median: number;
  /** First and third quartile. */
  readonly low: number;
  readonly high: number;
}

/** Does something `count` times. */
export type Run = (count: number) => Promise<void>;

/** What one side of a comparison costs, per unit. */
interface Cost {
  /** Elapsed time, in milliseconds. */
  readonly elapsedMs: Spread;
  /** CPU time of this process, user and system, in milliseconds. */
  readonly cpuMs: Spread;
}

export interface Comparison {
  readonly ours: Cost;
  readonly peer: Cost;
  /** How many units we do in the time in which the peer does one. */
  readonly speed: Spread;
  /** The CPU time of one of our units, if the peer's unit costs one. */
  readonly cpu: Spread;
}

export interface AlternateOptions {
  readonly ours: Run;
  readonly peer: Run;
  /** Units in a round of one side. */
  readonly count: number;
  readonly rounds: number;
}

/**
 * Measures two sides in turn, so that other work of the machine affects both. The ratio is taken round by round, and its median is the
 * figure. The side that begins changes with each round. A first round of both warms up and does not count.
 */
export async function alternate({ ours, peer, count, rounds }: AlternateOptions): Promise<Comparison> {
  const costs = { ours: [] as RawCost[], peer: [] as RawCost[] };
  await ours(count);
  await peer(count);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const);
    for (const side of order) costs[side].push(await timed(side === 'ours' ? ours : peer, count));
  }
  const pairs = costs.ours.map((own, round) => ({ own, other: costs.peer[round] as RawCost }));
  return {
    ours: costOf(costs.ours),
    peer: costOf(costs.peer),
    speed: spreadOf(pairs.map(({ own, other }) => other.elapsedMs / own.elapsedMs)),
    cpu: spreadOf(pairs.map(({ own, other }) => own.cpuMs / other.cpuMs)),
  };
}

interface RawCost {
  readonly elapsedMs: number;
  readonly cpuMs: number;
}

async function timed(run: Run, count: number): Promise<RawCost> {
  const [cpu, start] = [process.cpuUsage(), performance.now()];
  await run(count);
  const elapsedMs = (performance.now() - start) / count;
  const { user, system } = process.cpuUsage(cpu);
  return { elapsedMs, cpuMs: (user + system) / 1000 / count };
}

function costOf(costs: readonly RawCost[]): Cost {
  return {
    elapsedMs: spreadOf(costs.map(({ elapsedMs }) => elapsedMs)),
    cpuMs: spreadOf(costs.map(({ cpuMs }) => cpuMs)),
  };
}

/** @throws RangeError if there are no values */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('nothing was measured');
  const sorted = [...values].sort((a, b) => a - b);
  return { low: quantile(sorted, 0.25), median: quantile(sorted, 0.5), high: quantile(sorted, 0.75) };
}

/** Between two neighbours the value is interpolated. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return below + (above - below) * (place - Math.floor(place));
}

/** Starts `task` `count` times, `width` of them at a time. */
export async function inParallel(count: number, width: number, task: () => Promise<unknown>): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await task();
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
}
