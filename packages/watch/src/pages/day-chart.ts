import { states } from '../states/states.ts';
import type { DayRow, State } from '../types.ts';
import { type Html, html } from './html.ts';
import { DAY } from './times.ts';
import { count, stateWords, toneOf } from './words.ts';

/** A column for each day, in the colour of the worst state of that day. The sentence next to it says the same. */
export function dayChart(days: readonly DayRow[], now: number, shown: number): Html {
  const known = new Map(days.map((row) => [row.day, row]));
  const columns = Array.from({ length: shown }, (_, index) => {
    const day = new Date(now - (shown - 1 - index) * DAY).toISOString().slice(0, 10);
    return { day, worst: worstOf(known.get(day)) };
  });
  const checks = days.reduce((sum, row) => sum + row.checks, 0);
  if (checks === 0) return html`<p>No day has been counted yet.</p>`;
  const bad = columns.filter(({ worst }) => worst !== undefined && worst !== 'holds');
  const words = `${count(checks, 'check')} on ${count(days.length, 'day')}. ${bad.length === 0 ? 'Every one found that the pin holds.' : `On ${count(bad.length, 'day')} something else was found.`}`;
  return html`<svg class="days" viewBox="0 0 ${shown * 10} 40" preserveAspectRatio="none" role="img" aria-label="${words}">${columns.map(
    ({ day, worst }, index) =>
      html`<rect class="${worst === undefined ? 'none' : toneOf[worst]}" x="${index * 10 + 1}" width="8" y="${worst === undefined ? 36 : 0}" height="${worst === undefined ? 4 : 40}"><title>${day}: ${worst === undefined ? 'not checked' : stateWords[worst]}</title></rect>`,
  )}</svg>
<p class="quiet">${words}</p>`;
}

function worstOf(row: DayRow | undefined): State | undefined {
  return row === undefined ? undefined : states.filter((state) => (row.found[state] ?? 0) > 0).at(-1);
}
