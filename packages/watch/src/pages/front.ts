import { states } from '../states/states.ts';
import type { PageStore } from '../store/store.ts';
import type { OutboxCount, State, StoredTransition, TargetRow, WatcherRow } from '../types.ts';
import { commandsOf, wordsOf } from './advice.ts';
import type { MakePage } from './context.ts';
import { type Html, html } from './html.ts';
import { commandBlock, endOf, stateBadge, targetLink } from './parts.ts';
import { targetData, transitionData } from './rows.ts';
import { timeline } from './timeline.ts';
import { type Clock, iso } from './times.ts';
import { type Trouble, troublesOf } from './troubles.ts';
import { count, remarkWords, stateWords } from './words.ts';

/** Targets of one state that need a person. */
interface Group {
  readonly state: Exclude<State, 'holds'>;
  readonly total: number;
  /** The first of them. */
  readonly rows: readonly TargetRow[];
}

/** The limit for a group on this page: a flood of one kind must not hide other problems. */
const SHOWN = 5;
const ENDS_SHOWN = 5;
const CHANGES_SHOWN = 10;

/** What needs a person, and what to do. Then how many targets are well, what ends next, and what has changed. */
export const frontPage: MakePage = async (_query, { store, clock }) => {
  const [watcher, counts, remarks, outbox, muted] = await Promise.all([
    store.watcher(),
    store.countStates(),
    store.countRemarks(),
    store.outboxCounts(),
    store.targets({ muted: true, limit: 1 }),
  ]);
  const groups = await findGroups(store, counts);
  const next = await store.targets({ endsFrom: clock.now, sort: 'ends', limit: ENDS_SHOWN });
  const changes = await store.transitions({ limit: CHANGES_SHOWN });
  const troubles = troublesOf({ watcher, outbox, now: clock.now });
  const waiting = groups.reduce((sum, { total }) => sum + total, 0);
  const all = Object.values(counts).reduce((sum, each) => sum + each, 0);
  return {
    title: headline(waiting, troubles, all, counts.unknown),
    data: {
      troubles,
      attention: groups.map(({ state, total, rows }) => ({
        status: state,
        total,
        targets: rows.map((row) => targetData(row, clock.now)),
      })),
      counts,
      remarks,
      muted: muted.total,
      watcher: watcherData(watcher),
      receivers: outbox.map(receiverData),
      ends: next.rows.map((row) => targetData(row, clock.now)),
      changes: changes.map(transitionData),
    },
    body: () => html`${freshness(watcher, clock)}
${troubles.map(
  ({ title, words }) => html`<section class="card bad"><h2>${title}</h2><p>${words}</p></section>
`,
)}${groups.map((group) => attention(group, watcher.pinsFile ?? 'certpin.json', clock))}
${muted.total === 0 ? '' : html`<p><a href="/targets?muted=yes">${count(muted.total, 'target')}</a> ${muted.total === 1 ? 'is' : 'are'} muted, and not shown above.</p>`}
<div class="columns">
<section aria-labelledby="counts"><h2 id="counts">All targets</h2>${countTable(counts, all)}</section>
<section aria-labelledby="ends"><h2 id="ends">What ends next</h2>${nextEnds(next.rows, clock)}<p><a href="/calendar">The calendar</a></p></section>
</div>
${standing(remarks)}
<section aria-labelledby="changes"><h2 id="changes">What has changed</h2>${recent(changes, clock)}</section>`,
  };
};

/** The worst first. A muted target needs nobody: a person has said so. */
async function findGroups(store: PageStore, counts: Readonly<Record<string, number>>): Promise<Group[]> {
  const groups: Group[] = [];
  for (const state of [...states].reverse()) {
    if (state === 'holds' || (counts[state] ?? 0) === 0) continue;
    const { total, rows } = await store.targets({ states: [state], muted: false, sort: 'ends', limit: SHOWN });
    if (total > 0) groups.push({ state, total, rows });
  }
  return groups;
}

function headline(waiting: number, troubles: readonly Trouble[], all: number, unknown: number): string {
  if (waiting > 0) return `${count(waiting, 'target')} ${waiting === 1 ? 'needs' : 'need'} a person`;
  if (troubles.length > 0) return 'The watcher needs a person';
  if (all === 0) return 'Nothing is watched yet';
  return unknown === all ? 'No target has been asked yet' : 'Nothing needs a person';
}

function freshness({ checkedAt, caughtUpAt, pinsFile }: WatcherRow, clock: Clock): Html {
  const file = pinsFile === null ? '' : html`Watched: the targets of <code>${pinsFile}</code>. `;
  if (checkedAt === null) return html`<p class="lead">${file}Nothing has been checked yet.</p>`;
  const all = caughtUpAt === null ? '' : html` No check was overdue at ${clock.moment(caughtUpAt)}.`;
  return html`<p class="lead">${file}The last check ended ${clock.distance(checkedAt)}.${all}</p>`;
}

function attention({ state, total, rows }: Group, pinsFile: string, clock: Clock): Html {
  const more = total - rows.length;
  return html`<section class="card" aria-labelledby="state-${state}"><h2 id="state-${state}">${stateBadge(state)} <span class="quiet">${count(total, 'target')}</span></h2>
<p>${wordsOf(state)}</p>
<ul class="todo">
${rows.map(
  (
    row,
  ) => html`<li><p>${targetLink(row)} ${row.since === null ? '' : html`<span class="quiet">since ${clock.moment(row.since)}</span>`}</p><p>${row.reason}</p>${row.note === null ? '' : html`<p class="note">${row.note}</p>`}${commandBlock(commandsOf(state, row, pinsFile))}</li>
`,
)}</ul>${more === 0 ? '' : html`<p><a href="/targets?state=${state}&amp;muted=no">${more.toLocaleString('en')} more: ${stateWords[state]}</a></p>`}</section>
`;
}

function countTable(counts: Readonly<Record<string, number>>, all: number): Html {
  const shown = ['unknown' as const, ...states].reverse().filter((state) => (counts[state] ?? 0) > 0);
  if (all === 0) return html`<p>The pins file has no target yet: <code>certpin trust</code> adds one.</p>`;
  return html`<table class="counts"><caption class="unseen">How many targets are in each state</caption><thead class="unseen"><tr><th scope="col">State</th><th scope="col">Targets</th></tr></thead><tbody>
${shown.map(
  (
    state,
  ) => html`<tr><th scope="row"><a href="/targets?state=${state}">${stateBadge(state)}</a></th><td class="number">${(counts[state] ?? 0).toLocaleString('en')}</td></tr>
`,
)}</tbody><tfoot><tr><th scope="row"><a href="/targets">all</a></th><td class="number">${all.toLocaleString('en')}</td></tr></tfoot></table>`;
}

function nextEnds(rows: readonly TargetRow[], clock: Clock): Html {
  if (rows.length === 0) return html`<p>No end is known.</p>`;
  return html`<ul class="ends">
${rows.map(
  (row) => html`<li>${targetLink(row)}<br>${endOf(row, clock)}</li>
`,
)}</ul>`;
}

function standing(remarks: Readonly<Partial<Record<keyof typeof remarkWords, number>>>): Html {
  const shown = (Object.keys(remarkWords) as (keyof typeof remarkWords)[]).filter(
    (remark) => (remarks[remark] ?? 0) > 0,
  );
  if (shown.length === 0) return html``;
  return html`<section aria-labelledby="remarks"><h2 id="remarks">Worth knowing</h2><ul class="remarks">
${shown.map(
  (
    remark,
  ) => html`<li><a href="/targets?remark=${remark}">${count(remarks[remark] ?? 0, 'target')}</a>: ${remarkWords[remark]}</li>
`,
)}</ul></section>`;
}

function recent(changes: readonly StoredTransition[], clock: Clock): Html {
  if (changes.length === 0) return html`<p>Nothing has changed since the watcher began.</p>`;
  return html`${timeline(changes, clock, { withTarget: true })}<p><a href="/changes">All changes</a></p>`;
}

function watcherData(watcher: WatcherRow): object {
  const { version, pinsFile, startedAt, checkedAt, caughtUpAt, networkLostAt, fileReadAt, fileError } = watcher;
  const times = { startedAt, checkedAt, caughtUpAt, networkLostAt, fileReadAt };
  const written = Object.fromEntries(Object.entries(times).map(([name, time]) => [name, iso(time)]));
  return { version, pinsFile, ...written, fileError };
}

function receiverData({ receiver, waiting, oldestAt, lastSentAt, lastError, failedAttempts }: OutboxCount): object {
  return { receiver, waiting, oldestAt: iso(oldestAt), lastSentAt: iso(lastSentAt), lastError, failedAttempts };
}
