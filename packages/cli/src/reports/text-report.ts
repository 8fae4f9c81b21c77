import type { Judged, Status } from '@certpin/pins-file';
import { printable, printText, stdoutColors } from '../io.ts';
import { explainRefusal } from './explanation.ts';
import type { CreateReport } from './report.ts';

/** The length of the longest status. */
const WIDTH = 13;

/** A line for each target. After a change, also what was presented and what is configured. */
export const createTextReport: CreateReport = ({ io, asked }) => {
  const colors = stdoutColors(io);
  const paint: Record<Status, (text: string) => string> = {
    holds: colors.green,
    mixed: colors.yellow,
    'ends-soon': colors.yellow,
    'no-such-name': colors.yellow,
    'not-yet-valid': colors.red,
    revoked: colors.red,
    drift: colors.red,
    expired: colors.red,
    refused: colors.red,
    unreachable: colors.yellow,
  };
  const longest = asked.reduce((length, { label }) => Math.max(length, label.length), 0);
  const width = Math.min(40, longest);
  let isFirst = true;
  return {
    heading: (status, count) => {
      printText(
        io,
        `${isFirst ? '' : '\n'}${colors.bold(`${status}: ${count} ${count === 1 ? 'target' : 'targets'}`)}`,
      );
      isFirst = false;
    },
    add: (judged: Judged) => {
      const { entry, status, reason } = judged;
      const line = `${paint[status](status.padEnd(WIDTH))}  ${printable(entry.label).padEnd(width)}  ${printable(reason)}`;
      const explanation = explainRefusal(judged)?.split('\n').slice(1) ?? [];
      const note = entry.note === undefined || status === 'holds' ? [] : [`  note: ${printable(entry.note)}`];
      printText(io, [line, ...explanation, ...note].join('\n'));
    },
    end: () => undefined,
  };
};
