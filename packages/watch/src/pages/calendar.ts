import type { TargetRow } from '../types.ts';
import type { MakePage } from './context.ts';
import { type Html, html } from './html.ts';
import { stateBadge, targetLink } from './parts.ts';
import { targetData } from './rows.ts';
import { type Clock, iso } from './times.ts';
import { count, stateOf } from './words.ts';

const MONTHS = 13;
/** The limit for one month on this page. The list has the others. */
const SHOWN = 40;

interface Month {
  readonly name: string;
  readonly from: number;
  readonly before: number;
  readonly total: number;
  readonly rows: readonly TargetRow[];
}

/** What ends when, for a year. Months are in UTC, as certificates end in UTC. */
export const calendarPage: MakePage = async (_query, { store, clock }) => {
  const start = new Date(clock.now);
  const edge = (month: number): number => Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + month, 1);
  const ended = await store.targets({ endsBefore: clock.now, sort: 'ends', descending: true, limit: SHOWN });
  const months: Month[] = [];
  for (let index = 0; index < MONTHS; index += 1) {
    const [from, before] = [index === 0 ? clock.now : edge(index), edge(index + 1)];
    const { total, rows } = await store.targets({ endsFrom: from, endsBefore: before, sort: 'ends', limit: SHOWN });
    months.push({ name: monthName(index === 0 ? edge(0) : from), from, before, total, rows });
  }
  const later = await store.targets({ endsFrom: edge(MONTHS), sort: 'ends', limit: 1 });
  const most = Math.max(1, ...months.map(({ total }) => total));
  return {
    title: 'Calendar',
    data: {
      ended: { total: ended.total, targets: ended.rows.map((row) => targetData(row, clock.now)) },
      months: months.map(({ name, from, before, total, rows }) => ({
        ...{ name, from: iso(from), before: iso(before), total },
        targets: rows.map((row) => targetData(row, clock.now)),
      })),
      later: { total: later.total },
    },
    body: () => html`<p>What ends when, in the next twelve months. ${later.total === 0 ? 'Nothing ends later.' : html`${count(later.total, 'certificate')} ${later.total === 1 ? 'ends' : 'end'} later: <a href="/targets?sort=ends&amp;order=descending">the last ones</a>.`}</p>
<table class="year"><caption class="unseen">How many certificates end in each month</caption>
<thead class="unseen"><tr><th scope="col">Month</th><th scope="col">Certificates</th><th scope="col">Compared</th></tr></thead>
<tbody>
${months.map(
  ({ name, total }) =>
    html`<tr><th scope="row">${total === 0 ? name : html`<a href="#${idOf(name)}">${name}</a>`}</th><td class="number">${total.toLocaleString('en')}</td><td class="bar"><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="${Math.round((total / most) * 100)}" height="6"/></svg></td></tr>
`,
)}</tbody></table>
${ended.total === 0 ? '' : section('Ended already', ended, clock, ended.total > SHOWN ? `/targets?sort=ends&ends-before=${dayOf(clock.now)}` : undefined)}
${months.map((month) =>
  month.total === 0
    ? ''
    : section(
        month.name,
        month,
        clock,
        month.total > SHOWN
          ? `/targets?sort=ends&ends-from=${dayOf(month.from)}&ends-before=${dayOf(month.before)}`
          : undefined,
      ),
)}
${ended.total + months.reduce((sum, { total }) => sum + total, 0) === 0 ? html`<p>No certificate ends in this time.</p>` : ''}`,
  };
};

function section(
  name: string,
  { total, rows }: Pick<Month, 'total' | 'rows'>,
  clock: Clock,
  more: string | undefined,
): Html {
  return html`<section aria-labelledby="${idOf(name)}"><h2 id="${idOf(name)}">${name} <span class="quiet">${count(total, 'certificate')}</span></h2>
<ul class="days">
${rows.map(
  (
    row,
  ) => html`<li>${row.endsAt === null ? '' : html`<time datetime="${iso(row.endsAt) ?? ''}">${clock.day(row.endsAt)}</time> <span class="quiet">${clock.distance(row.endsAt)}</span>`} ${targetLink(row)} ${stateBadge(stateOf(row))}</li>
`,
)}</ul>${more === undefined ? '' : html`<p><a href="${more}">All of them, by their end</a></p>`}</section>`;
}

function monthName(time: number): string {
  return new Date(time).toLocaleString('en', { month: 'long', year: 'numeric', timeZone: 'UTC' });
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function idOf(name: string): string {
  return name.toLowerCase().replaceAll(' ', '-');
}
