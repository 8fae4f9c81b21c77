import type { TargetRow } from '../types.ts';
import { type Html, html } from './html.ts';
import { lifetimeBar } from './lifetime.ts';
import type { Clock } from './times.ts';
import { nameOf, type ShownState, stateOf, stateWords, toneOf } from './words.ts';

/** The state as a word in its colour. */
export function stateBadge(state: ShownState): Html {
  return html`<span class="state ${toneOf[state]}">${stateWords[state]}</span>`;
}

export function targetLink(target: Pick<TargetRow, 'key' | 'label' | 'servername'>): Html {
  return html`<a href="/target?${new URLSearchParams({ key: target.key }).toString()}"><bdi>${nameOf(target)}</bdi></a>`;
}

/** Lines to paste, each alone: between two of them, a person must check the result. */
export function commandBlock(lines: readonly string[]): Html {
  return html`${lines.map((line) => html`<pre class="command"><code>${line}</code></pre>`)}`;
}

/** When the certificate ends, and how much of its lifetime has passed. */
export function endOf({ startsAt, endsAt }: Pick<TargetRow, 'startsAt' | 'endsAt'>, clock: Clock): Html {
  if (endsAt === null) return html`<span class="quiet">nothing presented</span>`;
  return html`<time datetime="${new Date(endsAt).toISOString()}">${clock.day(endsAt)}</time> <span class="quiet">${clock.distance(endsAt)}</span>${startsAt === null ? '' : lifetimeBar(startsAt, endsAt, clock.now)}`;
}

/** The list of targets: a table on a wide screen, cards on a narrow one. */
export function targetTable(rows: readonly TargetRow[], clock: Clock, caption: string): Html {
  return html`<table class="cards" role="table">
<caption class="unseen">${caption}</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">State</th><th scope="col" role="columnheader">Target</th><th scope="col" role="columnheader">Certificate ends</th><th scope="col" role="columnheader">What the last check found</th><th scope="col" role="columnheader">Checked</th></tr></thead>
<tbody role="rowgroup">
${rows.map(
  (
    row,
  ) => html`<tr role="row"><td role="cell">${stateBadge(stateOf(row))}${row.mute === null ? '' : html` <span class="mark">muted</span>`}</td><th scope="row" role="rowheader">${targetLink(row)}${row.note === null ? '' : html`<span class="note">${row.note}</span>`}</th><td role="cell" class="end">${endOf(row, clock)}</td><td role="cell">${row.reason}</td><td role="cell" class="quiet when">${row.checkedAt === null ? 'not yet' : clock.distance(row.checkedAt)}</td></tr>
`,
)}</tbody>
</table>`;
}
