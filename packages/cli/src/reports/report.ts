import { type Judged, outcomeOf, type PinsDocument, type Status } from '@certpin/pins-file';
import type { Io } from '../io.ts';

/** A way to print what became of the targets of a pins file. */
interface Report {
  /** Each one as it comes. @param seconds how long it was asked */
  readonly add: (judged: Judged, seconds: number) => void;
  /** Before those with one status, where the order is by status. */
  readonly heading?: (status: Status, count: number) => void;
  /** Once no other comes. */
  readonly end: (outcome: Outcome) => void;
}

interface Outcome {
  /** Whether every target was asked. */
  readonly isComplete: boolean;
}

interface ReportOptions {
  readonly io: Io;
  readonly document: PinsDocument;
  /** How many are asked about: some of the document's targets, or all. */
  readonly asked: PinsDocument['entries'];
  /** A certificate that ends soon is a failure. */
  readonly failExpiring: boolean;
}

export type CreateReport = (options: ReportOptions) => Report;

/** Whether the answer about this target is no. */
export function isRefusal({ status }: Pick<Judged, 'status'>, failExpiring: boolean): boolean {
  return status === 'ends-soon' ? failExpiring : outcomeOf[status] === 'no';
}

/** The code of a refusal that no verdict knows: the pin is revoked in the file. */
export const REVOKED = 'ERR_PIN_REVOKED';
