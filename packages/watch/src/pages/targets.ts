import type { TargetQuery } from '../store/store.ts';
import type { TargetRow } from '../types.ts';
import { type MakePage, QueryError } from './context.ts';
import { type Html, html } from './html.ts';
import { targetTable } from './parts.ts';
import { PAGE_SIZE, readChoice, readPage, readStates, readText, remarks, shownStates } from './query.ts';
import { targetData } from './rows.ts';
import { count, type remarkWords, type ShownState, stateWords } from './words.ts';

const sorts = ['state', 'ends', 'label', 'checked', 'since'] as const;
type Sort = (typeof sorts)[number];

const sortWords: Readonly<Record<Sort, string>> = {
  state: 'the worst state first',
  ends: 'the first end first',
  label: 'by name',
  checked: 'the oldest check first',
  since: 'the oldest state first',
};

/** What the form asks for. */
interface Asked {
  readonly search: string;
  readonly states: readonly ShownState[];
  readonly remark: (typeof remarks)[number] | undefined;
  readonly muted: 'yes' | 'no' | undefined;
  readonly sort: Sort;
  readonly descending: boolean;
  readonly endsFrom: string;
  readonly endsBefore: string;
  readonly page: number;
}

/** All targets. A form searches, filters and sorts them, without a script. */
export const targetsPage: MakePage = async (query, { store, clock }) => {
  const asked: Asked = {
    search: readText(query, 'search'),
    states: readStates(query),
    remark: readChoice(query, 'remark', remarks),
    muted: readChoice(query, 'muted', ['yes', 'no']),
    sort: readChoice(query, 'sort', sorts) ?? 'state',
    descending: readChoice(query, 'order', ['descending']) !== undefined,
    endsFrom: readDay(query, 'ends-from'),
    endsBefore: readDay(query, 'ends-before'),
    page: readPage(query),
  };
  const { total, rows } = await store.targets(toStore(asked));
  const pages = Math.max(1, Math.ceil(total / PAGE_SIZE));
  return {
    title: 'Targets',
    data: {
      total,
      page: asked.page,
      pages,
      next: asked.page < pages ? `/targets.json?${address(asked, asked.page + 1)}` : null,
      targets: rows.map((row) => targetData(row, clock.now)),
    },
    body: () => html`${form(asked)}
<p role="status">${summary(asked, total, rows)}</p>
${rows.length === 0 ? '' : targetTable(rows, clock, `Targets, ${sortWords[asked.sort]}`)}
${pager(asked, pages)}`,
  };
};

function readDay(query: URLSearchParams, name: string): string {
  const text = query.get(name) ?? '';
  if (text === '') return '';
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(Date.parse(text)))
    throw new QueryError(`${name}: a day is expected, as in 2027-03-01`);
  return text;
}

function toStore({ search, states, remark, muted, sort, descending, endsFrom, endsBefore, page }: Asked): TargetQuery {
  return {
    search: search === '' ? undefined : search,
    states: states.length === 0 ? undefined : states,
    remark,
    muted: muted === undefined ? undefined : muted === 'yes',
    endsFrom: endsFrom === '' ? undefined : Date.parse(endsFrom),
    endsBefore: endsBefore === '' ? undefined : Date.parse(endsBefore),
    sort,
    descending,
    offset: (page - 1) * PAGE_SIZE,
    limit: PAGE_SIZE,
  };
}

/** The same question as an address. */
function address(asked: Asked, page: number): string {
  const { search, states, remark, muted, sort, descending, endsFrom, endsBefore } = asked;
  const pairs: [string, string][] = [
    ['search', search],
    ...states.map((state): [string, string] => ['state', state]),
    ['remark', remark ?? ''],
    ['muted', muted ?? ''],
    ['ends-from', endsFrom],
    ['ends-before', endsBefore],
    ['sort', sort === 'state' ? '' : sort],
    ['order', descending ? 'descending' : ''],
    ['page', page === 1 ? '' : String(page)],
  ];
  return new URLSearchParams(pairs.filter(([, value]) => value !== '')).toString();
}

function summary(asked: Asked, total: number, rows: readonly TargetRow[]): Html {
  const isNarrowed = address({ ...asked, sort: 'state', descending: false }, 1) !== '';
  const everything = isNarrowed ? html` <a href="/targets">Show all targets</a>` : html``;
  if (total === 0)
    return isNarrowed
      ? html`No target fits.${everything}`
      : html`The pins file has no target yet: certpin trust adds one.`;
  if (rows.length === 0) return html`${count(total, 'target')}, and this page is behind the last one.${everything}`;
  const first = (asked.page - 1) * PAGE_SIZE + 1;
  return html`${first.toLocaleString('en')} to ${(first + rows.length - 1).toLocaleString('en')} of ${count(total, 'target')}.${everything}`;
}

function form({ search, states, remark, muted, sort, descending, endsFrom, endsBefore }: Asked): Html {
  const kept = (name: string, value: string): Html =>
    value === '' ? html`` : html`<input type="hidden" name="${name}" value="${value}">`;
  const option = (value: string, words: string, isChosen: boolean): Html =>
    html`<option value="${value}"${isChosen ? html` selected` : ''}>${words}</option>`;
  return html`<form class="filter" method="get" action="/targets" role="search">
<p><label for="search">Search</label><input id="search" type="search" name="search" value="${search}" maxlength="200" placeholder="name, note or hash"></p>
<p><label for="remark">Remark</label><select id="remark" name="remark">${option('', 'any', remark === undefined)}${remarks.map((one) => option(one, shortRemark(one), one === remark))}</select></p>
<p><label for="sort">Sort</label><select id="sort" name="sort">${sorts.map((one) => option(one, sortWords[one], one === sort))}</select></p>
<fieldset><legend>State</legend>${shownStates.map(
    (state) =>
      html`<label><input type="checkbox" name="state" value="${state}"${states.includes(state) ? html` checked` : ''}>${stateWords[state]}</label> `,
  )}</fieldset>
${kept('muted', muted ?? '')}${kept('order', descending ? 'descending' : '')}${kept('ends-from', endsFrom)}${kept('ends-before', endsBefore)}
<p class="go"><button>Show</button></p>
</form>`;
}

/** For a list of choices: the word as JSON has it, without hyphens. */
function shortRemark(remark: keyof typeof remarkWords): string {
  return remark.replaceAll('-', ' ');
}

function pager(asked: Asked, pages: number): Html {
  if (pages === 1) return html``;
  const { page } = asked;
  const link = (to: number, words: string, rel: string): Html =>
    to < 1 || to > pages || to === page
      ? html``
      : html`<a rel="${rel}" href="/targets?${address(asked, to)}">${words}</a>`;
  return html`<nav class="pager" aria-label="Pages of the list">${page > 2 ? link(1, 'First', 'first') : ''}${link(page - 1, 'Previous', 'prev')}<span>Page ${page.toLocaleString('en')} of ${pages.toLocaleString('en')}</span>${link(page + 1, 'Next', 'next')}${page < pages - 1 ? link(pages, 'Last', 'last') : ''}</nav>`;
}
