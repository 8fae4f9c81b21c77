import { type Judged, outcomeOf, type PinsDocument, type Status } from '@certpin/pins-file';
import type { Io } from '../io.ts';

/** A way to print the outcomes of the targets of a pins file. */
interface Report {
  /** Called for each one as it comes. @param seconds how long it took */
  readonly add: (judged: Judged, seconds: number) => void;
  /** Printed before the targets with one status, if they are ordered by status. */
  readonly heading?: (status: Status, count: number) => void;
  /** Called when no other comes. */
  readonly end: (outcome: Outcome) => void;
}

interface Outcome {
  /** Whether every target was asked. */
  readonly isComplete: boolean;
}

interface ReportOptions {
  readonly io: Io;
  readonly document: PinsDocument;
  /** How many targets are asked about: some of the file's, or all. */
  readonly asked: PinsDocument['entries'];
  /** Whether a certificate that ends soon is a failure. */
  readonly failExpiring: boolean;
}

export type CreateReport = (options: ReportOptions) => Report;

/** Whether the answer about this target is no. */
export function isRefusal({ status }: Pick<Judged, 'status'>, failExpiring: boolean): boolean {
  return status === 'ends-soon' ? failExpiring : outcomeOf[status] === 'no';
}

/** The code of a refusal that no verdict has: the pin is revoked in the file. */
export const REVOKED = 'ERR_PIN_REVOKED';
