import Table from 'cli-table3';
import type { Rehearsal, Row } from './play.ts';

export const heads = [
  '',
  'database',
  'logins',
  'failed',
  'outage',
  'failed in containers that outlive the wait',
  'how it ended',
];

/** The lines of the table, and below them what did not hold. */
export function renderTable({ played, sessions, seconds }: Rehearsal): string {
  const acts = Object.values(played);
  const table = new Table({
    head: heads,
    style: { head: [], border: [] },
    colWidths: [null, null, null, null, null, 20, null],
    wordWrap: true,
  });
  for (const row of acts.flatMap(({ rows }) => rows)) table.push(cellsOf(row));
  const faults = acts.flatMap((act) => act.faults).map((fault) => `does not hold: ${fault}\n`);
  const taken = Object.entries(sessions).map(([name, count]) => `${name} ${count}`);
  return `${table.toString()}\n${seconds} s; connections that were let in: ${taken.join(', ')}\n${faults.join('')}`;
}

export function cellsOf({ act, database, logins, failures, outageSeconds, outlived, end }: Row): string[] {
  const outage = failures === 0 ? '0 s' : `${outageSeconds.toFixed(1)} s`;
  return [act, database, thousands(logins), thousands(failures), outage, thousands(outlived), end];
}

/** `100,000` */
export function thousands(count: number): string {
  return count.toLocaleString('en-US');
}
