import { type Judged, outcomeOf, type Status, statuses } from '@certpin/pins-file';

const words: Record<Status, (count: number) => string> = {
  holds: (count) => (count === 1 ? 'holds' : 'hold'),
  mixed: () => 'mixed',
  'ends-soon': (count) => (count === 1 ? 'ends soon' : 'end soon'),
  'no-such-name': () => 'without such a name',
  'not-yet-valid': () => 'not yet valid',
  drift: () => 'drifted',
  revoked: () => 'revoked',
  expired: () => 'expired',
  refused: () => 'refused',
  unreachable: () => 'unreachable',
};

/** Counts the outcomes of the targets of a pins file. */
export class StatusTally {
  readonly #counts: Partial<Record<Status, number>> = {};
  done = 0;
  /** Targets that do not hold, or could not be asked, for the progress bar. */
  failed = 0;

  count({ status }: Judged): void {
    this.done++;
    if (outcomeOf[status] !== 'yes') this.failed++;
    this.#counts[status] = this.of(status) + 1;
  }

  of(...wanted: Status[]): number {
    return wanted.reduce((sum, status) => sum + (this.#counts[status] ?? 0), 0);
  }

  /** `5 targets, 3 hold, 1 ends soon, 1 drifted` */
  toString(): string {
    const found = statuses.filter((status) => this.of(status) > 0);
    const counted = found.map((status) => `${this.of(status)} ${words[status](this.of(status))}`);
    return [`${this.done} ${this.done === 1 ? 'target' : 'targets'}`, ...counted].join(', ');
  }
}
