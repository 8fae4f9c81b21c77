import type { Place } from '@certpin/pins-file';

export type DeliveryStatus =
  | 'same'
  | 'would-write'
  | 'written'
  /** Of another tenant than that of the credentials. */
  | 'elsewhere'
  /** Terraform or the Deploy CLI writes it. */
  | 'left-to-owner'
  /** A command, and commands were not allowed. */
  | 'not-run'
  | 'failed'
  | 'not-done';

/** What became of one place. Fields are added, never renamed. */
export interface DeliveryOutcome {
  readonly target: string;
  readonly id: string | undefined;
  readonly place: Place;
  readonly status: DeliveryStatus;
  /** What stands there, or why nothing was done; one line. */
  readonly reason: string;
}

export interface DeliveryProblem {
  readonly code: string;
  readonly message: string;
  /** What to do: something to paste. */
  readonly hint?: string;
}

/** What became of a push. */
export interface Delivered {
  /**
   * `refused`: nothing was written. `failed`: something was, or may have been; `interrupted`: the same, because the signal has ended it.
   * `unknown`: it could not be asked.
   */
  readonly outcome: 'done' | 'refused' | 'failed' | 'interrupted' | 'unknown' | 'declined';
  /** Its id in the journal, where something was written. */
  readonly push: string | undefined;
  /** The file with what stood there before. */
  readonly snapshot: string | undefined;
  /** An earlier push that was cut off. */
  readonly unfinished: string | undefined;
  readonly problems: readonly DeliveryProblem[];
  readonly outcomes: readonly DeliveryOutcome[];
}
