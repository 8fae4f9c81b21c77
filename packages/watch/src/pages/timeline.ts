import type { StoredTransition } from '../types.ts';
import { type Html, html } from './html.ts';
import { stateBadge, targetLink } from './parts.ts';
import type { Clock } from './times.ts';
import { remarkWords } from './words.ts';

/** What has happened, the newest first. */
export function timeline(
  transitions: readonly StoredTransition[],
  clock: Clock,
  { withTarget }: { readonly withTarget: boolean },
): Html {
  return html`<ol class="timeline">
${transitions.map(
  (
    transition,
  ) => html`<li><p>${clock.moment(transition.at)} <span class="quiet">${clock.distance(transition.at)}</span></p><p>${withTarget ? subject(transition) : ''}${happened(transition)}${transition.mutedBy === null ? '' : html` <span class="mark">muted by ${transition.mutedBy === 'person' ? 'a person' : 'a rotation'}</span>`}</p>${transition.reason === '' ? '' : html`<p class="quiet">${transition.reason}</p>`}</li>
`,
)}</ol>`;
}

function subject({ key, label, servername }: StoredTransition): Html {
  return key === null ? html`` : html`${targetLink({ key, label: label ?? key, servername })} `;
}

function happened({ kind, from, to, remark }: StoredTransition): Html {
  switch (kind) {
    case 'changed':
    case 'unmuted':
      return html`${kind === 'unmuted' ? 'the mute has ended: ' : ''}${from === null ? 'first seen: ' : html`${stateBadge(from)} <span aria-hidden="true">→</span><span class="unseen"> became </span> `}${stateBadge(to ?? 'unknown')}`;
    case 'remarked':
      return html`a remark: ${remark === null ? '' : remarkWords[remark]}`;
    case 'unremarked':
      return html`no longer true: ${remark === null ? '' : remarkWords[remark]}`;
    case 'network-lost':
      return html`<span class="state bad">the watcher reached nobody</span>`;
    case 'network-back':
      return html`<span class="state good">the network was back</span>`;
    case 'file-unreadable':
      return html`<span class="state bad">the pins file could not be read</span>`;
    case 'file-readable':
      return html`<span class="state good">the pins file could be read again</span>`;
  }
}
