import { printError } from '../io.ts';
import type { CreateReport } from './report.ts';

/** The exit code is the answer. But it still prints why a question could not be asked. */
export const createQuietReport: CreateReport = ({ io }) => ({
  add: ({ entry, failure, reason }) => {
    if (failure !== undefined) printError(io, `${entry.label}: ${reason}`);
  },
  end: () => undefined,
});
