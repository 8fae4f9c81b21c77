import type { MakePage } from './context.ts';
import { QueryError } from './context.ts';
import { html } from './html.ts';
import { PAGE_SIZE } from './query.ts';
import { transitionData } from './rows.ts';
import { timeline } from './timeline.ts';

/** Everything that has happened, the newest first. */
export const changesPage: MakePage = async (query, { store, clock }) => {
  const before = query.get('before') ?? '';
  if (!/^\d{0,15}$/.test(before)) throw new QueryError('before: the number of a change is expected');
  const beforeNumber = before === '' ? undefined : Number(before);
  const found = await store.transitions({ beforeNumber, limit: PAGE_SIZE + 1 });
  const shown = found.slice(0, PAGE_SIZE);
  const next = found.length > PAGE_SIZE ? (shown.at(-1)?.number ?? null) : null;
  return {
    title: 'Changes',
    data: { changes: shown.map(transitionData), next: next === null ? null : `/changes.json?before=${next}` },
    body: () => html`${
      shown.length === 0
        ? html`<p>${beforeNumber === undefined ? 'Nothing has changed since the watcher began.' : 'There is nothing older.'}</p>`
        : timeline(shown, clock, { withTarget: true })
    }
<nav class="pager" aria-label="Older and newer">${beforeNumber === undefined ? '' : html`<a href="/changes">The newest</a>`}${next === null ? '' : html`<a rel="next" href="/changes?before=${next}">Older</a>`}</nav>`,
  };
};
