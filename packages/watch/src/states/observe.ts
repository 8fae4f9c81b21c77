import {
  type Entry,
  type Judged,
  type JudgedAddress,
  judgeAddresses,
  matchesPin,
  type Status,
} from '@certpin/pins-file';
import { type Certificate, formatPin, type Policy } from 'certpin';
import type { Remark, SeenAddress, SeenCertificate, State } from '../types.ts';
import { type HasFamily, isOutOfReach } from './out-of-reach.ts';
import { rankOf } from './states.ts';

/** What one check has found. */
export interface Observation {
  readonly state: State;
  readonly reason: string;
  /** undefined: nothing was presented, so nothing is known. */
  readonly remarks: readonly Remark[] | undefined;
  readonly protocol: string | null;
  /** An address that could not be asked keeps its last result. */
  readonly addresses: readonly SeenAddress[];
  /** Addresses that were never asked. */
  readonly unasked: readonly string[];
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  readonly pins: SeenPins;
}

/** What is kept of the pins of a target between two checks, each as `formatPin` spells it. */
export interface SeenPins {
  /** The pin that counts as the old one: the first that was seen to hold, as long as the file has it. */
  readonly base: string | null;
  /** Pins of the file that were seen at any time. */
  readonly seen: readonly string[];
}

export const noPins: SeenPins = { base: null, seen: [] };

/** What is known of a target before a check. */
export interface Before extends SeenPins {
  readonly addresses: readonly SeenAddress[];
  /** Addresses that were not asked since the target has its present definition. */
  readonly unasked: readonly string[];
}

/**
 * What a check says, in the words of the states.
 *
 * @param judged by the judge of `certpin check --file`
 */
export function observe(entry: Entry, judged: Judged, before: Before, hasFamily: HasFamily): Observation {
  const asked = judged.addresses ?? [{ ...judged, address: judged.address ?? '' }];
  const outOfReach = asked.filter((one) => isOutOfReach(one, asked, hasFamily));
  const told = outOfReach.length === 0 ? judged : judgeAddresses(asked.filter((one) => !outOfReach.includes(one)));
  const earlierOf = (one: JudgedAddress): SeenAddress | undefined =>
    outOfReach.includes(one) && !before.unasked.includes(one.address)
      ? before.addresses.find(({ address }) => address === one.address)
      : undefined;
  const earlier = asked.flatMap((one) => earlierOf(one) ?? []);
  const { status, reason } = withEarlier(told, earlier);
  const leaves = asked.flatMap(({ verdict }) => verdict?.presented[0] ?? []);
  const addresses = asked.map((one) => earlierOf(one) ?? toSeen(one));
  const certificates = addresses.flatMap(({ certificate }) => certificate ?? []);
  const unasked = outOfReach.filter((one) => earlierOf(one) === undefined).map(({ address }) => address);
  const inReach = addresses.filter(({ address }) => !unasked.includes(address));
  const pins = followPins(entry.policy, inReach, leaves, before);
  const common = {
    protocol: told.protocol,
    addresses,
    unasked,
    startsAt: pick(
      certificates.map(({ validFrom }) => validFrom),
      Math.max,
    ),
    endsAt: pick(
      certificates.map(({ validTo }) => validTo),
      Math.min,
    ),
    pins: pins.after,
    remarks:
      leaves.length === 0
        ? undefined
        : remarksOf(entry.policy, told, { addresses, leaves, pins: pins.after, isAllAsked: outOfReach.length === 0 }),
  };
  if (status !== 'holds' || !pins.isAnother) return { state: status, reason, ...common };
  return {
    state: 'rotated',
    reason: 'another pin of the file holds than before; the old one still stands there',
    ...common,
  };
}

/**
 * An address that was not asked this time keeps its last result. So a worse state ends only after a look at the address where it was found.
 */
function withEarlier(told: Judged, earlier: readonly SeenAddress[]): Pick<Judged, 'status' | 'reason'> {
  const worst = [...earlier].sort((one, other) => rankOf(other.state) - rankOf(one.state))[0];
  if (worst !== undefined && rankOf(worst.state) > rankOf(told.status)) {
    const reason = `at ${worst.address}, which could not be asked this time: ${worst.reason}`;
    return { status: worst.state as Status, reason };
  }
  const shown = [told, ...(told.addresses ?? [])].flatMap(
    ({ verdict }) => verdict?.presented[0]?.certificateSha256 ?? [],
  );
  const all = new Set([...shown, ...earlier.flatMap(({ certificate }) => certificate?.sha256 ?? [])]);
  if (told.status !== 'holds' || all.size < 2) return told;
  const reason = `its addresses presented ${all.size} pinned certificates, and not all could be asked this time`;
  return { status: 'mixed', reason };
}

function toSeen({ address, status, reason, verdict }: JudgedAddress): SeenAddress {
  const leaf = verdict?.presented[0];
  return {
    address,
    state: status,
    reason: cut(reason),
    certificate: leaf === undefined ? null : toSeenCertificate(leaf),
    pin: verdict?.ok ? formatPin(verdict.pin) : null,
  };
}

const MAX_NAMES = 20;
const MAX_CHARACTERS = 200;

/** The maker of a certificate may write any amount of text into it. */
function toSeenCertificate(leaf: Certificate): SeenCertificate {
  // Not `toJSON()`: it verifies whether the certificate has signed itself, which takes longer than the rest together.
  const { certificateSha256: sha256, publicKeySha256, subject, issuer, subjectAltNames, validFrom, validTo } = leaf;
  const time = (date: Date): number | null => (Number.isNaN(date.getTime()) ? null : date.getTime());
  return {
    ...{ sha256, publicKeySha256, subject: cut(subject), issuer: cut(issuer) },
    names: subjectAltNames.slice(0, MAX_NAMES).map(cut),
    ...{ validFrom: time(validFrom), validTo: time(validTo) },
  };
}

function cut(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${[...text.slice(0, MAX_CHARACTERS)].slice(0, -1).join('')}…`;
}

function pick(times: readonly (number | null)[], choose: (...values: number[]) => number): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : choose(...known);
}

/** The pins of the file, also those of issuers. */
export function pinTexts({ pins, issuerPins }: Policy): string[] {
  return [...new Set([...pins, ...issuerPins].map((pin) => formatPin(pin)))];
}

function followPins(
  policy: Policy,
  addresses: readonly SeenAddress[],
  leaves: readonly Certificate[],
  { base, seen }: SeenPins,
): { readonly after: SeenPins; readonly isAnother: boolean } {
  const known = pinTexts(policy);
  const held = [...new Set(addresses.flatMap(({ pin }) => pin ?? []))];
  const shown = policy.pins.filter((pin) => leaves.some((leaf) => matchesPin(leaf, pin))).map((pin) => formatPin(pin));
  const all = new Set([...seen, ...held, ...shown]);
  const after = { base, seen: known.filter((pin) => all.has(pin)) };
  // If addresses differ, or one does not answer, it is too early to say.
  const [one] = held;
  if (one === undefined || held.length > 1 || addresses.some(({ pin }) => pin === null))
    return { after, isAnother: false };
  if (base === null || !known.includes(base)) return { after: { ...after, base: one }, isAnother: false };
  // The file may contain one certificate twice: as a whole, and as its key.
  return { after, isAnother: one !== base && !shown.includes(base) };
}

function remarksOf(
  { pins, issuerPins }: Policy,
  judged: Judged,
  found: {
    readonly addresses: readonly SeenAddress[];
    readonly leaves: readonly Certificate[];
    readonly pins: SeenPins;
    readonly isAllAsked: boolean;
  },
): readonly Remark[] {
  const held = new Set(found.addresses.flatMap(({ pin }) => pin ?? []));
  const others = [
    ...pins.filter((pin) => !found.leaves.some((leaf) => matchesPin(leaf, pin))),
    ...issuerPins.filter((pin) => !held.has(formatPin(pin))),
  ];
  const neverSeen = pins.some((pin) => !found.pins.seen.includes(formatPin(pin)));
  return [
    ...judged.remarks.filter((remark) => remark !== 'one-of-several'),
    ...(others.length === 0 ? (['no-backup-pin'] as const) : []),
    ...(neverSeen && others.length > 0 && held.size > 0 ? (['next-pin-never-seen'] as const) : []),
    ...(found.isAllAsked ? [] : (['address-not-asked'] as const)),
  ];
}
