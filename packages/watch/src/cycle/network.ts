import type { Entry, Judged } from '@certpin/pins-file';
import { isLoopback } from '../loopback.ts';
import type { TargetRow } from '../types.ts';

/** Nothing came back: it may be the server's trouble, or our own. */
const SILENT =
  /^(?:E(?:NETUNREACH|NETDOWN|HOSTUNREACH|HOSTDOWN|TIMEDOUT|AI_AGAIN|NOTFOUND|ADDRNOTAVAIL)|ERR_CONNECT_TIMEOUT)$/;

/** Whether anything came back from anywhere: a refused connection too is somebody's word. */
export function hasAnswered({ addresses, ...judged }: Judged): boolean {
  return (addresses ?? [judged]).some(({ failure }) => failure === undefined || !SILENT.test(failure.code));
}

/** Its silence says nothing. */
export function isDead({ state }: Pick<TargetRow, 'state'>): boolean {
  return state === 'unreachable' || state === 'no-such-name';
}

/** Whether it is on this machine: then its answer, and its silence, say nothing of the network. */
export function isOnThisMachine({ target }: Pick<Entry, 'target'>): boolean {
  if (target.protocol === 'file' || 'socketPath' in target) return true;
  return 'host' in target && isLoopback(target.host);
}

/** What one check says of the network. */
interface Sign {
  readonly hasAnswered: boolean;
  /** The target was within reach before, as far as is known: its silence says something. */
  readonly isWitness: boolean;
}

/** What is to be done with results: written down, or forgotten. */
export interface Sorted<Result> {
  readonly valid: readonly Result[];
  readonly forgotten: readonly Result[];
  readonly event: 'lost' | 'back' | undefined;
}

/** Of fewer servers it cannot be told whether they or we are cut off. */
const LEAST = 3;
const MOST = 20;

/**
 * Whether the watcher itself is cut off. If servers that answered before fall silent, their results wait. When another server answers, the results
 * count. When so many servers are silent that the watcher must be the cause, none of the results counts.
 */
export class OwnNetwork<Result> {
  isLost: boolean;
  readonly #held: Result[] = [];
  #heldSince = 0;

  constructor(isLost: boolean) {
    this.isLost = isLost;
  }

  /** How many silent servers it takes. @param witnesses how many servers are within reach, as far as is known */
  static needed(witnesses: number): number {
    return Math.min(MOST, Math.max(LEAST, Math.ceil(witnesses / 2)));
  }

  get held(): number {
    return this.#held.length;
  }

  /**
   * @param elapsed on a clock that only goes forward
   * @param isSure enough servers were asked: the silent ones may lose the network. Otherwise their results wait
   */
  add(result: Result, sign: Sign, witnesses: number, elapsed: number, isSure = true): Sorted<Result> {
    if (sign.hasAnswered) {
      const event = this.isLost ? 'back' : undefined;
      this.isLost = false;
      return { valid: [...this.#held.splice(0), result], forgotten: [], event };
    }
    if (this.isLost) return { valid: [], forgotten: [result], event: undefined };
    if (!sign.isWitness || witnesses < LEAST) return { valid: [result], forgotten: [], event: undefined };
    if (this.#held.push(result) === 1) this.#heldSince = elapsed;
    return isSure ? this.lose(witnesses) : { valid: [], forgotten: [], event: undefined };
  }

  /** Whether so many servers are silent that the watcher may be the cause. */
  isInDoubt(witnesses: number): boolean {
    return !this.isLost && this.#held.length >= OwnNetwork.needed(witnesses);
  }

  /** The watcher is cut off, if so many servers are silent. */
  lose(witnesses: number): Sorted<Result> {
    if (!this.isInDoubt(witnesses)) return { valid: [], forgotten: [], event: undefined };
    this.isLost = true;
    return { valid: [], forgotten: this.#held.splice(0), event: 'lost' };
  }

  /** Those that have waited so long that no other server will speak for them. */
  release(elapsed: number, longestMs: number): readonly Result[] {
    return this.#held.length > 0 && elapsed - this.#heldSince >= longestMs ? this.#held.splice(0) : [];
  }
}
