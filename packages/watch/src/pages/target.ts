import type { SeenAddress, SeenCertificate, TargetRow } from '../types.ts';
import { commandsOf, wordsOf } from './advice.ts';
import { type MakePage, QueryError } from './context.ts';
import { dayChart } from './day-chart.ts';
import { type Html, html } from './html.ts';
import { lifetimeBar } from './lifetime.ts';
import { commandBlock, stateBadge } from './parts.ts';
import { findRunning, rotationCard, rotationData, seesTo } from './rotation.ts';
import { addressData, targetData, transitionData } from './rows.ts';
import { timeline } from './timeline.ts';
import { type Clock, DAY, iso } from './times.ts';
import { nameOf, remarkWords, stateOf } from './words.ts';

const CHANGES_SHOWN = 50;
const DAYS_SHOWN = 90;
const SHARING_SHOWN = 10;

/** One target: its state and what to do, its pins, addresses and certificates, and what has happened. */
export const targetPage: MakePage = async (query, { store, clock }) => {
  const key = query.get('key') ?? '';
  const row = await store.target(key);
  if (row === undefined) throw new QueryError('The pins file has no such target (any more).', 404);
  const fromDay = new Date(clock.now - (DAYS_SHOWN - 1) * DAY).toISOString().slice(0, 10);
  const publicKeys = row.addresses.flatMap(({ certificate }) => certificate?.publicKeySha256 ?? []);
  const [changes, days, sharing, watcher] = await Promise.all([
    store.transitions({ key, limit: CHANGES_SHOWN }),
    store.days(key, fromDay),
    row.remarks.includes('same-key') ? store.sharing(key, publicKeys, SHARING_SHOWN) : [],
    store.watcher(),
  ]);
  const pinsFile = watcher.pinsFile ?? 'certpin.json';
  const running = findRunning(pinsFile, row);
  const pins = row.pins.map((pin) => placesOf(pin, row.addresses));
  return {
    title: nameOf(row),
    data: {
      ...targetData(row, clock.now),
      observed: row.observed,
      pins: pins.map(({ pin, at }) => ({ pin, heldAt: at })),
      addresses: row.addresses.map(addressData),
      rotation: rotationData(running, row, pinsFile, clock.now),
      sharing: sharing.map((one) => ({ key: one.key, target: one.label })),
      days,
      changes: changes.map(transitionData),
    },
    body: () => html`${standing(row, clock)}
${seesTo(running, row) ? '' : toDo(row, pinsFile)}
${rotationCard(running, row, pinsFile, clock)}
${lifetime(row, clock)}
<section aria-labelledby="addresses"><h2 id="addresses">Addresses</h2>${row.addresses.length === 0 ? html`<p>It has not been asked yet.</p>` : row.addresses.map((address) => addressCard(address, clock))}</section>
<section aria-labelledby="pins"><h2 id="pins">Pins of the file</h2>${rotationWords(row, pins)}
<ul class="pins">${pins.map(
      (one) => html`<li><code>${one.pin}</code> ${placesWords(one)}</li>
`,
    )}</ul></section>
${sharing.length === 0 ? '' : html`<section aria-labelledby="sharing"><h2 id="sharing">Targets with the same key</h2><ul>${sharing.map((one) => html`<li><a href="/target?${new URLSearchParams({ key: one.key }).toString()}"><bdi>${one.label}</bdi></a></li>`)}</ul></section>`}
<section aria-labelledby="days"><h2 id="days">The last ${DAYS_SHOWN} days</h2>${dayChart(days, clock.now, DAYS_SHOWN)}</section>
<section aria-labelledby="changes"><h2 id="changes">What has changed</h2>${changes.length === 0 ? html`<p>Nothing has changed since the watcher began.</p>` : timeline(changes, clock, { withTarget: false })}</section>`,
  };
};

function standing(row: TargetRow, clock: Clock): Html {
  const facts: (readonly [string, Html | string | null])[] = [
    [
      'Since',
      row.since === null
        ? null
        : html`${clock.moment(row.since)} <span class="quiet">${clock.distance(row.since)}</span>`,
    ],
    [
      'Last check',
      row.checkedAt === null
        ? 'not yet'
        : html`${clock.moment(row.checkedAt)} <span class="quiet">${clock.distance(row.checkedAt)}${row.checkSeconds === null ? '' : `, took ${row.checkSeconds.toFixed(2)} s`}</span>`,
    ],
    ['Next check', clock.distance(row.nextCheckAt)],
    ['Protocol', row.protocol],
    ['Server name', row.servername],
    ['Id', row.id],
    ['Note', row.note],
    ['Muted', row.mute === null ? null : html`until ${clock.moment(row.mute.until)}: ${row.mute.reason}`],
  ];
  const isUnsure = row.observed !== null && row.observed !== row.state;
  return html`<p class="lead">${stateBadge(stateOf(row))} ${row.reason}</p>
${isUnsure ? html`<p>The last check found ${stateBadge(row.observed ?? 'unknown')}. It counts when it is found again.</p>` : ''}
<dl class="facts">${facts.map(([name, value]) => (value === null ? '' : html`<div><dt>${name}</dt><dd>${value}</dd></div>`))}</dl>
${row.remarks.length === 0 ? '' : html`<ul class="remarks">${row.remarks.map((remark) => html`<li>${remarkWords[remark]}</li>`)}</ul>`}`;
}

function toDo(row: TargetRow, pinsFile: string): Html {
  const words = row.state === null ? undefined : wordsOf(row.state);
  if (row.state === null || words === undefined) return html``;
  return html`<section class="card" aria-labelledby="todo"><h2 id="todo">What to do</h2><p>${words}</p>${commandBlock(commandsOf(row.state, row, pinsFile))}</section>`;
}

function lifetime({ startsAt, endsAt }: TargetRow, clock: Clock): Html {
  if (startsAt === null || endsAt === null) return html``;
  return html`<section aria-labelledby="lifetime"><h2 id="lifetime">Lifetime of the presented certificate</h2><div class="wide">${lifetimeBar(startsAt, endsAt, clock.now)}</div><p class="ends-of-bar"><span>${clock.moment(startsAt)}</span> <span>${endsAt <= clock.now ? 'ended' : 'ends'} ${clock.distance(endsAt)}</span> <span>${clock.moment(endsAt)}</span></p></section>`;
}

interface PinPlaces {
  readonly pin: string;
  /** Where it is the pin that holds. */
  readonly at: readonly string[];
  /** Where else it is that of the presented certificate. */
  readonly alsoAt: readonly string[];
}

function placesOf(pin: string, addresses: readonly SeenAddress[]): PinPlaces {
  const [held, others] = [addresses.filter((one) => one.pin === pin), addresses.filter((one) => one.pin !== pin)];
  return { pin, at: held.map(nameOfAddress), alsoAt: others.filter((one) => presents(one, pin)).map(nameOfAddress) };
}

function presents({ certificate }: SeenAddress, pin: string): boolean {
  const key = certificate?.publicKeySha256 ?? null;
  return (
    pin === certificate?.sha256 || (key !== null && pin === `sha256/${Buffer.from(key, 'hex').toString('base64')}`)
  );
}

function placesWords({ at, alsoAt }: PinPlaces): Html {
  if (at.length > 0) return html`<span class="state good">holds</span> <span class="quiet">at ${at.join(', ')}</span>`;
  if (alsoAt.length > 0) return html`<span class="quiet">presented at ${alsoAt.join(', ')}</span>`;
  return html`<span class="quiet">no address presents it</span>`;
}

/** The state knows which pin held before; the order of the pins in the file does not. */
function rotationWords({ state }: TargetRow, pins: readonly PinPlaces[]): Html {
  if (state === 'mixed') return html`<p>Rotation: half done. The addresses present different pinned certificates.</p>`;
  const idle = pins.filter(({ at, alsoAt }) => at.length === 0 && alsoAt.length === 0).map(({ pin }) => pin);
  const [only, ...more] = idle;
  if (state !== 'rotated' || only === undefined) return html``;
  if (more.length === 0)
    return html`<p>Rotation: done. No address presents <code>${only}</code>. It can be removed.</p>`;
  return html`<p>Rotation: done. No address presents these pins: ${idle.map((pin) => html`<code>${pin}</code> `)}. The old one of them can be removed; a backup pin stays.</p>`;
}

function nameOfAddress({ address }: SeenAddress): string {
  return address === '' ? 'the target' : address;
}

function addressCard(seen: SeenAddress, clock: Clock): Html {
  return html`<article class="address"><h3>${nameOfAddress(seen)} ${stateBadge(seen.state)}</h3><p>${seen.reason}</p>${seen.certificate === null ? html`<p class="quiet">Nothing was presented.</p>` : certificateFacts(seen.certificate, seen.pin, clock)}</article>
`;
}

/** Every name in it was written by whoever made the certificate. */
function certificateFacts(certificate: SeenCertificate, pin: string | null, clock: Clock): Html {
  const { sha256, publicKeySha256, subject, issuer, names, validFrom, validTo } = certificate;
  const time = (value: number | null): Html =>
    iso(value) === null ? html`cannot be read` : clock.moment(value as number);
  const facts: (readonly [string, Html])[] = [
    ['Pin that holds', pin === null ? html`none` : html`<code>${pin}</code>`],
    ['Certificate SHA-256', html`<code>${sha256}</code>`],
    ['Public key SHA-256', publicKeySha256 === null ? html`cannot be read` : html`<code>${publicKeySha256}</code>`],
    ['Subject, as presented', html`<bdi>${subject === '' ? '(none)' : subject}</bdi>`],
    ['Issuer, as presented', html`<bdi>${issuer === '' ? '(none)' : issuer}</bdi>`],
    [
      'Names, as presented',
      names.length === 0
        ? html`(none)`
        : html`<ul class="names">${names.map((name) => html`<li><bdi>${name}</bdi></li>`)}</ul>`,
    ],
    ['Valid', html`${time(validFrom)} to ${time(validTo)}`],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
