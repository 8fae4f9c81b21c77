import { printError } from '../io.ts';
import type { CreateReport } from './report.ts';

/** The exit code is the answer; why a question could not be asked is told all the same. */
export const createQuietReport: CreateReport = ({ io }) => ({
  add: ({ entry, failure, reason }) => {
    if (failure !== undefined) printError(io, `${entry.label}: ${reason}`);
  },
  end: () => undefined,
});
