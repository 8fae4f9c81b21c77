import { type Judged, outcomeOf, type Status, statuses } from '@certpin/pins-file';
import type { CreateReport } from './report.ts';

/** Only targets that need a person, when all are known: the worst first, and equal ones together. */
export function onlyProblems(create: CreateReport): CreateReport {
  return (options) => {
    const report = create(options);
    const problems: { readonly judged: Judged; readonly seconds: number }[] = [];
    return {
      add: (judged, seconds) => {
        if (isProblem(judged.status)) problems.push({ judged, seconds });
      },
      end: (outcome) => {
        const sorted = problems.sort((a, b) => compare(a.judged, b.judged));
        for (const [index, { judged, seconds }] of sorted.entries()) {
          const { status } = judged;
          if (sorted[index - 1]?.judged.status !== status) {
            report.heading?.(status, sorted.filter((one) => one.judged.status === status).length);
          }
          report.add(judged, seconds);
        }
        report.end(outcome);
      },
    };
  };
}

function isProblem(status: Status): boolean {
  return status !== 'holds';
}

/** Targets that could not be asked for the same reason are together. Otherwise, in the order of the file. */
function compare(one: Judged, other: Judged): number {
  const rank = ({ status }: Judged): number => statuses.indexOf(status);
  const byReason = outcomeOf[one.status] === 'unasked' ? one.reason.localeCompare(other.reason, 'en') : 0;
  return rank(other) - rank(one) || byReason || one.entry.index - other.entry.index;
}
