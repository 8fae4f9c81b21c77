import { Random } from '@certpin/testkit/random';
import { createChains } from './chains.ts';
import type { Library } from './library.ts';
import type { Difference, Outcome } from './outcome.ts';
import { createReading } from './reading.ts';

export interface FuzzResult {
  readonly seed: string;
  readonly certificates: number;
  /** Certificates and chains that OpenSSL does not accept. Nobody must say anything about these. */
  readonly rejected: number;
  readonly same: number;
  readonly chains: number;
  readonly different: number;
  /** The first few of each kind. */
  readonly differences: readonly Difference[];
}

export interface FuzzOptions {
  readonly library: Library;
  readonly seed: string;
  /** How many certificates are looked at. */
  readonly certificates: number;
  /** This many certificates are read between two batches of chains. Default 10 000. */
  readonly batch?: number;
  readonly onProgress?: (result: FuzzResult) => void;
}

/** This many show what is wrong. */
const SHOWN_OF_A_KIND = 3;

/** Makes certificates that follow from the seed, and lets both read them. */
export function fuzz({ library, seed, certificates: wanted, batch = 10_000, onProgress }: FuzzOptions): FuzzResult {
  const read = createReading(library, new Random(`${seed} reading`));
  const judge = createChains(library, new Random(`${seed} chains`));
  const differences: Difference[] = [];
  const counts = { certificates: 0, chains: 0, rejected: 0, same: 0, different: 0 };
  const isOver = (): boolean => counts.certificates >= wanted;
  const add = (outcome: Outcome): void => {
    if (typeof outcome === 'string') {
      counts[outcome]++;
      return;
    }
    counts.different++;
    const alike = differences.filter(({ difference }) => difference === outcome.difference);
    if (alike.length < SHOWN_OF_A_KIND) differences.push(outcome);
  };
  while (!isOver()) {
    for (let left = batch; left > 0 && !isOver(); left--) {
      add(read());
      counts.certificates++;
    }
    const outcomes = judge();
    outcomes.forEach(add);
    counts.chains += outcomes.length;
    counts.certificates += 3 * outcomes.length;
    onProgress?.({ seed, ...counts, differences });
  }
  return { seed, ...counts, differences };
}
