import type { Place } from '@certpin/pins-file';

export type DeliveryStatus =
  | 'same'
  | 'would-write'
  | 'written'
  /** The place is in another tenant than that of the credentials. */
  | 'elsewhere'
  /** Terraform or the Deploy CLI writes the place. */
  | 'left-to-owner'
  /** The place is a command, and commands were not allowed. */
  | 'not-run'
  | 'failed'
  | 'not-done';

/** The outcome for one place. Fields are added, never renamed. */
export interface DeliveryOutcome {
  readonly target: string;
  readonly id: string | undefined;
  readonly place: Place;
  readonly status: DeliveryStatus;
  /** What is there, or why nothing was done, in one line. */
  readonly reason: string;
}

export interface DeliveryProblem {
  readonly code: string;
  readonly message: string;
  /** What to do, as text to paste. */
  readonly hint?: string;
}

/** The outcome of a push. */
export interface Delivered {
  /**
   * `refused`: nothing was written. `failed`: something was written, or may have been. `interrupted`: the same, but the signal has ended
   * it. `unknown`: the question could not be asked.
   */
  readonly outcome: 'done' | 'refused' | 'failed' | 'interrupted' | 'unknown' | 'declined';
  /** Its id in the journal, if something was written. */
  readonly push: string | undefined;
  /** The file with what was there before. */
  readonly snapshot: string | undefined;
  /** An earlier push that was cut off. */
  readonly unfinished: string | undefined;
  readonly problems: readonly DeliveryProblem[];
  readonly outcomes: readonly DeliveryOutcome[];
}
